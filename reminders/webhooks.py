"""Providers' reports, as Anymail hands them over: one row each, applied later by a drain.

Nothing else happens here: a failure would make the provider send the whole batch again.
"""

import hashlib
import re
import uuid
from datetime import UTC, datetime
from typing import Any

from anymail.signals import AnymailTrackingEvent, tracking
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.dispatch import receiver
from django.utils import timezone

from reminders import delivery_kinds
from reminders.models import ProviderEvent

_OLDEST = datetime(2000, 1, 1, tzinfo=UTC)  # a nonsense date must not overflow the column


@receiver(tracking, dispatch_uid="reminders.webhooks")
def keep(sender: Any, event: AnymailTrackingEvent, esp_name: str, **kwargs: Any) -> None:
    if not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        raise SuspiciousOperation("reports are refused while ANYMAIL_WEBHOOK_SECRET is not set")
    now = timezone.now()
    ProviderEvent.objects.bulk_create([_row(event, esp_name, now)], ignore_conflicts=True)


def _row(event: AnymailTrackingEvent, esp_name: str, now: datetime) -> ProviderEvent:
    payload = delivery_kinds.kept(event.esp_event)
    if event.reject_reason:
        payload["reject_reason"] = str(event.reject_reason)[:40]
    if status := re.search(r"\b[245]\.\d{1,3}\.\d{1,3}\b", str(event.mta_response or "")):
        payload["status"] = status.group()
    return ProviderEvent(
        provider=_provider(esp_name),
        dedupe_key=_dedupe_key(event, esp_name),
        kind=str(event.event_type)[:20],
        message_ref=_reference((event.metadata or {}).get("id")),
        provider_message_id=str(event.message_id or "")[:200],
        occurred_at=_moment(event.timestamp),
        received_at=now,
        payload=payload,
        try_after=now,
    )


def _dedupe_key(event: AnymailTrackingEvent, esp_name: str) -> str:
    """The provider's id with the recipient, for Amazon SES gives all recipients one id."""
    recipient = hashlib.sha256(str(event.recipient or "").casefold().encode()).hexdigest()
    parts = [esp_name, str(event.event_id or ""), recipient, str(event.event_type)]
    parts += [str(event.message_id or "")]
    if not event.event_id:
        parts += [str(event.timestamp), str(event.click_url or "")]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _reference(value: Any) -> str:
    """Our own id, or nothing: metadata is only as trustworthy as the webhook's secret."""
    try:
        return str(uuid.UUID(str(value)))
    except ValueError:
        return ""


def _moment(timestamp: Any) -> datetime | None:
    usable = isinstance(timestamp, datetime) and timestamp.tzinfo and timestamp > _OLDEST
    return timestamp if usable else None


def _provider(esp_name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", esp_name.lower())[:20]
