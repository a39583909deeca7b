"""The door for providers' reports: who is believed, and that a refusal leaves no trace."""

import base64
import json
import logging
import uuid
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from reminders import webhook_proofs, webhooks
from reminders.models import Notice, ProviderEvent, State
from tests.reminders import reports
from tests.reminders.amazon import TOPIC
from tests.reminders.reports import MAILGUN_KEY, RESEND_KEY

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
EVERY_ADDRESS = sorted(str(url.name).removesuffix("_tracking_webhook") for url in webhooks.URLS)
SIGNING = sorted({*webhook_proofs.KEYS, "amazon_ses"})


@pytest.fixture
def sent(message, now):
    type(message).objects.update(
        state=State.ACCEPTED, accepted_at=now, provider_message_id="<a-mail@provider>"
    )
    message.refresh_from_db()
    return message


@pytest.fixture(params=reports.PROVIDERS)
def provider(request) -> str:
    return str(request.param)


@pytest.fixture
def event(provider, sent):
    return reports.about(provider, "hard_bounce", sent, timezone.now())


def refused(answer) -> bool:
    """With a 4xx, empty-handed."""
    return 400 <= answer.status_code < 500 and not answer.content and not kept()


def kept() -> int:
    return ProviderEvent.objects.count()


# -- The secret -------------------------------------------------------------------------------


def test_a_report_with_everything_it_needs_is_written_down(provider, event, amazon, sent):
    assert reports.deliver(provider, event, amazon).status_code == 200
    row = ProviderEvent.objects.get()
    assert (row.provider, row.applied_at) == (provider, None)
    assert row.message_ref == ("" if provider == "resend" else str(sent.pk))
    assert row.provider_message_id == "<a-mail@provider>"


@pytest.mark.parametrize("secret", ["", "user:wrong", "user", "someone:long-enough-secret", ":"])
def test_a_right_signature_does_not_replace_the_secret(provider, event, amazon, secret):
    answer = reports.deliver(provider, event, amazon, secret=secret)
    assert refused(answer)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Basic")  # Amazon sends it when asked


def test_each_of_two_secrets_counts_while_one_is_changed(event, provider, amazon, settings):
    settings.ANYMAIL = {**settings.ANYMAIL, "WEBHOOK_SECRET": ["new:secret", reports.SECRET]}
    for secret in ("new:secret", reports.SECRET):
        assert reports.deliver(provider, event, amazon, secret=secret).status_code == 200


@pytest.mark.parametrize("name", EVERY_ADDRESS)
def test_no_address_believes_a_stranger(db, amazon, name):
    assert refused(reports.post(name, "{}", secret=""))
    assert refused(reports.post(name, "{}", secret="user:wrong"))


@pytest.mark.parametrize("name", EVERY_ADDRESS)
@pytest.mark.parametrize("secret", [None, "", []])
def test_while_no_secret_is_set_nobody_is_believed(db, amazon, settings, name, secret):
    settings.ANYMAIL = {**settings.ANYMAIL, "WEBHOOK_SECRET": secret}
    assert refused(reports.post(name, "{}", secret=""))
    assert refused(reports.post(name, "{}", secret=":"))


@pytest.mark.parametrize("name", SIGNING)
def test_a_provider_whose_signature_cannot_be_checked_is_refused(db, amazon, settings, name):
    settings.ANYMAIL = {"WEBHOOK_SECRET": [reports.SECRET]}
    settings.SNS_TOPICS = []
    answer = reports.post(name, "{}")
    assert refused(answer)
    assert answer.status_code == 403


def test_every_provider_of_anymails_that_signs_is_in_the_list():
    """Where Anymail learns to check another signature, its key must be demanded here."""
    only_the_secret = {"brevo", "mailjet", "mailtrap", "postmark", "sendinblue", "sparkpost"}
    assert set(EVERY_ADDRESS) == only_the_secret | set(SIGNING)


def test_only_reports_about_our_mail_are_received():
    assert all("inbound" not in str(url.name) for url in webhooks.URLS)


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "options"])
def test_no_other_method_is_answered(db, amazon, method):
    address = reverse("anymail:postmark_tracking_webhook")
    assert getattr(Client(), method)(address).status_code == 405


def test_a_provider_may_look_whether_the_address_is_there(db):
    assert Client().head(reverse("anymail:mailgun_tracking_webhook")).status_code == 200


# -- Signatures -------------------------------------------------------------------------------


def test_a_forged_body_under_amazons_signature_is_refused(sent, amazon):
    message = amazon.signed(reports.notification(reports.payload("amazon_ses", "delivered")))
    forged = {**message, "Message": json.dumps(reports.payload("amazon_ses", "hard_bounce"))}
    assert refused(reports.post_sns(forged))


def test_a_topic_of_somebody_else_is_refused(sent, amazon):
    message = reports.notification(reports.payload("amazon_ses", "hard_bounce"))
    assert refused(reports.post_sns(amazon.signed({**message, "TopicArn": TOPIC + "x"})))


def test_amazon_without_its_certificate_comes_again(sent, amazon):
    message = reports.notification(reports.payload("amazon_ses", "hard_bounce"))
    away = amazon.publish(b"", status=503)
    answer = reports.post_sns(amazon.signed({**message, "SigningCertURL": away}))
    assert answer.status_code == 503
    assert not kept()


def test_a_forged_body_under_resends_signature_is_refused(sent, amazon):
    text = json.dumps(reports.payload("resend", "delivered"))
    forged = json.dumps(reports.payload("resend", "hard_bounce"))
    assert refused(reports.post("resend", forged, **reports.resend_headers(text)))


@pytest.mark.parametrize("left_out", ["svix-id", "svix-timestamp", "svix-signature"])
def test_resends_headers_are_all_needed(sent, amazon, left_out):
    text = json.dumps(reports.payload("resend", "delivered"))
    headers = reports.resend_headers(text)
    del headers[left_out]
    assert refused(reports.post("resend", text, **headers))


@pytest.mark.parametrize(
    ("age", "status"),
    [(4 * MINUTE, 200), (6 * MINUTE, 400), (-4 * MINUTE, 200), (-6 * MINUTE, 400)],
)
def test_an_old_signature_of_resend_is_refused(sent, amazon, age, status):
    text = json.dumps(reports.payload("resend", "delivered"))
    headers = reports.resend_headers(text, timezone.now() - age)
    assert reports.post("resend", text, **headers).status_code == status


def test_the_keys_of_somebody_else_do_not_sign_for_resend_or_mailgun(sent, amazon):
    text = json.dumps(reports.payload("resend", "delivered"))
    headers = reports.resend_headers(text, signing_key="whsec_" + RESEND_KEY[:5:-1])
    assert refused(reports.post("resend", text, **headers))
    event = reports.payload("mailgun", "delivered")
    signature = reports.mailgun_signature(signing_key=MAILGUN_KEY + "x")
    assert refused(reports.post("mailgun", {**event, "signature": signature}))


@pytest.mark.parametrize(
    ("age", "status"),
    [
        (8 * HOUR - MINUTE, 200),
        (8 * HOUR + MINUTE, 403),
        (-14 * MINUTE, 200),
        (-16 * MINUTE, 403),
    ],
)
def test_an_old_signature_of_mailgun_proves_nothing(sent, amazon, age, status):
    event = reports.payload("mailgun", "delivered")
    signature = reports.mailgun_signature(timezone.now() - age)
    assert reports.post("mailgun", {**event, "signature": signature}).status_code == status
    assert kept() == (status == 200)


def test_mailguns_token_counts_once_whatever_else_the_body_says(sent, amazon):
    """Mailgun does not sign the body: who has seen a token must not make events of it."""
    signature = reports.mailgun_signature()
    for name in ("delivered", "hard_bounce", "complaint", "unsubscribe"):
        event = reports.about("mailgun", name, sent, timezone.now())
        assert reports.post("mailgun", {**event, "signature": signature}).status_code == 200
    assert ProviderEvent.objects.get().payload["event-data.event"] == "delivered"


@pytest.mark.parametrize("shift", [-1, 1])
def test_no_digit_moves_between_mailguns_time_and_token(sent, amazon, shift):
    """Both are signed as one string: cut elsewhere, it would be another token."""
    signature = reports.mailgun_signature(token="5" * 50)
    text, cut = signature["timestamp"] + signature["token"], 10 + shift
    moved = {**signature, "timestamp": text[:cut], "token": text[cut:]}
    assert refused(
        reports.post("mailgun", {**reports.payload("mailgun", "delivered"), "signature": moved})
    )


def test_mailguns_old_form_posts_are_not_taken(sent, amazon):
    form = {**reports.mailgun_signature(), "event": "complained", "recipient": "ana@example.com"}
    secret = base64.b64encode(reports.SECRET.encode()).decode()
    headers = {"authorization": f"Basic {secret}"}
    answer = Client().post(reverse("anymail:mailgun_tracking_webhook"), form, headers=headers)
    assert refused(answer)


# -- Amazon's subscription --------------------------------------------------------------------


@pytest.fixture
def confirmation(amazon, settings):
    message = reports.payload("amazon_ses", "_confirmation")
    del message["SigningCertURL"]
    settings.ANYMAIL = {
        **settings.ANYMAIL,
        "AMAZON_SES_CLIENT_PARAMS": {
            "aws_access_key_id": "an-id",
            "aws_secret_access_key": "a-secret",
            "endpoint_url": amazon.api_url,
        },
    }
    return message


def test_a_subscription_to_our_topic_is_confirmed_through_amazons_api(db, amazon, confirmation):
    """Never by the address that the message names."""
    message = amazon.signed({**confirmation, "SubscribeURL": "https://evil.example/"})
    assert reports.post_sns(message).status_code == 200
    (call,) = amazon.confirmed
    assert call["TopicArn"] == [TOPIC]
    assert call["Token"] == [confirmation["Token"]]
    assert not kept()


def test_a_subscription_to_another_topic_is_not_confirmed(db, amazon, confirmation):
    assert refused(reports.post_sns(amazon.signed({**confirmation, "TopicArn": TOPIC + "x"})))
    assert not amazon.confirmed


def test_an_unsigned_subscription_is_not_confirmed(db, amazon, confirmation):
    message = {**amazon.signed(confirmation), "Token": "another"}
    assert refused(reports.post_sns(message))
    assert not amazon.confirmed


def test_a_subscription_that_amazon_would_not_confirm_comes_again(
    db, amazon, confirmation, settings
):
    params = {**settings.ANYMAIL["AMAZON_SES_CLIENT_PARAMS"], "endpoint_url": "http://127.0.0.1:9"}
    settings.ANYMAIL = {**settings.ANYMAIL, "AMAZON_SES_CLIENT_PARAMS": params}
    assert reports.post_sns(amazon.signed(confirmation)).status_code == 503


# -- What cannot be read ----------------------------------------------------------------------

NONSENSE = {
    "nothing": "",
    "half": "{",
    "a list": "[]",
    "a word": '"x"',
    "a number": "7",
    "null": "null",
    "no text": "\x00\xff",
    "without end": "[" * 100_000,
    "a long number": "9" * 10_000,
}


def signed_text(provider: str, text: str, amazon) -> dict[str, str]:
    return reports.resend_headers(text) if provider == "resend" else {}


@pytest.mark.parametrize("text", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_with_the_secret_is_refused_quietly(provider, amazon, db, text, caplog):
    with caplog.at_level(logging.DEBUG):
        answer = reports.post(provider, text, **signed_text(provider, text, amazon))
    assert refused(answer)
    assert all(record.exc_info is None for record in caplog.records)


def wrapped(provider: str, event, amazon):
    """Whatever event, as the provider would sign and send it."""
    if provider == "mailgun" and not isinstance(event, dict):
        event = {"event-data": event}
    if provider == "amazon_ses":
        envelope = reports.notification(reports.payload("amazon_ses", "delivered"))
        return reports.post_sns(amazon.signed({**envelope, "Message": json.dumps(event)}))
    return reports.deliver(provider, event, amazon)


STRANGE = {
    "another shape": {"event-data": [], "data": [], "mail": [], "Metadata": []},
    "words for objects": {"event-data": "x", "data": "x", "mail": "x", "RecordType": 7},
    "a list": ["x"],
    "mail to us": {"RecordType": "Inbound", "eventType": "Received", "event-data": None},
}


@pytest.mark.parametrize("event", STRANGE.values(), ids=STRANGE)
def test_an_event_of_another_shape_never_breaks_anything(provider, amazon, db, event, caplog):
    with caplog.at_level(logging.DEBUG):
        answer = wrapped(provider, event, amazon)
    assert answer.status_code < 500
    assert all(record.exc_info is None for record in caplog.records)


@pytest.mark.parametrize("sender", reports.PROVIDERS)
def test_another_providers_report_stops_nobody(provider, sender, amazon, sent):
    """At the wrong address it is refused, or kept as a report that says nothing."""
    event = reports.about(sender, "complaint", sent, timezone.now())
    answer = wrapped(provider, event, amazon)
    assert answer.status_code < 500
    if sender != provider:
        assert not ProviderEvent.objects.exclude(kind="unknown").exists()


def test_what_the_database_cannot_hold_is_refused(amazon, db):
    event = {**reports.payload("postmark", "hard_bounce"), "MessageID": "\ud800"}
    answer = reports.post("postmark", event)
    assert answer.status_code in (200, 400)  # SQLite and PostgreSQL differ about it


def test_no_word_of_a_report_reaches_the_log_or_the_answer(provider, amazon, sent, caplog):
    told = {"Email": "ana@example.com", "Subject": "Hello Ana", "x": "c0ffee-word"}
    text = json.dumps(told)
    with caplog.at_level(logging.DEBUG):
        answers = [
            reports.post(provider, text, **signed_text(provider, text, amazon)),
            reports.post(provider, text[:-1]),
            reports.post(provider, text, secret="user:c0ffee-secret"),
            wrapped(provider, told, amazon),
        ]
    said = caplog.text + "".join(answer.content.decode() for answer in answers)
    for word in ("ana@", "Ana", "c0ffee"):
        assert word not in said
    assert f"a report of {provider} is refused: wrong secret" in caplog.text


# -- Size and load ----------------------------------------------------------------------------


@pytest.mark.parametrize(("more", "status"), [(0, 200), (1, 413)])
def test_a_long_body_is_not_read(amazon, sent, more, status):
    event = reports.payload("postmark", "hard_bounce")
    rest = webhook_proofs.MOST_BYTES - len(json.dumps({**event, "Content": ""}))
    assert reports.post("postmark", {**event, "Content": "x" * (rest + more)}).status_code == status
    assert kept() == (status == 200)


def test_a_stranger_costs_no_query(provider, event, amazon, django_assert_num_queries):
    with django_assert_num_queries(0):
        reports.deliver(provider, event, amazon, secret="user:wrong")


def test_a_report_costs_one_query(provider, event, amazon, django_assert_num_queries):
    with django_assert_num_queries(1):
        reports.deliver(provider, event, amazon)
    with django_assert_num_queries(1):  # and no more when it is known
        reports.deliver(provider, event, amazon)


def test_a_database_that_is_away_has_the_report_sent_again(amazon, sent, settings, caplog):
    """As the provider sees it: 503, and nothing of the report in the log."""

    def away(*args, **kwargs):
        raise OperationalError("connection to ana@example.com lost")

    with connection.execute_wrapper(away):
        answer = reports.post("postmark", reports.payload("postmark", "hard_bounce"))
    assert answer.status_code == 503
    assert "ana@" not in caplog.text


def test_a_report_about_a_notice_is_written_down_the_same_way(provider, amazon, clinic, now):
    notice = Notice(pk=uuid.uuid4(), provider_message_id="<a-notice@provider>")
    event = reports.about(provider, "hard_bounce", notice, timezone.now())
    assert reports.deliver(provider, event, amazon).status_code == 200
    assert ProviderEvent.objects.get().provider_message_id == "<a-notice@provider>"
