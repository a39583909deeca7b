"""The planner writes down what it moves, and why."""

import pytest

from clinic import enrolment, infusions
from clinic.infusions import InfusionDetails
from clinic.models import Course
from reminders import planning
from reminders.models import Message
from tests.builders import BY_TEST
from tests.reminders.schedules import at

GIVEN = "2026-03-04 14:00"


@pytest.fixture
def given(course: Course, now):
    """The day-after step waits for Thursday, ten o'clock."""
    infusion = infusions.log(
        course, InfusionDetails(started_at=at(GIVEN)), by=BY_TEST, now=at(GIVEN)
    )
    planning.reconcile(course.patient, now=at(GIVEN), by=BY_TEST)
    return infusion


def again(infusion, text):
    planning.reconcile(infusion.course.patient, now=at(text), by=BY_TEST)


def correct(infusion, start, text):
    infusions.correct(infusion, {"started_at": at(start)}, by=BY_TEST, now=at(text))
    again(infusion, text)


def test_what_is_new_has_no_history(given):
    assert given.course.dues.get(step="A1").changes == []
    assert [message.changes for message in Message.objects.filter(follow_up__dues__step="A1")] == [
        []
    ]


def test_a_corrected_infusion_is_the_reason_why_its_due_and_message_moved(given):
    correct(given, "2026-03-03 14:00", "2026-03-04 15:00")
    due = given.course.dues.get(step="A1")
    moved = {line["field"]: line for line in due.changes}
    assert moved["target_at"] == {
        "at": at("2026-03-04 15:00").isoformat(),
        "field": "target_at",
        "before": at("2026-03-05 10:00").isoformat(),
        "after": at("2026-03-04 10:00").isoformat(),
        "reason": "what it is counted from was moved",
    }
    (line,) = [line for line in due.follow_up.messages.get().changes if line["field"] == "due_at"]
    assert line["reason"] == "what it is counted from was moved"


def test_planning_again_adds_no_line(given):
    correct(given, "2026-03-03 14:00", "2026-03-04 15:00")
    before = given.course.dues.get(step="A1").changes
    for minute in (1, 2):
        again(given, f"2026-03-04 15:0{minute}")
    assert given.course.dues.get(step="A1").changes == before


def test_a_message_that_is_not_to_go_says_from_which_state_and_why(given):
    infusions.cancel(given, "entered in error", by=BY_TEST, now=at("2026-03-04 15:00"))
    again(given, "2026-03-04 15:00")
    due = given.course.dues.get(step="A1")
    (ended,) = [line for line in due.changes if line["field"] == "state"]
    assert (ended["before"], ended["after"]) == ("planned", "cancelled")
    assert ended["reason"]
    message = Message.objects.get(follow_up=due.follow_up) if due.follow_up else None
    message = message or Message.objects.exclude(state="scheduled").get()
    assert message.changes[-1]["field"] == "state"
    assert message.changes[-1]["before"] == "scheduled"


def test_a_withdrawal_is_said_in_the_history(given):
    enrolment.withdraw(given.course.patient, by=BY_TEST, now=at("2026-03-04 15:00"))
    again(given, "2026-03-04 15:00")
    for message in Message.objects.all():
        assert message.changes[-1]["after"] == message.state
        assert message.changes[-1]["reason"] == message.reason


def test_a_message_moved_while_it_waits_for_hours_keeps_fifty_lines(given):
    message = Message.objects.get(follow_up__dues__step="A1")
    Message.objects.filter(pk=message.pk).update(
        changes=[
            {"at": "", "field": "due_at", "before": "", "after": str(n), "reason": ""}
            for n in range(50)
        ]
    )
    correct(given, "2026-03-03 14:00", "2026-03-04 15:00")
    message.refresh_from_db()
    assert len(message.changes) == 50
    assert message.changes[-1]["at"] == at("2026-03-04 15:00").isoformat()
