"""Three soft bounces of three messages to one address within thirty days pause it."""

import itertools
import uuid
from datetime import timedelta

import pytest

from clinic.models import AuditEntry, Course
from dashboards.queries.reaching import unreachable
from reminders import delivery, soft_bounces, suppression
from reminders.models import Attempt, Message, ProviderEvent, State, Suppression
from reminders.suppression import address_digest
from tests.builders import BY_TEST
from tests.reminders.letters import HOUR, make_message
from tests.surveys.follow_ups import make_follow_up

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
ANA = "ana@example.com"


def send(course, at, to=ANA, **changes) -> Message:
    """A message that a provider took at this moment."""
    follow_up = make_follow_up(course, ["phq8"], now=at)
    message = make_message(
        course, now=at, follow_up=follow_up, state=State.ACCEPTED, accepted_at=at, **changes
    )
    Attempt.objects.create(
        message=message, n=1, started_at=at, outcome=Attempt.Outcome.ACCEPTED, lane="postmark",
        idempotency_key=uuid.uuid4(), template_version="x",
        inputs={"address": address_digest(to)},
    )  # fmt: skip
    return message


def report(message, kind="SoftBounce", after=HOUR, record="Bounce", **changes) -> ProviderEvent:
    at = message.accepted_at + after
    return ProviderEvent.objects.create(
        provider="postmark", dedupe_key=uuid.uuid4().hex, kind="bounced",
        message_ref=str(message.pk), occurred_at=at, received_at=at, try_after=at,
        payload={"recordtype": record, "type": kind}, **changes,
    )  # fmt: skip


def apply_at(now) -> None:
    delivery.drain_events(clock=lambda: now)


def pauses() -> list[Suppression]:
    return list(Suppression.objects.filter(reason=Suppression.Reason.SOFT_BOUNCES))


def test_two_do_nothing_and_the_third_pauses_the_address(course, now):
    for n in range(2):
        report(send(course, now + n * DAY))
    apply_at(now + 5 * DAY)
    assert not pauses()
    third = send(course, now + 3 * DAY)
    report(third)
    apply_at(now + 5 * DAY)
    (pause,) = pauses()
    assert pause.address_digest == address_digest(ANA)
    assert pause.since == third.accepted_at


def test_what_waits_is_stopped_in_the_same_moment_and_staff_see_it(course, now):
    waiting = send(course, now + 4 * DAY)
    Message.objects.filter(pk=waiting.pk).update(state=State.SCHEDULED, accepted_at=None)
    Course.objects.update(replan_at=None)
    for n in range(3):
        report(send(course, now + n * DAY))
    apply_at(now + 5 * DAY)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.reason) == (State.SUPPRESSED, "soft_bounces")
    assert unreachable(course.patient) == "bounced"
    entry = AuditEntry.objects.get(action="suppress address")
    assert (entry.actor, entry.patient) == ("system", course.patient)
    assert Course.objects.get().replan_at == now + 5 * DAY


@pytest.mark.parametrize(
    ("apart", "paused"),
    [(15 * DAY, True), (15 * DAY + SECOND, False)],
    ids=["thirty days", "a second more"],
)
def test_thirty_days_is_counted_between_the_first_and_the_third_sending(course, now, apart, paused):
    for n in range(3):
        report(send(course, now + n * apart))
    apply_at(now + 90 * DAY)
    assert bool(pauses()) is paused


def test_any_thirty_days_count_not_only_the_last(course, now):
    for days in (0, 100, 105, 110, 200):
        report(send(course, now + days * DAY))
    apply_at(now + 300 * DAY)
    (pause,) = pauses()
    assert pause.since == now + 110 * DAY


def test_one_message_counts_once_however_often_it_is_reported(course, now):
    message = send(course, now)
    for n in range(5):
        report(message, after=n * HOUR)
    report(send(course, now + DAY))
    apply_at(now + 5 * DAY)
    assert not pauses()


def test_what_arrives_in_between_resets_nothing(course, now):
    for n in range(3):
        report(send(course, now + 2 * n * DAY))
        arrived = send(course, now + (2 * n + 1) * DAY)
        report(arrived, kind="", record="Delivery")
    apply_at(now + 9 * DAY)
    assert len(pauses()) == 1


def test_a_mail_that_the_provider_still_tries_is_no_soft_bounce(course, now):
    for n in range(3):
        report(send(course, now + n * DAY), kind="Transient")
    apply_at(now + 5 * DAY)
    assert not pauses()


def test_three_addresses_are_not_one(course, now):
    for n in range(3):
        report(send(course, now + n * DAY, to=f"ana{n}@example.com"))
    apply_at(now + 5 * DAY)
    assert not pauses()


def test_an_old_address_does_not_pause_the_new_one(course, now):
    for n in range(3):
        report(send(course, now + n * DAY))
    course.patient.email = "new@example.com"
    course.patient.save()
    apply_at(now + 5 * DAY)
    assert len(pauses()) == 1
    assert suppression.why_not(course.patient) == ""


def test_after_staff_lifted_it_the_counting_begins_anew(course, now):
    for n in range(3):
        report(send(course, now + n * DAY))
    late = send(course, now + 3 * DAY)  # its bounce is heard of long after
    apply_at(now + 4 * DAY)
    suppression.lift(pauses()[0], by=BY_TEST, now=now + 4 * DAY)
    report(late, after=2 * DAY)
    for n in (5, 6):
        report(send(course, now + n * DAY))
    apply_at(now + 7 * DAY)
    assert suppression.why_not(course.patient) == ""
    report(send(course, now + 7 * DAY))
    apply_at(now + 8 * DAY)
    assert suppression.why_not(course.patient) == "soft_bounces"
    assert len(pauses()) == 2


def test_the_order_of_the_reports_does_not_matter(course, now):
    messages = [send(course, now + n * DAY) for n in range(4)]
    ends = set()
    for order in itertools.permutations(messages):
        Suppression.objects.all().delete()
        Message.objects.update(delivery="")
        for message in order:
            report(message)
            apply_at(now + 9 * DAY)
        ends.add(tuple((pause.address_digest, pause.since) for pause in pauses()))
    assert ends == {((address_digest(ANA), messages[2].accepted_at),)}


def test_a_hard_bounce_does_not_wait_for_three(course, now):
    report(send(course, now), kind="HardBounce")
    apply_at(now + DAY)
    assert Suppression.objects.get().reason == Suppression.Reason.HARD_BOUNCE


def test_the_numbers_are_those_of_the_decision():
    assert (soft_bounces.ENOUGH, timedelta(days=30)) == (3, soft_bounces.WITHIN)
