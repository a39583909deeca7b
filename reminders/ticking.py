"""The tick: everything that time alone makes necessary. Cheap, and harmless twice at once."""

import logging
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from reminders import claiming, heartbeat, lanes, notices, planning, pulses, replaying, settling
from reminders.models import Message, Notice, ProviderEvent, State

logger = logging.getLogger(__name__)

REPLANNED = 2_000  # courses brought up to date in one tick, if its seconds allow
LOOKED_AT = 5_000  # due messages, the oldest, that may have become too late
A_DRAIN = 250  # due rows for which one drain is woken
MOST_DRAINS = 32


@dataclass(frozen=True, slots=True)
class Work:
    """How many drains are worth waking."""

    drains: int
    event_drains: int


def tick(*, now: datetime) -> Work:
    """Heal, tell, plan and expire; then say how much there is to do."""
    heal(now=now)
    look_ahead(now=now)
    return work(now=now)


def heal(*, now: datetime) -> None:
    """What must not wait for anybody's plan: responders to be told, first, whatever else fails, and
    lost workers."""
    notices.create_due(now=now)
    claiming.release_abandoned(now=now)
    doubtful = settling.settle_abandoned(now=now)
    if doubtful:
        logger.warning("%s sendings lost their worker", doubtful)


def look_ahead(*, now: datetime) -> None:
    """Plan what has changed or whose time has come. Takes its time when there is much."""
    planning.reconcile_lagging(REPLANNED, now=now)
    expire(now=now)
    pulses.beat(pulses.TICK, now=now)  # last: a tick that fails half way is no progress


def work(*, now: datetime) -> Work:
    return Work(drains=_drains(now), event_drains=_event_drains(now))


def expire(*, now: datetime) -> int:
    """Messages whose last moment has passed while nothing could be sent; the gate stops those left.

    Looks at the first that are due, as the claim does: so PostgreSQL reads the index of what is
    due. Asked for those that are too late, it guesses badly how few they are, and would rather
    read through ten million rows.
    """
    scheduled = Message.objects.filter(state=State.SCHEDULED)
    due = scheduled.filter(due_at__lte=now).order_by("due_at", "pk")[:LOOKED_AT]
    keys = [pk for pk, not_after in due.values_list("pk", "not_after") if not_after < now]
    late = scheduled.filter(pk__in=keys)
    return late.update(state=State.EXPIRED, reason="missed", ended_at=now)


def _drains(now: datetime) -> int:
    """Counts no further than it needs to."""
    due = sum(
        model._default_manager.filter(state=State.SCHEDULED, due_at__lte=now)[
            : A_DRAIN * MOST_DRAINS
        ].count()
        for model in (Notice, Message)
    )
    doubtful = bool(replaying.due(lanes.current(), now=now))
    one_at_least = doubtful or heartbeat.is_due(now=now)
    return min(max(ceil(due / A_DRAIN), int(one_at_least)), MOST_DRAINS)


def _event_drains(now: datetime) -> int:
    return int(ProviderEvent.objects.filter(applied_at=None, try_after__lte=now).exists())
