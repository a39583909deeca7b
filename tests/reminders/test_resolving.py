"""A person decides about a message of which nobody knows whether it arrived."""

from datetime import timedelta

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied

from clinic import enrolment
from clinic.actors import member_actor, system
from clinic.models import AuditEntry, Course, Patient
from clinic.refusals import Refused
from reminders import planning, resolving, settling
from reminders.models import Attempt, Message, State, Suppression
from reminders.outcomes import never_called
from reminders.resolving import Decided, Obstacle, confirm_sent, send_again
from reminders.suppression import address_digest, suppress
from surveys.models import FollowUp, StepDue
from tests.builders import BY_TEST, make_member
from tests.reminders.letters import HOUR, drain_at, intended, prepared_at, send_prepared
from tests.reminders.schedules import at
from tests.reminders.test_delivery_evidence import DELIVERED, apply_at, report


def make_unknown(message: Message, now) -> Message:
    """As the engine leaves a call that was not answered."""
    Attempt.objects.create(
        message=message, n=1, started_at=now, ended_at=now, outcome="unknown", error="ReadTimeout",
        lane="smtp", idempotency_key=message.pk, template_version="1",
    )  # fmt: skip
    Message.objects.filter(pk=message.pk).update(
        state=State.UNKNOWN, capped_on=now.astimezone(message.patient.tz).date(), claims=1
    )
    message.refresh_from_db()
    StepDue.objects.filter(follow_up=message.follow_up_id).update(state=StepDue.State.ASKED)
    planning.reconcile(message.patient, now=now, by=BY_TEST)
    return message


@pytest.fixture
def unknown(course: Course, now) -> Message:
    """The baseline's invitation: nobody knows whether it arrived. Its reminder is planned."""
    planning.reconcile(course.patient, now=now, by=BY_TEST)
    return make_unknown(Message.objects.get(), now)


@pytest.fixture
def by(coordinator):
    return member_actor(coordinator)


def reread(message: Message) -> Message:
    return Message.objects.get(pk=message.pk)


def outcomes(message: Message) -> list[str]:
    return list(message.attempt_rows.order_by("n").values_list("outcome", flat=True))


# -- It was sent ---------------------------------------------------------------------------------


def test_it_was_sent_ends_it_as_accepted_when_the_call_was_made(unknown, by, now):
    confirm_sent(unknown, by=by, now=now + HOUR)
    message = reread(unknown)
    assert (message.state, message.accepted_at, message.delivery) == ("accepted", now, "")
    assert outcomes(message) == ["accepted"]


def test_what_was_decided_stands_in_the_audit_and_in_its_history(unknown, by, now, coordinator):
    confirm_sent(unknown, by=by, now=now + HOUR)
    entry = AuditEntry.objects.get(action="confirm sent")
    assert (entry.member, entry.object_id) == (coordinator, str(unknown.pk))
    line = reread(unknown).changes[-1]
    assert (line["before"], line["after"]) == ("unknown", "accepted")


def test_it_was_sent_keeps_what_the_provider_reported(unknown, by, now):
    Message.objects.filter(pk=unknown.pk).update(delivery="deferred")
    confirm_sent(unknown, by=by, now=now + HOUR)
    assert reread(unknown).delivery == "deferred"


def test_it_was_sent_leaves_the_reminder_on_its_day(unknown, by, now):
    confirm_sent(unknown, by=by, now=now + HOUR)
    planning.reconcile(unknown.patient, now=now + HOUR, by=BY_TEST)
    reminder = unknown.follow_up.messages.get(kind="reminder")
    assert (reminder.state, reminder.due_at) == ("scheduled", now + timedelta(days=1))


# -- Send again ----------------------------------------------------------------------------------


def test_send_again_gives_up_the_old_call_and_waits_once_more(unknown, by, now, coordinator):
    send_again(unknown, by=by, now=now + HOUR)
    message = reread(unknown)
    assert (message.state, message.due_at) == ("scheduled", now + HOUR)
    assert (message.requested_by, message.asked_for) == (coordinator, False)
    assert outcomes(message) == ["abandoned"]


def test_the_day_on_which_it_may_have_gone_stays_used_up(unknown, by, now):
    send_again(unknown, by=by, now=now + HOUR)
    assert reread(unknown).capped_on == now.date()


def test_it_goes_once_more_on_the_same_day_and_no_third_time(unknown, by, now):
    send_again(unknown, by=by, now=now + HOUR)
    assert drain_at(now + HOUR) == 1
    assert drain_at(now + 2 * HOUR) == 0
    message = reread(unknown)
    assert (message.state, outcomes(message)) == ("accepted", ["abandoned", "accepted"])
    assert len(mail.outbox) == 1


def test_planning_leaves_what_was_sent_again_and_its_reminder_alone(unknown, by, now):
    send_again(unknown, by=by, now=now + HOUR)
    planning.reconcile(unknown.patient, now=now + HOUR, by=BY_TEST)
    states = dict(unknown.follow_up.messages.values_list("kind", "state"))
    assert states == {"invitation": "scheduled", "reminder": "scheduled"}
    assert unknown.follow_up.dues.get().state == "asked"


def test_the_reminder_follows_the_day_on_which_it_went_again(unknown, by, now):
    tomorrow = now + timedelta(hours=23)
    send_again(unknown, by=by, now=tomorrow)
    drain_at(tomorrow)
    planning.reconcile(unknown.patient, now=tomorrow, by=BY_TEST)
    reminder = unknown.follow_up.messages.get(kind="reminder", state="scheduled")
    assert reminder.due_at.date() == (tomorrow + timedelta(days=1)).date()


def test_what_is_answered_before_it_goes_is_not_mailed(unknown, by, now):
    send_again(unknown, by=by, now=now + HOUR)
    FollowUp.objects.update(finished_at=now + HOUR)
    drain_at(now + HOUR)
    assert reread(unknown).state == "cancelled"
    assert mail.outbox == []


def test_what_was_withdrawn_before_it_goes_is_not_mailed(unknown, by, now):
    send_again(unknown, by=by, now=now + HOUR)
    enrolment.withdraw(unknown.patient, by=BY_TEST, now=now + HOUR)
    drain_at(now + HOUR)
    assert reread(unknown).state not in ("accepted", "scheduled")
    assert mail.outbox == []


def test_in_quiet_hours_it_waits_for_the_morning(unknown, by):
    night = at("2026-03-03 22:00")
    send_again(unknown, by=by, now=night)
    drain_at(night)
    message = reread(unknown)
    assert (message.state, message.due_at) == ("scheduled", at("2026-03-04 08:00"))


def test_at_once_passes_quiet_hours(unknown, by):
    night = at("2026-03-03 22:00")
    send_again(unknown, by=by, now=night, at_once=True)
    planning.reconcile(unknown.patient, now=night, by=BY_TEST)
    assert drain_at(night) == 1
    assert reread(unknown).state == "accepted"


def test_an_ended_second_try_does_not_have_the_planner_write_a_third(unknown, by, now):
    send_again(unknown, by=by, now=now + HOUR)
    Message.objects.filter(pk=unknown.pk).update(state=State.EXPIRED, ended_at=now + HOUR)
    planning.reconcile(unknown.patient, now=now + HOUR, by=BY_TEST)
    assert Message.objects.filter(kind="invitation").count() == 1
    assert unknown.follow_up.dues.get().state == "asked"


def test_a_reminder_of_yesterday_goes_again_only_knowingly(unknown, by, now):
    reminder = unknown.follow_up.messages.get(kind="reminder")
    make_unknown(reminder, reminder.due_at)
    next_day = reminder.due_at + timedelta(days=1)
    with pytest.raises(Refused, match="Too little"):
        send_again(reminder, by=by, now=next_day)
    send_again(reminder, by=by, now=next_day, at_once=True)
    planning.reconcile(reminder.patient, now=next_day, by=BY_TEST)
    drain_at(next_day)
    assert reread(reminder).state == "accepted"


# -- What is pointless ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda m, now: FollowUp.objects.update(finished_at=now), "has been answered"),
        (lambda m, now: FollowUp.objects.update(started_at=now), "begun to answer"),
        (lambda m, now: FollowUp.objects.update(withdrawn_at=now), "closed"),
        (lambda m, now: FollowUp.objects.update(closes_at=now + HOUR), "closed"),
        (lambda m, now: Patient.objects.update(status="deceased"), "ended"),
        (lambda m, now: Patient.objects.update(email=""), "no e-mail address"),
        (
            lambda m, now: suppress(
                m.patient,
                address_digest(m.patient.email),
                Suppression.Reason.HARD_BOUNCE,
                now=now,
            ),
            "not written to",
        ),
    ],
    ids=["answered", "begun", "withdrawn", "closed", "deceased", "no address", "suppressed"],
)
def test_what_would_do_nothing_is_refused_in_a_sentence(unknown, by, now, spoil, said):
    spoil(unknown, now)
    with pytest.raises(Refused, match=said):
        send_again(unknown, by=by, now=now + HOUR)
    assert (reread(unknown).state, outcomes(unknown)) == ("unknown", ["unknown"])


def test_at_the_last_instant_it_may_go_it_still_goes(unknown, by):
    send_again(unknown, by=by, now=unknown.not_after)
    assert reread(unknown).state == "scheduled"


def test_an_instant_later_only_knowingly(unknown, by):
    late = unknown.not_after + timedelta(microseconds=1)
    with pytest.raises(Refused, match="Too little"):
        send_again(unknown, by=by, now=late)
    send_again(unknown, by=by, now=late, at_once=True)
    assert reread(unknown).not_after == unknown.follow_up.closes_at


# -- What is in the way --------------------------------------------------------------------------


def test_nothing_is_in_the_way_in_the_morning(unknown, now):
    assert resolving.in_the_way(unknown, now=now + HOUR).found == ()


def test_quiet_hours_are_in_the_way_until_they_end(unknown):
    found = resolving.in_the_way(unknown, now=at("2026-03-03 21:00"))
    assert (found.found, found.until) == ((Obstacle.QUIET,), at("2026-03-04 08:00"))


def test_another_message_of_the_day_a_pause_and_the_days_are_in_the_way(unknown, course, now):
    other = unknown.follow_up.messages.get(kind="reminder")
    Message.objects.filter(pk=other.pk).update(capped_on=at("2026-03-05 09:00").date())
    Patient.objects.update(status="paused", allowed_days=[0])
    message = Message.objects.select_related("patient__clinic").get(pk=unknown.pk)
    found = resolving.in_the_way(message, now=at("2026-03-05 09:00"))
    assert found.found == (Obstacle.PAUSED, Obstacle.DAY, Obstacle.CAP)


def test_nothing_but_time_is_in_the_way_of_what_was_asked_for(unknown):
    unknown.asked_for = True
    assert resolving.in_the_way(unknown, now=at("2026-03-03 23:00")).found == ()


# -- Twice, at once, or overtaken ----------------------------------------------------------------


@pytest.mark.parametrize("first", [confirm_sent, send_again])
@pytest.mark.parametrize("second", [confirm_sent, send_again])
def test_of_two_who_press_the_second_is_told_and_changes_nothing(unknown, by, now, first, second):
    first(unknown, by=by, now=now + HOUR)
    before = Message.objects.values().get(pk=unknown.pk)
    with pytest.raises(Decided, match="Nothing was changed"):
        second(unknown, by=by, now=now + HOUR)
    assert Message.objects.values().get(pk=unknown.pk) == before
    assert AuditEntry.objects.filter(action__in=["confirm sent", "send again"]).count() == 1


@pytest.mark.parametrize("press", [confirm_sent, send_again])
def test_the_providers_word_between_page_and_press_wins(unknown, by, now, press):
    settling.accept_on_evidence(unknown, provider_message_id="p-1", now=now)
    with pytest.raises(Decided, match="it is known by now"):
        press(unknown, by=by, now=now + HOUR)
    assert drain_at(now + HOUR) == 0


# -- Who -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("press", [confirm_sent, send_again])
def test_a_viewer_another_clinic_and_the_system_may_not(unknown, viewer, other_clinic, now, press):
    stranger = make_member(other_clinic, viewer.Role.ADMIN, now=now, email="x@south.example")
    for actor in (member_actor(viewer), member_actor(stranger), system("never by itself")):
        with pytest.raises(PermissionDenied):
            press(unknown, by=actor, now=now + HOUR)
    assert reread(unknown).state == "unknown"


@pytest.mark.parametrize("claimed", [False, True], ids=["waiting", "claimed"])
def test_the_providers_word_on_the_given_up_call_stops_the_second_try(unknown, by, now, claimed):
    """It may wait all night for quiet hours to end, and the report comes meanwhile."""
    send_again(unknown, by=by, now=now)
    batch = prepared_at(now) if claimed else []
    report(unknown, DELIVERED, now)
    apply_at(now)
    send_prepared(batch, now=now)
    drain_at(now)
    assert reread(unknown).state == State.ACCEPTED
    assert outcomes(unknown) == ["accepted"]
    assert not mail.outbox


def test_a_second_try_that_came_to_nothing_leaves_the_day_used_up(unknown, by, now, settings):
    day = reread(unknown).capped_on
    send_again(unknown, by=by, now=now)
    intent = intended(reread(unknown), now)
    settling.settle(intent.call, never_called("held up"), now=now)
    assert (reread(unknown).state, reread(unknown).capped_on) == (State.SCHEDULED, day)


def test_the_planner_counts_a_second_try_as_asked(unknown, by, now):
    send_again(unknown, by=by, now=now + HOUR)
    facts = planning.facts_of(unknown.patient, now=now + HOUR)
    assert facts.follow_ups[str(unknown.follow_up_id)].asked
    assert [sent.on for sent in facts.sent] == [now.date()]
