"""The tick: what time alone makes necessary, and how many drains it wakes."""

from datetime import timedelta

import pytest

from reminders import ticking
from reminders.models import Message, ProviderEvent, State
from reminders.tasks import drain, drain_events, tick
from tests.builders import make_course
from tests.reminders.letters import HOUR, make_alert, make_message

MICRO = timedelta(microseconds=1)


@pytest.fixture
def settled(course, now):
    """A course whose schedule needs no look, so that the planner leaves the test's rows alone."""
    type(course).objects.update(replan_at=None)
    return course


def due(settled, now, **changes):
    return make_message(settled, now=now, **changes)


@pytest.mark.parametrize(("rows", "drains"), [(0, 0), (1, 1), (2, 1), (3, 2), (5, 3)])
def test_a_drain_is_woken_for_every_so_many_due_rows(
    clinic, now, monkeypatch, rows, drains, settled
):
    monkeypatch.setattr(ticking, "A_DRAIN", 2)
    for n in range(rows):
        make_message(make_course(clinic, now=now, mrn=f"M{n}", name=f"P {n}"), now=now)
    type(settled).objects.update(replan_at=None)
    assert ticking.tick(now=now).drains == drains


def test_never_more_drains_than_make_sense(settled, now, monkeypatch):
    monkeypatch.setattr(ticking, "A_DRAIN", 1)
    monkeypatch.setattr(ticking, "MOST_DRAINS", 1)
    due(settled, now)
    make_alert(settled.patient.clinic, now=now)
    assert ticking.tick(now=now).drains == 1


def test_what_is_not_yet_due_wakes_nobody(settled, now):
    due(settled, now, due_at=now + MICRO)
    assert ticking.tick(now=now).drains == 0


@pytest.mark.parametrize(
    ("moment", "state"), [(timedelta(0), State.SCHEDULED), (MICRO, State.EXPIRED)]
)
def test_a_message_whose_last_moment_has_passed_is_expired(settled, now, moment, state):
    message = due(settled, now, not_after=now + HOUR)
    ticking.expire(now=now + HOUR + moment)
    message.refresh_from_db()
    assert message.state == state


def test_of_very_many_the_next_tick_gives_up_the_rest(clinic, settled, now, monkeypatch):
    monkeypatch.setattr(ticking, "LOOKED_AT", 2)
    for n in range(3):
        of = make_course(clinic, now=now, mrn=f"M{n}", name=f"P {n}")
        make_message(of, now=now, not_after=now + HOUR)
    later = now + HOUR + MICRO
    assert [ticking.expire(now=later) for _ in range(3)] == [2, 1, 0]
    assert set(Message.objects.values_list("state", "reason")) == {(State.EXPIRED, "missed")}


def test_two_ticks_do_no_more_than_one(settled, clinician, now):
    make_alert(settled.patient.clinic, now=now)
    first, second = ticking.tick(now=now), ticking.tick(now=now)
    assert first == second


def test_a_tick_brings_back_what_a_dead_worker_held(settled, now):
    message = due(settled, now)
    Message.objects.update(state=State.CLAIMED, lease_token=message.pk, lease_until=now)
    ticking.tick(now=now)
    message.refresh_from_db()
    assert message.state == State.SCHEDULED


def test_reports_that_wait_wake_one_drain_of_their_own(db, now):
    for n in range(3):
        ProviderEvent.objects.create(
            provider="postmark", dedupe_key=str(n), kind="sent", received_at=now, try_after=now
        )
    assert ticking.tick(now=now).event_drains == 1
    ProviderEvent.objects.update(try_after=now + MICRO)
    assert ticking.tick(now=now).event_drains == 0


def test_an_idle_tick_asks_a_handful_of_questions(db, now, django_assert_num_queries):
    with django_assert_num_queries(11):  # its pulse is one of them
        ticking.tick(now=now)


@pytest.mark.parametrize("task", [tick, drain, drain_events])
def test_tasks_carry_nothing_and_keep_nothing(task):
    assert task.ignore_result is True
    assert task.run.__code__.co_argcount == 0
