"""A host whose clock is an hour off or runs backwards: the database's time is what counts."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from reminders import dispatch, pulses, ticking
from reminders.models import Attempt, Message, Pulse, State
from reminders.timekeeping import database_clock
from tests.reminders.crowd import make_crowd

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
pytestmark = pytest.mark.django_db


@pytest.fixture(params=["an hour ahead", "an hour behind", "running backwards"])
def wall_clock(request, monkeypatch):
    """Of this host alone; that of the database is right."""
    real, began = time.time, time.time()

    def wrong() -> float:
        if request.param == "running backwards":
            return began - 60 * (real() - began)
        return real() + (3600 if request.param == "an hour ahead" else -3600)

    def wrong_now() -> datetime:
        return datetime.fromtimestamp(wrong(), tz=UTC)

    monkeypatch.setattr(time, "time", wrong)
    monkeypatch.setattr(timezone, "now", wrong_now)


def test_nothing_goes_early_or_late_and_every_record_is_in_the_databases_time(
    mail_server, wall_clock
):
    now = database_clock()()
    make_crowd(3, now=now)
    first, second, third = Message.objects.order_by("pk")
    Message.objects.filter(pk=first.pk).update(due_at=now - MINUTE)
    Message.objects.filter(pk=second.pk).update(due_at=now + 30 * MINUTE)
    held = {"state": State.CLAIMED, "lease_token": third.pk, "lease_until": now + 30 * MINUTE}
    Message.objects.filter(pk=third.pk).update(**held)
    ticking.tick(now=database_clock()())
    dispatch.drain(clock=database_clock())
    after = database_clock()()
    for message in (first, second, third):
        message.refresh_from_db()
    assert [m.state for m in (first, second, third)] == ["accepted", "scheduled", "claimed"]
    assert second.due_at == now + 30 * MINUTE
    assert now <= first.accepted_at <= after < now + MINUTE
    attempt = Attempt.objects.get()
    assert now <= attempt.started_at <= attempt.ended_at <= after
    assert now <= Pulse.objects.get(name=pulses.TICK).at <= after


def test_a_lease_lasts_as_long_for_a_host_whose_clock_is_ahead(mail_server, wall_clock):
    now = database_clock()()
    make_crowd(1, now=now)
    Message.objects.update(
        state=State.SENDING, lease_token=Message.objects.get().pk, lease_until=now + MINUTE
    )
    ticking.tick(now=database_clock()())
    assert Message.objects.get().state == State.SENDING
