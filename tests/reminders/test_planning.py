"""The reconciler: the database agrees with the plan, and running it twice changes nothing."""

from datetime import datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic import enrolment, infusions
from clinic.infusions import InfusionDetails
from clinic.models import AuditEntry, Course, Infusion, Patient
from reminders import planning
from reminders.models import Message, State, Suppression
from reminders.planning.gathering import gather
from reminders.planning.reconciling import _settle
from reminders.suppression import address_digest, suppress, unsubscribe
from surveys.models import Alert, FollowUp, StepDue
from tests.builders import BY_TEST, course_details, make_course
from tests.reminders.letters import drain_at
from tests.reminders.schedules import at

HOUR = timedelta(hours=1)
PLANNED = Infusion.Status.PLANNED


@pytest.fixture
def planned(course: Course, now: datetime) -> Course:
    """Enrolled on Tuesday, 3 March, nine o'clock in Chicago, and planned once."""
    again(course, now)
    return course


def again(course: Course, now: datetime) -> planning.Changes:
    return planning.reconcile(course.patient, now=now, by=BY_TEST)


def give(course: Course, text: str, **details) -> Infusion:
    """Log an infusion as it starts, and look at the schedule."""
    details.setdefault("started_at", at(text))
    one = infusions.log(course, InfusionDetails(**details), by=BY_TEST, now=at(text))
    again(course, at(text))
    return one


def accept(message: Message, now: datetime) -> None:
    """As the engine settles an accepted message."""
    Message.objects.filter(pk=message.pk).update(
        state=State.ACCEPTED, accepted_at=now, ended_at=now, capped_on=now.date()
    )
    planning.reconcile(message.patient, now=now, by=BY_TEST)


def send(course: Course, step: str, now: datetime) -> Message:
    """The due message of a step goes out."""
    again(course, now)
    message = Message.objects.get(
        follow_up__dues__step=step, state=State.SCHEDULED, due_at__lte=now
    )
    accept(message, now)
    return message


def writes(queries: CaptureQueriesContext) -> list[str]:
    reading = ("SELECT", "BEGIN", "SAVEPOINT", "RELEASE", "COMMIT")
    return [q["sql"] for q in queries if not q["sql"].startswith(reading)]


def assert_settled(course: Course, now: datetime) -> None:
    with CaptureQueriesContext(connection) as queries:
        changes = again(course, now)
    assert not changes.any
    assert writes(queries) == []


def test_enrolment_plans_the_baseline_and_its_invitation(planned, now):
    due = planned.dues.get()
    message = Message.objects.get()
    assert (due.step, due.state, due.target_at) == ("A0", "planned", now)
    assert (message.kind, message.due_at, message.state) == ("invitation", now, "scheduled")
    assert message.follow_up == due.follow_up


def test_planning_twice_writes_nothing(planned, now):
    assert_settled(planned, now)


def test_planning_twice_writes_nothing_while_a_message_waits(planned, now):
    assert_settled(planned, now + timedelta(minutes=3))


def test_planning_twice_writes_nothing_after_a_whole_course(planned):
    for day in (4, 6, 9):
        give(planned, f"2026-03-{day:02} 14:00")
    send(planned, "A1", at("2026-03-10 10:00"))
    again(planned, at("2026-03-10 10:00"))
    assert_settled(planned, at("2026-03-10 10:00"))


def test_an_infusion_plans_the_day_after(planned):
    infusion = give(planned, "2026-03-04 14:00")
    due = planned.dues.get(step="A1")
    assert due.infusion == infusion
    assert due.anchor_at == infusion.started_at
    assert due.target_at == at("2026-03-05 10:00")
    assert due.follow_up.messages.get().due_at == at("2026-03-05 10:00")


def test_an_accepted_invitation_makes_the_due_asked_and_schedules_its_reminder(planned, now):
    message = send(planned, "A0", now)
    assert planned.dues.get().state == "asked"
    reminder = message.follow_up.messages.get(kind="reminder")
    assert (reminder.nth, reminder.due_at) == (1, now + timedelta(days=1))
    again(planned, now)
    assert_settled(planned, now)


def test_only_the_next_message_is_stored(planned, now):
    message = send(planned, "A0", now)
    assert message.follow_up.messages.filter(state=State.SCHEDULED).count() == 1
    accept(message.follow_up.messages.get(nth=1), now + timedelta(days=1))
    assert message.follow_up.messages.get(state=State.SCHEDULED).nth == 2


def test_a_reminder_whose_day_has_passed_ends_and_the_next_takes_its_place(planned, now):
    message = send(planned, "A0", now)
    again(planned, now + timedelta(days=2, hours=-1))
    assert message.follow_up.messages.get(nth=1).state == State.SKIPPED
    assert message.follow_up.messages.get(nth=2).due_at == now + timedelta(days=2)


def test_moving_an_infusion_moves_what_is_not_sent(planned):
    one = give(planned, "2026-03-04 14:00")
    row = planned.dues.get(step="A1")
    later = {"started_at": at("2026-03-03 14:00")}
    infusions.correct(one, later, by=BY_TEST, now=at("2026-03-04 15:00"))
    again(planned, at("2026-03-04 15:00"))
    moved = StepDue.objects.get(pk=row.pk)
    assert moved.target_at == at("2026-03-04 10:00")
    assert moved.follow_up_id == row.follow_up_id  # the row moves with its day
    assert moved.revision == Course.objects.get().revision


def test_a_correction_of_a_day_or_more_withdraws_the_link_that_was_sent(planned):
    one = give(planned, "2026-03-04 14:00")
    sent = send(planned, "A1", at("2026-03-05 10:00"))
    later = {"started_at": at("2026-03-05 14:00")}
    infusions.correct(one, later, by=BY_TEST, now=at("2026-03-05 15:00"))
    again(planned, at("2026-03-05 15:00"))
    due = planned.dues.get(step="A1")
    assert FollowUp.objects.get(pk=sent.follow_up_id).withdrawn_at
    assert due.follow_up_id != sent.follow_up_id
    assert due.follow_up.messages.get().due_at == at("2026-03-06 10:00")
    assert_settled(planned, at("2026-03-05 15:00"))


def test_cancelling_an_infusion_cancels_its_message_with_the_reason(planned):
    one = give(planned, "2026-03-04 14:00")
    infusions.cancel(one, "no show", by=BY_TEST, now=at("2026-03-04 15:00"))
    again(planned, at("2026-03-04 15:00"))
    message = Message.objects.get(due_at=at("2026-03-05 10:00"))
    assert message.state == State.SUPERSEDED
    assert message.reason == "the infusion was cancelled"
    assert planned.dues.get(step="A1").reason == "the infusion was cancelled"


def test_what_a_patient_has_begun_is_not_touched(planned):
    one = give(planned, "2026-03-04 14:00")
    sent = send(planned, "A1", at("2026-03-05 10:00"))
    FollowUp.objects.filter(pk=sent.follow_up_id).update(started_at=at("2026-03-05 10:05"))
    infusions.cancel(one, "no show", by=BY_TEST, now=at("2026-03-05 10:10"))
    again(planned, at("2026-03-05 10:10"))
    due = planned.dues.get(step="A1")
    assert (due.state, due.reason) == ("asked", "begun before: the infusion was cancelled")
    assert due.follow_up.withdrawn_at is None


@pytest.mark.parametrize("end", [enrolment.withdraw, enrolment.mark_deceased])
def test_whoever_is_gone_has_nothing_scheduled(planned, now, end):
    give(planned, "2026-03-04 14:00")
    end(planned.patient, by=BY_TEST, now=at("2026-03-04 16:00"))
    again(planned, at("2026-03-04 16:00"))
    assert not Message.objects.filter(state=State.SCHEDULED).exists()
    assert not FollowUp.objects.filter(withdrawn_at=None).exists()
    assert set(Course.objects.values_list("replan_at", flat=True)) == {None}
    assert_settled(planned, at("2026-03-04 16:00"))


def test_an_unsubscribed_patient_keeps_the_follow_up_for_the_tablet(planned, now):
    give(planned, "2026-03-04 14:00")
    unsubscribe(planned.patient, by=BY_TEST, now=at("2026-03-04 15:00"))
    again(planned, at("2026-03-04 15:00"))
    again(planned, at("2026-03-04 15:00"))
    due = planned.dues.get(step="A1")
    assert due.state == "planned"
    assert due.follow_up.withdrawn_at is None
    assert not Message.objects.filter(state=State.SCHEDULED).exists()
    assert_settled(planned, at("2026-03-04 15:00"))


def test_a_bounced_mailbox_is_known_since_when(planned, now):
    bounced = address_digest(planned.patient.email)
    suppress(planned.patient, bounced, Suppression.Reason.HARD_BOUNCE, now=now)
    facts = planning.facts_of(planned.patient, now=now)
    assert (facts.channel, facts.suspended_since) == ("suspended", now)


def test_a_message_is_made_again_when_the_address_works_again(planned, now):
    give(planned, "2026-03-04 14:00")
    unsubscribe(planned.patient, by=BY_TEST, now=at("2026-03-04 15:00"))
    again(planned, at("2026-03-04 15:00"))
    Suppression.objects.update(lifted_at=at("2026-03-04 16:00"))
    again(planned, at("2026-03-04 16:00"))
    waiting = Message.objects.get(state=State.SCHEDULED)
    assert waiting.due_at == at("2026-03-05 10:00")
    assert waiting.follow_up == planned.dues.get(step="A1").follow_up


def test_a_pause_withdraws_what_waits_and_resuming_brings_it_back(planned, now):
    give(planned, "2026-03-04 14:00")
    enrolment.pause(planned.patient, by=BY_TEST, now=at("2026-03-04 15:00"))
    again(planned, at("2026-03-04 15:00"))
    assert not Message.objects.filter(state=State.SCHEDULED).exists()
    enrolment.resume(planned.patient, by=BY_TEST, now=at("2026-03-04 16:00"))
    again(planned, at("2026-03-04 16:00"))
    assert Message.objects.get(state=State.SCHEDULED).due_at == at("2026-03-05 10:00")


def test_an_open_alert_holds_reminders(planned, now):
    send(planned, "A0", now)
    Alert.objects.create(
        clinic=planned.patient.clinic, patient=planned.patient, reference="7F3K-21",
        level="review", rule="suicide 1", trigger="9=1", raised_at=now,
    )  # fmt: skip
    again(planned, now + HOUR)
    assert not Message.objects.filter(state=State.SCHEDULED).exists()


def test_a_message_on_its_way_is_left_alone(planned, now):
    message = Message.objects.get()
    lease = {"lease_token": message.pk, "lease_until": now + HOUR}
    Message.objects.update(state=State.SENDING, capped_on=now.date(), **lease)
    again(planned, now)
    assert Message.objects.get(pk=message.pk).state == State.SENDING
    assert planned.dues.get().state == "asked"


def test_a_claimed_message_that_must_wait_goes_back(planned, now):
    Message.objects.update(state=State.CLAIMED, lease_token=planned.pk, lease_until=now + HOUR)
    Patient.objects.update(zone="Pacific/Honolulu")  # five in the morning
    again(planned, now)
    message = Message.objects.get()
    assert (message.state, message.due_at) == (State.SCHEDULED, now + 3 * HOUR)
    assert message.lease_token is None


def test_a_reminder_left_out_in_a_pause_goes_when_the_pause_ends_in_time(planned, now):
    message = send(planned, "A0", now)
    for act in (enrolment.pause, enrolment.resume):
        act(planned.patient, by=BY_TEST, now=now + HOUR)
        again(planned, now + HOUR)
        reminder = message.follow_up.messages.get(kind="reminder", nth=1)
        assert (reminder.state == State.SKIPPED) is (act is enrolment.pause)
    assert (reminder.state, reminder.due_at) == (State.SCHEDULED, now + timedelta(days=1))
    assert reminder.ended_at is None
    assert_settled(planned, now + HOUR)


def test_a_reminder_left_out_stays_out_when_its_day_has_passed(planned, now):
    message = send(planned, "A0", now)
    enrolment.pause(planned.patient, by=BY_TEST, now=now + HOUR)
    again(planned, now + HOUR)
    enrolment.resume(planned.patient, by=BY_TEST, now=now + timedelta(days=2, hours=-3))
    again(planned, now + timedelta(days=2, hours=-3))
    assert message.follow_up.messages.get(nth=1).state == State.SKIPPED
    assert message.follow_up.messages.get(nth=2).state == State.SCHEDULED


def test_a_claimed_message_that_may_go_stays_claimed(planned, now):
    Message.objects.update(state=State.CLAIMED, lease_token=planned.pk, lease_until=now + HOUR)
    Course.objects.all().touch(now)
    again(planned, now)
    assert Message.objects.get().state == State.CLAIMED


def test_the_schedule_says_when_to_look_again(planned, now):
    course = Course.objects.get()
    assert course.replan_at is not None
    assert course.replan_at > now
    assert planning.lagging(now=now) == []
    assert planning.lagging(now=course.replan_at) == [course.patient]


def test_facts_that_changed_meanwhile_are_not_forgotten(planned, now):
    """The revision it read is the only one it may declare planned."""
    stale = Course.objects.get()
    Course.objects.all().touch(now)
    _settle(stale, now + 900 * HOUR, now)
    assert Course.objects.get().replan_at == now


def test_a_look_asked_for_meanwhile_is_not_forgotten(planned, now):
    stale = Course.objects.get()
    Course.objects.all().look_again(now)
    _settle(stale, now + 900 * HOUR, now)
    assert Course.objects.get().replan_at == now


def test_a_sooner_look_stays(planned, now):
    course = Course.objects.get()
    soon = course.replan_at
    for later in (soon + HOUR, soon):
        _settle(course, later, now)
        assert Course.objects.get().replan_at == soon
    _settle(course, soon + HOUR, soon)  # its time has come
    assert Course.objects.get().replan_at == soon + HOUR


def test_many_patients_are_read_with_as_few_queries_as_one(clinic, now):
    """What each costs is its own plan and its own writes."""
    patients = [
        make_course(clinic, now=now, name=f"P {n}", mrn=f"{n}", email=f"{n}@e.example").patient
        for n in range(9)
    ]
    counted = []
    for some in (patients[:1], patients):
        with CaptureQueriesContext(connection) as queries:
            gather(some, now=now)
        counted.append(len(queries))
    assert counted[0] == counted[1] <= 12


def test_lagging_patients_are_looked_at_once_each(course, now):
    enrolment.open_course(
        course.patient, course_details(protocol="chronic-pain"), by=BY_TEST, now=now
    )
    assert planning.reconcile_lagging(now=now) == 1
    assert planning.reconcile_lagging(now=now) == 0


def test_a_patient_who_cannot_be_planned_does_not_hold_up_the_others(course, other_clinic, now):
    broken = make_course(other_clinic, now=now, mrn="MRN-9", email="b@example.com")
    Patient.objects.filter(pk=broken.patient_id).update(zone="Mars/Olympus")
    assert planning.reconcile_lagging(now=now) == 2
    assert course.dues.exists()
    assert Course.objects.get(pk=broken.pk).replan_at == now + timedelta(minutes=15)


def test_two_courses_of_a_patient_share_a_follow_up(planned, now):
    given = course_details(protocol="chronic-pain")
    second = enrolment.open_course(planned.patient, given, by=BY_TEST, now=now)
    again(planned, now)
    assert planned.dues.get().follow_up == second.dues.get(step="B0").follow_up
    assert Message.objects.count() == 1


def test_item_nine_is_left_out_until_somebody_answers_for_it(planned):
    assert "phq8" in planned.dues.get().instruments


def test_every_change_is_in_the_audit(planned):
    give(planned, "2026-03-04 14:00")
    entry = AuditEntry.objects.filter(action="plan follow-ups").latest("pk")
    assert entry.patient == planned.patient
    assert "target_at" in entry.fields


def test_the_screens_see_further_than_the_database(planned, now):
    give(planned, "2026-03-04 14:00")
    enrolment.close_course(planned, "over", by=BY_TEST, now=at("2026-03-04 15:00"))
    shown = planning.plan_for_display(planned.patient, now=at("2026-03-04 15:00"))
    again(planned, at("2026-03-04 15:00"))
    assert {"A5", "A6"} <= {due.key.step for due in shown.dues}
    assert not planned.dues.filter(step="A6").exists()


def test_the_number_of_queries_does_not_grow_with_the_history(planned):
    for day in range(4, 14):
        give(planned, f"2026-03-{day:02} 14:00")
    with CaptureQueriesContext(connection) as queries:
        planning.plan_for_display(planned.patient, now=at("2026-03-13 15:00"))
    assert len(queries) <= 14


def test_what_is_not_sent_on_its_day_is_planned_again_before_it_goes(staffed, course, mailoutbox):
    """A Thursday missed: item 9 is not asked on Friday, when nobody reads it on the next day.

    No tick has run. A4 stands on 26 March and is open until 5 April.
    """
    infusions.log(
        course, InfusionDetails(started_at=at("2026-03-05 14:00")), by=BY_TEST,
        now=at("2026-03-05 14:00"),
    )  # fmt: skip
    enrolment.close_course(course, "over", by=BY_TEST, now=at("2026-03-20 12:00"))
    again(course, at("2026-03-20 12:00"))
    assert Message.objects.get(follow_up__dues__step="A4").due_at == at("2026-03-26 09:00")
    drain_at(at("2026-03-27 10:00"))
    assert mailoutbox == []
    assert Message.objects.get(follow_up__dues__step="A4").due_at == at("2026-03-30 08:00")


def test_every_schedule_can_be_looked_at_again_at_once(planned, now, capsys):
    call_command("replan")
    assert capsys.readouterr().out.startswith("1 courses")
    at_once = Course.objects.get().replan_at
    assert planning.lagging(now=at_once) == [planned.patient]
