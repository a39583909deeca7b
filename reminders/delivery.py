"""Apply what providers reported: once each, in any order, and never from an unknown message."""

import logging
import uuid
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError, transaction

from reminders import delivery_kinds, settling, suppression
from reminders.claiming import AnyClaim
from reminders.delivery_kinds import Report
from reminders.dispatch import Stop
from reminders.models import Message, Notice, ProviderEvent, Suppression
from reminders.timekeeping import Clock
from surveys.models import AlertEvent

logger = logging.getLogger(__name__)

BATCH = 100
PARKED = timedelta(hours=24)  # a report may come before our own record of the sending
LOOK_AGAIN = timedelta(minutes=10)

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
_UNDELIVERED = (Report.SOFT, Report.HARD, Report.REFUSED)
_ORDER = list(Delivery)  # only ever moves down this list


def drain_events(*, clock: Clock, stop: Stop = lambda: False) -> int:
    """Apply what has come in. Returns how many events were looked at."""
    applied = 0
    while not stop():
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
        ProviderEvent.objects.filter(pk=pk).update(try_after=now + LOOK_AGAIN)
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
    report = delivery_kinds.report(event.kind, event.payload)
    if message := _about(Message, event):
        _apply_to_message(message, event, report, now)
        event.outcome = str(report)
    elif notice := _about(Notice, event):
        _apply_to_notice(notice, report, now)
        event.outcome = str(report)
    elif now - event.received_at < PARKED:
        event.try_after = now + LOOK_AGAIN
        event.save(update_fields=["try_after"])
        return True
    else:
        event.outcome = "no such message"
    event.applied_at = now
    event.save(update_fields=["outcome", "applied_at"])
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
    if report is Report.NOTHING:
        return
    if report is not Report.REFUSED:  # then the provider had it, whatever became of it later
        settling.accept_on_evidence(
            message, provider_message_id=event.provider_message_id, now=event.occurred_at or now
        )
    else:
        settling.reject_on_evidence(message, now=now)
    if seen := _SEEN.get(report):
        _move_on(message, seen, event.occurred_at or now)
    if (reason := _STOPS.get(report)) and (address := _address_used(message)):
        suppression.suppress(message.patient, address, reason, now=now)


def _move_on(message: Message, seen: Message.Delivery, at: datetime) -> None:
    """Reports come in any order; a complaint is never undone by a late "delivered"."""
    earlier = Message.objects.filter(pk=message.pk, delivery__in=_ORDER[: _ORDER.index(seen)])
    earlier.update(delivery=seen)
    if seen is Delivery.DELIVERED:
        Message.objects.filter(pk=message.pk, delivered_at=None).update(delivered_at=at)


def _address_used(message: Message) -> str:
    """The digest of where it went, which need not be where the patient is written to now."""
    attempt = message.attempt_rows.order_by("-n").first()
    return str(attempt.inputs.get("address", "")) if attempt else ""


def _apply_to_notice(notice: Notice, report: Report, now: datetime) -> None:
    """A notice that did not arrive is part of the alert's history; the next round follows."""
    if report in _UNDELIVERED:
        AlertEvent.objects.create(
            alert_id=notice.alert_id,
            at=now,
            kind=AlertEvent.Kind.NOT_DELIVERED,
            member_id=notice.member_id,
            detail=str(report),
        )
