"""One row that cannot be worked with, or a database that stumbles, must not stop the others."""

from datetime import timedelta

import pytest
from django.db import OperationalError

from clinic.models import Course, Definition
from reminders import intending, planning, settling, ticking
from reminders.models import Attempt, Notice, State
from tests.builders import make_course
from tests.reminders.letters import drain_at, intended, make_alert, make_message

MINUTE = timedelta(minutes=1)


def unreadable(course: Course) -> None:
    """A protocol of this course's own that cannot be read any more."""
    row = Definition.objects.create(
        kind="protocol", key="torn", version="1", sha256="0" * 64, text="[torn",
        recorded_at=course.enrolled_at,
    )  # fmt: skip
    Course.objects.filter(pk=course.pk).update(protocol=row)


@pytest.fixture
def torn(course, message):
    """A message that is due, of a course that cannot be planned any more."""
    unreadable(course)
    return message


def test_what_was_accepted_is_recorded_though_nothing_can_be_planned(torn, mail_server, now):
    drain_at(now)
    torn.refresh_from_db()
    assert torn.state == State.ACCEPTED
    assert Attempt.objects.get().outcome == "accepted"


def test_a_course_that_cannot_be_planned_lets_the_other_mail_go(torn, clinic, mail_server, now):
    other = make_message(make_course(clinic, now=now, mrn="M-2", name="Ben"), now=now)
    assert drain_at(now) == 2
    other.refresh_from_db()
    assert other.state == State.ACCEPTED


def test_a_lost_worker_and_a_torn_course_do_not_stop_the_tick(torn, clinic, clinician, now):
    intended(torn, now)
    make_alert(clinic, now=now)
    ticking.tick(now=now + 6 * MINUTE)
    torn.refresh_from_db()
    assert torn.state == State.UNKNOWN
    assert Notice.objects.exists()


def test_a_plan_that_fails_waits_its_turn(torn, course, now):
    Course.objects.update(replan_at=now)
    assert planning.reconcile_lagging(now=now) == 1
    assert planning.reconcile_lagging(now=now + MINUTE) == 0


@pytest.mark.parametrize("failures", [1, 3])
def test_a_deadlock_at_the_end_costs_no_certainty(failures, message, mail_server, monkeypatch, now):
    stumbling(monkeypatch, failures)
    drain_at(now)
    message.refresh_from_db()
    assert message.state == State.ACCEPTED
    assert drain_at(now) == 0


def stumbling(monkeypatch, failures: int) -> None:
    """The database refuses the record of a call this often, as in a deadlock."""
    left = [OperationalError("deadlock detected")] * failures
    end_attempt = settling._end_attempt

    def stumble(*args):
        if left:
            raise left.pop()
        return end_attempt(*args)

    monkeypatch.setattr(settling, "PATIENCE", (0, 0, 0))
    monkeypatch.setattr(settling, "_end_attempt", stumble)


def test_rows_are_given_back_when_the_database_fails(clinic, mail_server, monkeypatch, now):
    for n in range(3):
        make_message(make_course(clinic, now=now, mrn=f"M{n}", name=f"P {n}"), now=now)

    def fail(*args, **kwargs):
        raise OperationalError

    with monkeypatch.context() as broken:
        broken.setattr(intending, "intend_all", fail)
        with pytest.raises(OperationalError):
            drain_at(now)
    assert drain_at(now) == 3


def test_a_tick_ends_in_time_and_leaves_the_rest_to_the_next(clinic, now):
    for n in range(3):
        make_course(clinic, now=now, mrn=f"M{n}", name=f"P {n}")
    assert planning.reconcile_lagging(now=now, seconds=0) == 0
    assert planning.reconcile_lagging(now=now) == 3
