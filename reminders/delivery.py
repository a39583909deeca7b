"""Apply what providers reported: once each, in any order, and never from an unknown message.

The end is the same whatever the order, however late and however often: what is written follows
from what happened and when it happened, not from when we heard of it (decision 0017).
"""

import logging
import time
import uuid
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q

from clinic.models import Patient
from reminders import delivery_kinds, settling, soft_bounces, suppression
from reminders.claiming import AnyClaim
from reminders.delivery_kinds import Report
from reminders.dispatch import Stop
from reminders.models import (
    UNSENT,
    Attempt,
    Message,
    Notice,
    ProviderEvent,
    State,
    Suppression,
)
from reminders.timekeeping import Clock
from surveys.models import AlertEvent

logger = logging.getLogger(__name__)

BATCH = 100
AT_MOST_SECONDS = 60.0  # of one drain; the next tick wakes another
PARKED = timedelta(hours=24)  # a report may come before our own record of the sending
FIRST_LOOK = timedelta(minutes=1)  # then at double its age each time
SET_ASIDE = timedelta(minutes=10)

Delivery = Message.Delivery

_SEEN = {
    Report.DEFERRED: Delivery.DEFERRED,
    Report.DELIVERED: Delivery.DELIVERED,
    Report.SOFT: Delivery.SOFT_BOUNCED,
    Report.UNSUBSCRIBED: Delivery.UNSUBSCRIBED,
    Report.HARD: Delivery.BOUNCED,
    Report.REFUSED: Delivery.BOUNCED,
    Report.COMPLAINED: Delivery.COMPLAINED,
}
_STOPS = {
    Report.HARD: Suppression.Reason.HARD_BOUNCE,
    Report.COMPLAINED: Suppression.Reason.COMPLAINT,
    Report.UNSUBSCRIBED: Suppression.Reason.UNSUBSCRIBED,
}
_DOUBTED = (Attempt.Outcome.UNKNOWN, Attempt.Outcome.NOT_SENT, Attempt.Outcome.ABANDONED)
_UNDELIVERED = (Report.SOFT, Report.HARD, Report.REFUSED)
_ORDER = list(Delivery)  # only ever moves down this list


def drain_events(
    *, clock: Clock, stop: Stop = lambda: False, seconds: float = AT_MOST_SECONDS
) -> int:
    """Apply what has come in. Returns how many events were looked at."""
    applied, ends = 0, time.monotonic() + seconds
    while not stop() and time.monotonic() < ends:
        waiting = ProviderEvent.objects.filter(applied_at=None, try_after__lte=clock())
        ids = list(waiting.order_by("try_after", "pk").values_list("pk", flat=True)[:BATCH])
        for pk in ids:
            applied += _applied(pk, clock())
        if not ids:
            break
    return applied


def _applied(pk: int, now: datetime) -> bool:
    """An event that cannot be applied waits apart, so that those behind it are."""
    try:
        return apply(pk, now=now)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        logger.error("provider event %s set aside: %s", pk, type(error).__name__)
        ProviderEvent.objects.filter(pk=pk).update(try_after=now + SET_ASIDE)
        return False


@transaction.atomic
def apply(pk: int, *, now: datetime) -> bool:
    """One event, or nothing if another drain has it."""
    event = (
        ProviderEvent.objects.select_for_update(skip_locked=True)
        .filter(pk=pk, applied_at=None, try_after__lte=now)
        .first()
    )
    if event is None:
        return False
    report = delivery_kinds.report(event.provider, event.kind, event.payload)
    row = _about(Message, event) or _about(Notice, event)
    if row is None or row.state == State.SENDING:  # its call has not been settled
        return _park(event, now)
    if isinstance(row, Message):
        _apply_to_message(row, event, report, now)
    elif isinstance(row, Notice):
        _apply_to_notice(row, event, report, now)
    event.message_ref = str(row.pk)
    return _close(event, str(report), now)


def _park(event: ProviderEvent, now: datetime) -> bool:
    age = now - event.received_at
    if age >= PARKED:
        return _close(event, "no such message", now)
    event.try_after = min(now + max(FIRST_LOOK, age), event.received_at + PARKED)
    event.save(update_fields=["try_after"])
    return True


def _close(event: ProviderEvent, outcome: str, now: datetime) -> bool:
    event.outcome, event.applied_at = outcome, now
    event.save(update_fields=["message_ref", "outcome", "applied_at"])
    return True


def _about(model: type[AnyClaim], event: ProviderEvent) -> AnyClaim | None:
    """By our own id if the provider gave it back, else by the provider's."""
    rows = model._default_manager.all()
    if event.message_ref:
        return rows.filter(pk=uuid.UUID(event.message_ref)).first()
    if event.provider_message_id:
        return rows.filter(provider_message_id=event.provider_message_id).first()
    return None


def _apply_to_message(
    message: Message, event: ProviderEvent, report: Report, now: datetime
) -> None:
    if _says_nothing(message, report):
        return
    may_stop = report is Report.SOFT or report in _STOPS
    patient = Patient.objects.held(message.patient_id) if may_stop else None
    accepted_at = _taken(message, event, now) or message.accepted_at
    at = _when(event, accepted_at)
    if seen := _SEEN.get(report):
        _move_on(message, seen, at)
    digest = _address_used(message) if may_stop else ""
    if patient is None or not digest:
        return
    if reason := _STOPS.get(report):
        suppression.suppress(patient, digest, reason, now=now, since=at)
    else:
        soft_bounces.pause_if_enough(patient, digest, now=now)


def _says_nothing(row: Message | Notice, report: Report) -> bool:
    """A refusal of what waits to go again is what we know already."""
    return report is Report.NOTHING or (report is Report.REFUSED and row.state in UNSENT)


def _taken(row: Message | Notice, event: ProviderEvent, now: datetime) -> datetime | None:
    """The provider had it, whatever we knew and whatever became of it later: accepted when called.

    Also where a call seemed not to have arrived, or was given up by a member, and the row waits to
    go again: it must not. That may be all night, and a member who knew would not have asked.
    """
    states = UNSENT if row.state in UNSENT else (State.UNKNOWN,)
    call = row.attempt_rows.order_by("n").last() if row.state in states else None
    if call is None or call.outcome not in _DOUBTED:
        return None
    taken = (
        type(row)
        ._default_manager.filter(pk=row.pk, state__in=states)
        .update(
            state=State.ACCEPTED,
            accepted_at=call.started_at,
            ended_at=call.started_at,
            provider_message_id=event.provider_message_id or row.provider_message_id,
            reason="",
            lease_token=None,
            lease_until=None,
        )
    )
    if not taken:
        return None
    Attempt.objects.filter(pk=call.pk).update(outcome=Attempt.Outcome.ACCEPTED)
    if isinstance(row, Message):
        settling.look_again(row, now=now)
    else:
        _write_history(row, AlertEvent.Kind.NOTIFIED, "", now)
    return call.started_at


def _when(event: ProviderEvent, accepted_at: datetime | None) -> datetime:
    """When it happened: not before we sent it and not after we heard of it, whatever is claimed."""
    at = min(event.occurred_at or event.received_at, event.received_at)
    return max(at, accepted_at) if accepted_at else at


def _move_on(message: Message, seen: Message.Delivery, at: datetime) -> None:
    """Reports come in any order; a complaint is never undone by a late "delivered".

    Both fields move one way only, so that what was read may save a statement and never cost a fact.
    """
    earlier = _ORDER[: _ORDER.index(seen)]
    if message.delivery in earlier:
        Message.objects.filter(pk=message.pk, delivery__in=earlier).update(delivery=seen)
    known = message.delivered_at
    if seen is Delivery.DELIVERED and (known is None or known > at):
        later = Q(delivered_at=None) | Q(delivered_at__gt=at)
        Message.objects.filter(later, pk=message.pk).update(delivered_at=at)


def _address_used(message: Message) -> str:
    """The digest of where it went, which need not be where the patient is written to now."""
    attempt = message.attempt_rows.order_by("-n").first()
    return str(attempt.inputs.get("address", "")) if attempt else ""


def _apply_to_notice(notice: Notice, event: ProviderEvent, report: Report, now: datetime) -> None:
    """A notice that did not arrive is part of the alert's history; the next round follows."""
    if _says_nothing(notice, report):
        return
    accepted_at = _taken(notice, event, now) or notice.accepted_at
    if report in _UNDELIVERED and not _known_to_be_lost(notice, accepted_at):
        _write_history(notice, AlertEvent.Kind.NOT_DELIVERED, str(report), now)


def _known_to_be_lost(notice: Notice, accepted_at: datetime | None) -> bool:
    """Some providers report one bounce twice, in two words."""
    lost = AlertEvent.objects.filter(
        alert=notice.alert_id, member=notice.member_id, kind=AlertEvent.Kind.NOT_DELIVERED
    )
    return (lost.filter(at__gte=accepted_at) if accepted_at else lost).exists()


def _write_history(notice: Notice, kind: AlertEvent.Kind, detail: str, now: datetime) -> None:
    AlertEvent.objects.create(
        alert_id=notice.alert_id, at=now, kind=kind, member_id=notice.member_id, detail=detail
    )
