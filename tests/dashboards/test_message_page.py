"""One message's page tells its whole story in words."""

import html
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinic import enrolment, infusions
from clinic.actors import member_actor
from clinic.infusions import InfusionDetails
from clinic.models import Course
from reminders import planning
from reminders.models import Attempt, Message, ProviderEvent, State
from surveys.models import FollowUp
from tests.builders import BY_TEST
from tests.reminders.letters import HOUR, make_message
from tests.reminders.schedules import at

GIVEN = at("2026-03-04 14:00")


def body(response) -> str:
    return " ".join(html.unescape(response.content.decode()).split())


@pytest.fixture
def story(course: Course) -> Message:
    """The day-after check-in of infusion 1, planned for Thursday at ten."""
    infusions.log(course, InfusionDetails(started_at=GIVEN), by=BY_TEST, now=GIVEN)
    planning.reconcile(course.patient, now=GIVEN, by=BY_TEST)
    return Message.objects.get(follow_up__dues__step="A1")


@pytest.fixture
def page(desk_of, coordinator, clock):
    def look(message: Message, when) -> str:
        clock.move_to(when)
        client = desk_of(coordinator)
        return body(client.get(reverse("dashboards:message", args=[message.pk])))

    return look


def attempt(message: Message, n: int, now, **changes) -> Attempt:
    defaults = {
        "message": message, "n": n, "started_at": now, "ended_at": now, "outcome": "accepted",
        "lane": "postmark", "idempotency_key": message.pk, "template_version": "1",
    }  # fmt: skip
    return Attempt.objects.create(**{**defaults, **changes})


def event(message: Message, kind: str, outcome: str, now, key: str = "k") -> ProviderEvent:
    return ProviderEvent.objects.create(
        provider="postmark", dedupe_key=f"{kind}{key}", kind=kind, message_ref=str(message.pk),
        occurred_at=now, received_at=now, try_after=now, applied_at=now, outcome=outcome,
    )  # fmt: skip


def test_why_this_email_the_rule_the_anchor_the_zone_and_the_window(story, page):
    said = page(story, GIVEN + HOUR)
    assert "It is to be sent on Thu 5 Mar, 10:00." in said
    assert "Day after" in said
    assert "1 day after each infusion, at 10:00" in said
    assert "Infusion 1, 4 Mar 2026, 14:00" in said
    assert "America/Chicago" in said
    assert "5 Mar, 10:00 – 6 Mar, 22:00" in said
    assert "Quiet hours" in said
    assert "21:00–08:00" in said
    assert "every day" in said


def test_the_times_of_why_are_the_patients_own(story, page):
    enrolment.change_details(
        story.patient, {"zone": "America/New_York"}, by=BY_TEST, now=GIVEN + HOUR
    )
    planning.reconcile(story.patient, now=GIVEN + HOUR, by=BY_TEST)
    said = page(Message.objects.get(follow_up__dues__step="A1"), GIVEN + 2 * HOUR)
    assert 'Thu 5 Mar 2026, 10:00 <span class="quiet">America/New_York' in said
    assert "It is to be sent on Thu 5 Mar, 09:00." in said  # on the clinic's clock


def test_a_later_change_stands_with_time_from_to_reason_and_who(story, page, coordinator):
    infusion = story.patient.courses.get().infusions.get()
    when = at("2026-03-04 16:00")
    infusions.correct(
        infusion, {"started_at": at("2026-03-03 14:00")}, by=member_actor(coordinator), now=when
    )
    planning.reconcile(story.patient, now=when, by=member_actor(coordinator))
    said = page(story, when + HOUR)
    assert "The e-mail: the time of sending" in said
    assert "The check-in: the time the rule gives" in said
    assert "5 Mar, 10:00</span> → " in said
    assert "What it is counted from was moved" in said
    assert "Infusion corrected: started at" in said
    assert coordinator.user.name in said


def test_nothing_changed_is_said(course, page, now):
    planning.reconcile(course.patient, now=now, by=BY_TEST)
    message = Message.objects.get()
    Message.objects.update(created_at=now + timedelta(minutes=1))
    assert "It stands as it was first planned." in page(message, now + HOUR)


def test_the_life_of_a_message_from_call_to_answer(story, page):
    sent = at("2026-03-05 10:00")
    attempt(story, 1, sent, outcome="not_sent", error="AnymailRequestsAPIError 503")
    attempt(story, 2, sent + timedelta(minutes=1))
    event(story, "delivered", "delivered", sent + timedelta(minutes=2))
    Message.objects.filter(pk=story.pk).update(
        state=State.ACCEPTED, accepted_at=sent + timedelta(minutes=1), delivery="delivered",
        delivered_at=sent + timedelta(minutes=2),
    )  # fmt: skip
    FollowUp.objects.filter(pk=story.follow_up_id).update(
        started_at=sent + HOUR, finished_at=sent + 2 * HOUR
    )
    said = page(story, sent + 3 * HOUR)
    assert "Sent on Thu 5 Mar 2026, 10:01, delivered 5 Mar, 10:02." in said
    assert "The check-in was answered 5 Mar, 12:00." in said
    life = said[said.index('id="life"') : said.index('id="why"')]
    wanted = [
        "Planned",
        "Handed to the mail provider: not sent",
        "The mail provider reported a fault of its own (postmark, AnymailRequestsAPIError 503)",
        "Handed to the mail provider: the provider took it",
        "The provider reported: delivered to the mailbox",
        "The patient began to answer",
        "The patient sent the answers",
    ]
    places = [life.index(words) for words in wanted]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"state": "scheduled"}, "It is to be sent on"),
        ({"state": "unknown", "reason": "worker lost"}, "our own sending was interrupted"),
        ({"state": "accepted", "delivery": "bounced"}, "and it bounced: it did not arrive."),
        ({"state": "accepted", "delivery": "soft_bounced"}, "the mailbox is full or away."),
        ({"state": "accepted", "delivery": "complained"}, "marked as spam"),
        ({"state": "accepted"}, "nothing was reported since."),
        ({"state": "rejected", "reason": "SMTPRecipientsRefused 550"}, "It did not arrive: the"),
        ({"state": "failed", "reason": "AnymailSerializationError"}, "It could not be sent"),
        ({"state": "cancelled", "reason": "answered"}, "It was not sent: answered before it went"),
        ({"state": "expired", "reason": "missed"}, "It was not sent: its time had passed"),
        ({"state": "suppressed", "reason": "unsubscribed"}, "the patient unsubscribed"),
        ({"state": "skipped", "reason": "no e-mail address"}, "there is no e-mail address"),
        ({"state": "superseded", "reason": "a new reason"}, "It was not sent: a new reason"),
    ],
)
def test_each_end_has_its_sentence(course, page, now, columns, said):
    times = {"ended_at": now} if columns["state"] != "scheduled" else {}
    times |= {"accepted_at": now} if columns["state"] == "accepted" else {}
    message = make_message(course, now=now, **columns, **times)
    assert said in page(message, now + HOUR)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "The check-in is open until"),
        ({"started_at": True}, "has not finished"),
        ({"closes_at": True}, "The check-in closed without an answer."),
    ],
)
def test_how_the_check_in_stands_is_said_too(course, page, now, change, said):
    message = make_message(course, now=now)
    FollowUp.objects.update(**dict.fromkeys(change, now + HOUR))
    assert said in page(message, now + HOUR)


def test_an_unclear_one_offers_both_buttons_and_a_viewer_none(course, page, now, desk_of, viewer):
    message = make_message(course, now=now, state="unknown")
    said = page(message, now + HOUR)
    assert reverse("dashboards:confirm-sent", args=[message.pk]) in said
    assert reverse("dashboards:send-again", args=[message.pk]) in said
    address = reverse("dashboards:message", args=[message.pk])
    theirs = body(desk_of(viewer).get(address))
    assert "It was sent" not in theirs
    assert "Send again" not in theirs


def test_no_score_no_answer_and_no_alert_stands_on_it(treated, desk_of, admin, later):
    message = make_message(treated, now=later)
    said = body(desk_of(admin).get(reverse("dashboards:message", args=[message.pk])))
    assert not {"severe", "moderate", "Open alert", "baseline 18"} & set(said.split("|"))
    assert "alert" not in said.casefold().replace("/alerts/", "").replace(">alerts<", "")


def test_what_the_patient_did_to_answer_is_not_told_by_item(story, page):
    """The audit trail has an entry for each answer; the story of an e-mail does not."""
    said = page(story, GIVEN + HOUR)
    assert "answer changed" not in said


def test_its_queries_do_not_grow_with_its_history(story, desk_of, coordinator, clock):
    clock.move_to(GIVEN + HOUR)
    client, address = desk_of(coordinator), reverse("dashboards:message", args=[story.pk])
    client.get(address)
    few = _queries(client, address)
    for n in range(1, 30):
        attempt(story, n, GIVEN, outcome="not_sent", error="x")
        event(story, "deferred", "deferred", GIVEN, key=str(n))
        enrolment.pause(story.patient, by=BY_TEST, now=GIVEN, until=GIVEN + timedelta(days=n))
    assert _queries(client, address) == few


def _queries(client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        client.get(address)
    return len(captured)
