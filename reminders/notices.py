"""Tell responders about alerts by e-mail, again and again until somebody takes each one.

The signal hastens; the tick guarantees. A notice is only an e-mail: no telephone is rung.
"""

import logging
import uuid
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError
from django.db.models import Prefetch, QuerySet

from clinic.models import Member
from reminders import escalating
from reminders.models import UNSENT, Notice, State
from reminders.roster import roster_of
from surveys import escalation
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
_REFUSED = (State.REJECTED, State.FAILED)
_ANEW = (AlertEvent.Kind.LEVEL, AlertEvent.Kind.RAISED)  # the rounds begin again
_TELLING = (*_ANEW, AlertEvent.Kind.NOT_DELIVERED)


def create_due(*, now: datetime) -> int:
    """Give every alert that waits for somebody its notices of this round. Safe twice, and twice at
    once."""
    return sum(_surely(alert, now) for alert in _waiting().iterator(chunk_size=CHUNK))


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
        .select_related("clinic", "owner__user", "offered_to__user")
        .prefetch_related(
            Prefetch("notices", Notice.objects.order_by("nth")),
            Prefetch("events", AlertEvent.objects.filter(kind__in=_TELLING)),
            "escalations",
        )
        .order_by("raised_at")
    )


def _surely(alert: Alert, now: datetime) -> int:
    """One alert that fails keeps nobody from being told about the others."""
    try:
        return _for_alert(alert, now)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        logger.error("alert %s: nobody could be told: %s", alert.pk, type(error).__name__)
        return 0


def _for_alert(alert: Alert, now: datetime) -> int:
    """One round is written as a whole: it is done when one row of it was not in vain. Who is
    reached only now, by an escalation, does not wait for the next."""
    earlier = list(alert.notices.all())
    lost = _not_reached(alert, earlier)
    people = _to_be_told(alert, earlier, lost, now)
    since, told = _counted_from(alert, earlier, now)
    nth = told + round_of(alert.level, alert.rule, now - since)
    told_now = {notice.member_id for notice in earlier if notice.nth >= nth}
    known = told_now | {n.member_id for n in earlier if n.state in _ON_ITS_WAY}
    if told_now - lost:
        known |= {notice.member_id for notice in earlier}
    rows = [
        Notice(clinic=alert.clinic, alert=alert, member=member, nth=nth, due_at=now, created_at=now)
        for member in people
        if member.pk not in known
    ]
    return len(Notice.objects.bulk_create(rows, ignore_conflicts=True))


def _not_reached(
    alert: Alert, earlier: Iterable[Notice], vain: Collection[str] = _IN_VAIN
) -> set[uuid.UUID]:
    """Members whose notice of this alert did not arrive."""
    lost = {notice.member_id for notice in earlier if notice.state in vain}
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


def _to_be_told(
    alert: Alert, earlier: Iterable[Notice], lost: set[uuid.UUID], now: datetime
) -> list[Member]:
    """By the clinic's roster, as far as the alert has escalated. Of an alert that somebody has,
    only the member to whom it was handed over."""
    offered = alert.offered_to
    if offered is not None and alert.owner is not None and alert.owner.may_take_alerts:
        return [offered] if offered.may_take_alerts else []
    roster = roster_of(alert.clinic_id)
    unreached = len(_not_reached(alert, earlier, _REFUSED))
    steps = escalating.bring_up(alert, roster, lost, unreached, now=now)
    told = roster.told(escalation.reach(alert.level, steps), lost)
    if not told:
        logger.error("alert %s: nobody can be told", alert.pk)
    return told
