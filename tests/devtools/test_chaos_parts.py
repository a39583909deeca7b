"""The storm's own helpers: the hurried clock of a lane, crowds, and what is done to whom."""

from datetime import timedelta

import pytest

from devtools.chaos.doubling import double
from devtools.chaos.hurrying import LONGEST, hurry
from devtools.crowd import copy_patients
from reminders import planning
from reminders.models import Lane, Message
from surveys.models import FollowUp, StepDue
from tests.builders import BY_TEST, make_clinic, make_course

pytestmark = pytest.mark.django_db


def paused(now, seconds: float) -> Lane:
    until = now + timedelta(seconds=seconds)
    return Lane.objects.create(name="postmark", paused_until=until, opened=1, updated_at=now)


@pytest.mark.parametrize(
    ("pause", "left"),
    [(30, 3), (60, 6), (600, LONGEST.total_seconds()), (3600, LONGEST.total_seconds()), (1, 1)],
)
def test_a_lanes_pause_passes_ten_times_as_fast(now, pause, left):
    lane = paused(now, pause)
    hurry({}, now)
    lane.refresh_from_db()
    assert lane.paused_until == now + timedelta(seconds=left)


def test_a_pause_is_brought_nearer_once_and_a_new_one_again(now):
    lane, brought = paused(now, 30), {}
    hurry(brought, now)
    hurry(brought, now + timedelta(seconds=1))
    lane.refresh_from_db()
    assert lane.paused_until == now + timedelta(seconds=3)
    Lane.objects.update(paused_until=now + timedelta(seconds=60))
    hurry(brought, now)
    lane.refresh_from_db()
    assert lane.paused_until == now + timedelta(seconds=6)


@pytest.fixture
def message(now) -> Message:
    clinic = make_clinic("Storm Clinic", now=now)
    course = make_course(clinic, now=now)
    planning.reconcile(course.patient, now=now, by=BY_TEST)
    return Message.objects.get()


def test_copies_are_patients_of_their_own_with_links_of_their_own(message):
    copy_patients(message, ({"email": f"p{n}@storm.example"} for n in range(3)))
    assert {m.patient.email for m in Message.objects.exclude(pk=message.pk)} == {
        f"p{n}@storm.example" for n in range(3)
    }
    links = FollowUp.objects.values_list("link_digest", "unsubscribe_digest")
    assert len({each for pair in links for each in pair}) == 8
    assert StepDue.objects.values("course").distinct().count() == 4


def test_who_is_doubled_has_two_messages_due_at_once(message):
    (patient,) = copy_patients(message, [{"email": "p@storm.example"}])
    double([patient])
    first, second = Message.objects.filter(patient=patient)
    assert first.due_at == second.due_at
    assert first.follow_up != second.follow_up
