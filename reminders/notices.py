"""Tell responders about alerts by e-mail, again and again until somebody takes each one.

The signal hastens; the tick guarantees. A notice is only an e-mail: no telephone is rung.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Prefetch, QuerySet

from clinic.models import Member
from reminders.models import UNSENT, Notice, State
from surveys.models import Alert, AlertEvent

CHUNK = 200  # alerts read at a time; every untaken alert is looked at in every tick

# When a level is told again, counted from the alert, and how often after the last of these.
# Critical follows the escalation of the clinical protocol, with e-mail as its only channel.
_ROUNDS: dict[str, tuple[tuple[timedelta, ...], timedelta]] = {
    Alert.Level.CRITICAL: (
        tuple(timedelta(minutes=minutes) for minutes in (15, 30, 60)),
        timedelta(minutes=30),
    ),
    Alert.Level.URGENT: ((timedelta(minutes=60),), timedelta(minutes=60)),
    Alert.Level.REVIEW: ((timedelta(hours=24),), timedelta(hours=24)),
}
_ON_ITS_WAY = (*UNSENT, State.SENDING)


def create_due(*, now: datetime) -> int:
    """Give every untaken alert its notices of this round. Safe twice, and twice at once."""
    return sum(_for_alert(alert, now) for alert in _untaken().iterator(chunk_size=CHUNK))


def create_for(alert_id: uuid.UUID, *, now: datetime) -> int:
    """The first round, the moment the alert is raised."""
    found = _untaken().filter(pk=alert_id).first()
    return _for_alert(found, now) if found else 0


def round_of(level: str, rule: str, waited: timedelta) -> int:
    """How many times responders should have been told before now: 0 is the first notice."""
    if rule == Alert.TEST_RULE:
        return 0
    steps, every = _ROUNDS[level]
    passed = sum(waited >= step for step in steps)
    beyond = max(timedelta(), waited - steps[-1])
    return passed + int(beyond / every)


def _untaken() -> QuerySet[Alert]:
    return (
        Alert.objects.untaken()
        .select_related("clinic")
        .prefetch_related(
            Prefetch("notices", Notice.objects.order_by("nth")),
            Prefetch("events", AlertEvent.objects.filter(kind=AlertEvent.Kind.LEVEL)),
        )
        .order_by("raised_at")
    )


def _for_alert(alert: Alert, now: datetime) -> int:
    """One round is written as a whole, so that a single row of it means that it is done."""
    earlier = list(alert.notices.all())
    since, told = _counted_from(alert, earlier)
    nth = told + round_of(alert.level, alert.rule, now - since)
    if any(notice.nth >= nth for notice in earlier):
        return 0
    waiting = {notice.member_id for notice in earlier if notice.state in _ON_ITS_WAY}
    rows = [
        Notice(clinic=alert.clinic, alert=alert, member=member, nth=nth, due_at=now, created_at=now)
        for member in _responders(alert)
        if member.pk not in waiting
    ]
    return len(Notice.objects.bulk_create(rows, ignore_conflicts=True))


def _counted_from(alert: Alert, earlier: Iterable[Notice]) -> tuple[datetime, int]:
    """An alert that became critical is told again at once, as if it had been raised then."""
    escalated_at = max((event.at for event in alert.events.all()), default=None)
    if escalated_at is None:
        return alert.raised_at, 0
    rounds = (notice.nth for notice in earlier if notice.created_at <= escalated_at)
    return escalated_at, 1 + max(rounds, default=-1)


def _responders(alert: Alert) -> Iterable[Member]:
    """The clinic's responders; with none left, everybody who may take an alert."""
    members = Member.objects.filter(clinic=alert.clinic)
    return list(members.responders()) or list(members.active().filter(role__in=Member.CLINICAL))
