"""What each provider's words mean for an address: the table, against what their documents print."""

import json
import re
import tomllib
from datetime import date

import pytest

from reminders import delivery_kinds
from reminders.delivery_kinds import Report
from tests.reminders import reports

TABLE = tomllib.loads(delivery_kinds.TABLE.read_text())
SECTIONS = {name: section for name, section in TABLE.items() if name != "not_the_address"}
MEANS = {
    "delivered": Report.DELIVERED,
    "hard_bounce": Report.HARD,
    "soft_bounce": Report.SOFT,
    "mailbox_full": Report.SOFT,
    "deferred": Report.DEFERRED,
    "complaint": Report.COMPLAINED,
    "unsubscribe": Report.UNSUBSCRIBED,
    "suppressed": Report.HARD,
    "reject": Report.REFUSED,
}
PRINTED = [(provider, name) for provider in reports.PROVIDERS for name in reports.names(provider)]
WHERE_THE_ANSWER_IS = {
    "postmark": ("Details",),
    "mailgun": ("event-data", "delivery-status", "message"),
    "amazon_ses": ("bounce", "bouncedRecipients", "0", "diagnosticCode"),
    "resend": ("data", "bounce", "diagnosticCode", "0"),
}


def answer(provider, event):
    """The receiving server's answer, where the provider has it."""
    for step in WHERE_THE_ANSWER_IS.get(provider, ("nowhere",)):
        try:
            event = event[int(step) if isinstance(event, list) else step]
        except (KeyError, IndexError):
            return ""
    return event or ""


def meaning(provider, event, kind="bounced"):
    kept = delivery_kinds.kept(provider, event, answer(provider, event))
    return delivery_kinds.report(provider, kind, kept)


@pytest.mark.parametrize(("provider", "name"), PRINTED)
def test_a_documented_event_means_what_its_name_says(provider, name):
    assert meaning(provider, reports.payload(provider, name)) is MEANS[name]


@pytest.mark.parametrize(("provider", "name"), PRINTED)
def test_a_payload_says_where_it_was_printed_and_when_that_was_read(provider, name):
    head = reports.printed(provider, name)
    sources = head["_source"] if isinstance(head["_source"], list) else [head["_source"]]
    assert all(source.startswith("https://") for source in sources)
    assert date.fromisoformat(head["_read"])
    assert head["_printed"] is not bool(head.get("_changed"))  # or it says what was changed


@pytest.mark.parametrize("provider", reports.PROVIDERS)
def test_every_provider_has_the_events_that_it_sends(provider):
    missing = set(MEANS) - set(reports.names(provider))
    # Postmark, Amazon and Resend print one; Mailgun has no such webhook. Resend sends no
    # unsubscribing about a single mail.
    assert missing == {"mailgun": {"reject"}, "resend": {"unsubscribe"}}.get(provider, set())


@pytest.mark.parametrize(("provider", "name"), PRINTED)
def test_nothing_personal_is_kept_of_an_event(provider, name):
    event = reports.payload(provider, name)
    kept = json.dumps(delivery_kinds.kept(provider, event, answer(provider, event)))
    assert not re.search(r"@|example|sample|Subject|Message sent|Sending this", kept)
    assert len(kept) < 400


@pytest.mark.parametrize("section", SECTIONS.values(), ids=SECTIONS)
def test_every_row_gives_its_reason_and_every_provider_its_source(section):
    assert section["source"]
    assert isinstance(section["read"], date)
    for row in section["row"]:
        assert len(row["because"]) > 5
        assert Report(row["means"])


@pytest.mark.parametrize("section", SECTIONS.values(), ids=SECTIONS)
def test_no_row_stands_where_an_earlier_one_takes_all(section):
    taken: list[dict] = []
    for row in section["row"]:
        when = {k: {v} if isinstance(v, str) else set(v) for k, v in row["when"].items()}
        assert not any(
            all(field in when and when[field] <= values for field, values in earlier.items())
            for earlier in taken
        ), row
        taken.append(when)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("smtp;550 5.1.1 no such user", Report.HARD),
        ("smtp;550 5.1.10 recipient not found", Report.HARD),
        ("smtp;550 5.4.1 recipient address rejected", Report.HARD),  # Exchange: no such user
        ("smtp;554 5.4.4 unable to route", Report.SOFT),
        ("smtp;554 5.4.40 is another code", Report.HARD),
        ("smtp;552 5.2.2 over quota", Report.SOFT),
        ("552 mailbox is full", Report.SOFT),
        ("550 The email account is over quota", Report.SOFT),
        ("450 4.2.1 try again", Report.SOFT),
        ("550 5.7.26 unauthenticated mail is not accepted", Report.SOFT),
        ("550 5.7.515 access denied", Report.SOFT),
        ("550 rejected by 5.7.1.20", Report.HARD),  # an IP address is no code
        ("550 5.1.1 then 5.2.2", Report.SOFT),
        ("", Report.HARD),
    ],
)
def test_the_receiving_servers_code_can_only_soften(status, expected):
    event = {"RecordType": "Bounce", "Type": "HardBounce", "Details": status}
    assert meaning("postmark", event) is expected


@pytest.mark.parametrize(
    ("provider", "event", "expected"),
    [
        ("postmark", {"RecordType": "Bounce", "Type": "BadEmailAddress"}, Report.HARD),
        ("postmark", {"RecordType": "Bounce", "Type": "SpamNotification"}, Report.SOFT),
        ("postmark", {"RecordType": "Bounce", "Type": "Blocked"}, Report.SOFT),
        ("postmark", {"RecordType": "Bounce", "Type": "AutoResponder"}, Report.TAKEN),
        ("postmark", {"RecordType": "Bounce", "Type": "Invented next year"}, Report.SOFT),
        ("postmark", {"RecordType": "Open"}, Report.TAKEN),
        ("postmark", {"RecordType": "Invented"}, Report.NOTHING),
        (
            "postmark",
            {"RecordType": "SubscriptionChange", "SuppressSending": False},
            Report.NOTHING,
        ),
        (
            "postmark",
            {
                "RecordType": "SubscriptionChange",
                "Origin": "Customer",
                "SuppressionReason": "ManualSuppression",
            },
            Report.NOTHING,
        ),
        (
            "mailgun",
            {"event-data": {"event": "failed", "reason": "suppress-unsubscribe"}},
            Report.UNSUBSCRIBED,
        ),
        (
            "mailgun",
            {"event-data": {"event": "failed", "severity": "permanent", "reason": "generic"}},
            Report.SOFT,
        ),
        (
            "amazon_ses",
            {"notificationType": "Bounce", "bounce": {"bounceType": "Permanent"}},
            Report.HARD,
        ),
        (
            "amazon_ses",
            {"eventType": "Bounce", "bounce": {"bounceType": "Undetermined"}},
            Report.SOFT,
        ),
        (
            "amazon_ses",
            {"eventType": "Complaint", "complaint": {"complaintFeedbackType": "not-spam"}},
            Report.TAKEN,
        ),
        ("amazon_ses", {"eventType": "Complaint", "complaint": {}}, Report.COMPLAINED),
        ("resend", {"type": "email.bounced", "data": {}}, Report.SOFT),
        ("resend", {"type": "contact.updated"}, Report.NOTHING),
        ("brevo", {"event": "hard_bounce"}, Report.HARD),
        ("brevo", {"event": "soft_bounce"}, Report.SOFT),
        ("mailjet", {"event": "bounce", "hard_bounce": True}, Report.HARD),
    ],
)
def test_words_that_no_document_prints_as_a_payload(provider, event, expected):
    assert meaning(provider, event) is expected


@pytest.mark.parametrize("kind", ["opened", "clicked", "sent", "queued"])
def test_of_another_provider_an_open_means_no_more_than_that_it_was_taken(kind):
    assert delivery_kinds.report("brevo", kind, {}) is Report.TAKEN


def test_another_providers_word_is_not_read_by_the_wrong_table():
    assert meaning("mailgun", reports.payload("postmark", "hard_bounce")) is Report.NOTHING


def test_an_event_nested_without_end_is_read_no_deeper_than_it_needs():
    event: dict = {}
    for _ in range(900):
        event = {"bounce": event}
    assert delivery_kinds.kept("amazon_ses", event) == {}
