"""The way out of the building, and its circuit: kept in the database, so that all workers share it.

Two calls in a row without a certain answer open the circuit for 30 seconds, doubling; then one
message at a time probes, and the first answer closes it. So an outage leaves a handful of
`unknown`, not a thousand.
"""

import logging
from datetime import datetime, timedelta
from enum import Enum

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from reminders.models import Lane
from reminders.outcomes import Outcome, Way

logger = logging.getLogger(__name__)

DOUBTS = 2  # this many in a row open the circuit
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=10)
PROBE = timedelta(minutes=1)  # nobody else sends while one message finds out

_TROUBLED = Q(unknown_in_a_row__gt=0) | Q(opened__gt=0)


class Admission(Enum):
    FREE = "send what is due"
    WARY = "send what is due, and say how it went: there was trouble"
    PROBE = "send one, and see"
    NONE = "wait"


def current() -> str:
    """The name of the way out that the settings choose, e.g. `smtp` or `postmark`."""
    return settings.EMAIL_BACKEND.split(".")[-2][:40]


def admit(name: str, *, now: datetime) -> Admission:
    """What may be sent now. Only one worker is let through to probe."""
    lane = Lane.objects.filter(name=name).first()
    if lane is None:
        return Admission.FREE
    if _paused(lane, now):
        return Admission.NONE
    if not lane.opened:
        return Admission.WARY if lane.unknown_in_a_row else Admission.FREE
    same = Lane.objects.filter(name=name, opened=lane.opened, paused_until=lane.paused_until)
    won = same.update(paused_until=now + PROBE, updated_at=now)
    return Admission.PROBE if won else Admission.NONE


def is_open(name: str, *, now: datetime) -> bool:
    """Whether a message may go now; asked again just before each call."""
    return not Lane.objects.paused(now).filter(name=name).exists()


def hand_back(name: str, *, now: datetime) -> None:
    """The probe found nothing to send: let the next one try."""
    Lane.objects.filter(name=name, opened__gt=0).update(paused_until=now, updated_at=now)


def note(name: str, outcome: Outcome, *, probing: bool = False, now: datetime) -> None:
    """Learn from one call. Only a probe says anything about a circuit that is open: what else
    ends then began before."""
    if outcome.way is Way.UNTRIED:
        return
    if outcome.way is Way.GOOD:
        _close(name, probing, now)
        return
    with transaction.atomic():
        Lane.objects.get_or_create(name=name, defaults={"updated_at": now})
        lane = Lane.objects.select_for_update().get(name=name)
        _worsen(lane, outcome, probing, now)
        lane.updated_at = now
        lane.save()


def _close(name: str, probing: bool, now: datetime) -> None:
    """Only a probe takes a pause away: another one is what the provider asked for."""
    troubled = Lane.objects.filter(_TROUBLED, name=name)
    closed = (
        troubled.update(unknown_in_a_row=0, opened=0, paused_until=None, reason="", updated_at=now)
        if probing
        else troubled.filter(opened=0).update(unknown_in_a_row=0, updated_at=now)
    )
    if closed:
        logger.info("lane %s works", name)


def _worsen(lane: Lane, outcome: Outcome, probing: bool, now: datetime) -> None:
    if lane.opened and not probing:
        return
    if outcome.way is Way.THROTTLED:
        _pause(lane, now + (outcome.wait or FIRST_PAUSE), f"throttled: {outcome.error}")
        return
    lane.unknown_in_a_row += 1
    if outcome.way is Way.BARRED or lane.opened or lane.unknown_in_a_row >= DOUBTS:
        _open(lane, outcome, now)


def _open(lane: Lane, outcome: Outcome, now: datetime) -> None:
    """The operator is told when it opens, not at every failed probe."""
    if not lane.opened:
        logger.error("lane %s is shut: %s (%s)", lane.name, outcome.way.value, outcome.error)
    pause = min(FIRST_PAUSE * 2 ** min(lane.opened, 10), LONGEST_PAUSE)
    lane.opened = min(lane.opened + 1, 100)
    _pause(lane, now + pause, f"{outcome.way.value}: {outcome.error}")


def _pause(lane: Lane, until: datetime, reason: str) -> None:
    lane.paused_until = max(until, lane.paused_until or until)
    lane.reason = reason[:200]


def _paused(lane: Lane, now: datetime) -> bool:
    return lane.paused_until is not None and lane.paused_until > now
