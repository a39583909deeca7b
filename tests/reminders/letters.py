"""Messages and notices for tests, built directly, and the little a test does with them."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from clinic.models import Clinic, Course, Member
from reminders import claiming, dispatch, intending, lanes, preparing
from reminders.batches import Batches
from reminders.calling import Intent
from reminders.calls import Calls
from reminders.models import Message, Notice
from reminders.preparing import Prepared
from surveys.models import Alert
from tests.surveys.follow_ups import make_follow_up

HOUR = timedelta(hours=1)


def make_message(course: Course, *, now: datetime, **changes: Any) -> Message:
    """An invitation that is due now; `changes` are columns. Its course has been planned."""
    Course.objects.filter(pk=course.pk).update(replan_at=None)
    follow_up = changes.pop("follow_up", None) or make_follow_up(course, ["phq8"], now=now)
    defaults: dict[str, Any] = {
        "clinic": course.patient.clinic,
        "patient": course.patient,
        "follow_up": follow_up,
        "kind": Message.Kind.INVITATION,
        "due_at": now,
        "not_after": now + 23 * HOUR,
        "created_at": now,
    }
    return Message.objects.create(**{**defaults, **changes})


def make_alert(clinic: Clinic, *, now: datetime, **changes: Any) -> Alert:
    defaults: dict[str, Any] = {
        "reference": f"{uuid.uuid4().hex[:4].upper()}-21",
        "level": Alert.Level.URGENT,
        "rule": "suicide",
        "trigger": "9=2",
        "raised_at": now,
    }
    return Alert.objects.create(clinic=clinic, **{**defaults, **changes})


def make_notice(alert: Alert, member: Member, *, now: datetime, **changes: Any) -> Notice:
    defaults: dict[str, Any] = {"due_at": now, "created_at": now}
    return Notice.objects.create(
        clinic=alert.clinic, alert=alert, member=member, **{**defaults, **changes}
    )


def drain_at(now: datetime) -> int:
    """Send what is due, with the clock standing still."""
    return dispatch.drain(clock=lambda: now)


def prepared_at(now: datetime, model: type[Any] = Message, lane: str = "") -> list[Prepared]:
    """Claimed, and read for the whole batch: what comes next is each row's gate."""
    return preparing.prepare(claiming.take(model, 10, now=now), lane or lanes.current(), now=now)


def send_prepared(batch: list[Prepared], *, now: datetime) -> None:
    with Calls(1) as calls:
        batches = Batches(calls.lane, lambda: now)
        drain = dispatch._Drain(calls, batches, lambda: now, lambda: False)
        drain._work_off(batch)
        drain._settle_all()


def intended(row: Message | Notice, now: datetime, lane: str = "smtp") -> Intent:
    """A row that has been claimed and meant to be sent, but not yet handed over."""
    (prepared,) = prepared_at(now, type(row), lane)
    intent = intending.intend(prepared, intending.Way(lane), now=now)
    assert intent is not None
    return intent
