"""Tell responders about alerts by e-mail, again and again until somebody takes each one.

The signal hastens; the tick guarantees. A notice is only an e-mail: no telephone is rung.
"""

import logging
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Prefetch, QuerySet

from clinic.models import Member
from reminders.models import UNSENT, Notice, State
from surveys.models import Alert, AlertEvent

logger = logging.getLogger(__name__)

CHUNK = 200  # alerts read at a time; every one that waits is looked at in every tick

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
_IN_VAIN = (State.REJECTED, State.FAILED, State.CANCELLED)  # cancelled: has left meanwhile
_ANEW = (AlertEvent.Kind.LEVEL, AlertEvent.Kind.RAISED)  # the rounds begin again
_TELLING = (*_ANEW, AlertEvent.Kind.NOT_DELIVERED)


def create_due(*, now: datetime) -> int:
    """Give every alert that waits for somebody its notices of this round. Safe twice, and twice at
    once."""
    return sum(_for_alert(alert, now) for alert in _waiting().iterator(chunk_size=CHUNK))


def create_for(alert_id: uuid.UUID, *, now: datetime) -> int:
    """The first round, the moment the alert is raised or handed over."""
    found = _waiting().filter(pk=alert_id).first()
    return _for_alert(found, now) if found else 0


def round_of(level: str, rule: str, waited: timedelta) -> int:
    """How many times responders should have been told before now: 0 is the first notice."""
    if rule == Alert.TEST_RULE:
        return 0
    steps, every = _ROUNDS[level]
    passed = sum(waited >= step for step in steps)
    beyond = max(timedelta(), waited - steps[-1])
    return passed + int(beyond / every)


def _waiting() -> QuerySet[Alert]:
    return (
        Alert.objects.to_be_told()
        .select_related("clinic", "offered_to__user")
        .prefetch_related(
            Prefetch("notices", Notice.objects.order_by("nth")),
            Prefetch("events", AlertEvent.objects.filter(kind__in=_TELLING)),
        )
        .order_by("raised_at")
    )


def _for_alert(alert: Alert, now: datetime) -> int:
    """One round is written as a whole: it is done when one row of it was not in vain."""
    earlier = list(alert.notices.all())
    since, told = _counted_from(alert, earlier, now)
    nth = told + round_of(alert.level, alert.rule, now - since)
    lost = _not_reached(alert, earlier)
    told_now = {notice.member_id for notice in earlier if notice.nth >= nth}
    if told_now - lost:
        return 0
    known = told_now | {n.member_id for n in earlier if n.state in _ON_ITS_WAY}
    rows = [
        Notice(clinic=alert.clinic, alert=alert, member=member, nth=nth, due_at=now, created_at=now)
        for member in _to_be_told(alert, lost)
        if member.pk not in known
    ]
    return len(Notice.objects.bulk_create(rows, ignore_conflicts=True))


def _not_reached(alert: Alert, earlier: Iterable[Notice]) -> set[uuid.UUID]:
    """Members whose notice of this alert did not arrive."""
    lost = {notice.member_id for notice in earlier if notice.state in _IN_VAIN}
    bounced = (e for e in alert.events.all() if e.kind == AlertEvent.Kind.NOT_DELIVERED)
    return lost | {event.member_id for event in bounced if event.member_id is not None}


def _counted_from(alert: Alert, earlier: Iterable[Notice], now: datetime) -> tuple[datetime, int]:
    """An alert that became critical or was handed over, or a test sent again, is told at once as
    if raised then.

    Events carry the web server's clock, notices the database's: one ahead of it waits for it, or
    every tick would tell anew.
    """
    began = (event.at for event in alert.events.all() if event.kind in _ANEW)
    times = [*began, alert.offered_at or alert.raised_at]
    again = max((at for at in times if alert.raised_at < at <= now), default=None)
    if again is None:
        return alert.raised_at, 0
    rounds = (notice.nth for notice in earlier if notice.created_at < again)
    return again, 1 + max(rounds, default=-1)


def _to_be_told(alert: Alert, lost: set[uuid.UUID]) -> list[Member]:
    """The clinic's responders; where none is left or reached, everybody who may take an alert.
    Of an alert that somebody has, only the member to whom it was handed over."""
    if alert.offered_to is not None:
        there = alert.offered_to.active and alert.offered_to.user.is_active
        return [alert.offered_to] if there else []
    members = Member.objects.filter(clinic=alert.clinic)
    responders = list(members.responders())
    if any(member.pk not in lost for member in responders):
        return responders
    everybody = list(members.active().filter(role__in=Member.CLINICAL))
    if not everybody:
        logger.error("alert %s: nobody can be told", alert.pk)
    return everybody
