"""Providers' reports: proved, read by Anymail, and written down, one row each; applied by a drain.

Nothing else happens here: a failure would make the provider send the whole batch again. What is
not proved or cannot be read is refused, leaves no row, and nothing of it reaches the log.
"""

import hashlib
import logging
import re
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from anymail.signals import AnymailTrackingEvent, tracking
from anymail.urls import urlpatterns as anymail_urls
from botocore.exceptions import BotoCoreError, ClientError
from django.db import InterfaceError, OperationalError
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern
from django.utils import timezone

from reminders import delivery_kinds, webhook_proofs
from reminders.models import ProviderEvent
from reminders.webhook_proofs import Refused

logger = logging.getLogger(__name__)

_SUFFIX = "_tracking_webhook"
_OLDEST = datetime(2000, 1, 1, tzinfo=UTC)  # a nonsense date must not overflow the column


def guarded(url: URLPattern) -> URLPattern:
    """Anymail's address of one provider, behind our own door."""
    provider = str(url.name).removesuffix(_SUFFIX)
    read = url.callback

    @wraps(read)
    def receive(request: HttpRequest) -> HttpResponse:
        if request.method == "HEAD":  # some look whether there is anything before they send
            return HttpResponse()
        if request.method != "POST":
            return HttpResponseNotAllowed(["HEAD", "POST"])
        try:
            webhook_proofs.demand(request, provider, now=timezone.now())
            answer: HttpResponse = read(request)
            return answer
        except Refused as refused:
            status, why = refused.status, refused.why
        except (OperationalError, InterfaceError, BotoCoreError, ClientError) as error:
            status, why = 503, type(error).__name__  # ours: it comes again
        except Exception as error:  # whatever Anymail or the database cannot make sense of
            status, why = 400, type(error).__name__
        return _refusal(provider, status, why)

    return URLPattern(url.pattern, receive, name=url.name)


# What a provider says became of a mail. Mail to us is not received.
URLS = [guarded(url) for url in anymail_urls if str(url.name).endswith(_SUFFIX)]


def _refusal(provider: str, status: int, why: str) -> HttpResponse:
    """In words of ours only. Amazon sends the secret when it is asked for it by a 401."""
    logger.warning("a report of %s is refused: %s", provider, why)
    answer = HttpResponse(status=status)
    if status == 401:
        answer["WWW-Authenticate"] = 'Basic realm="reports"'
    return answer


@receiver(tracking, dispatch_uid="reminders.webhooks")
def keep(sender: Any, event: AnymailTrackingEvent, esp_name: str, **kwargs: Any) -> None:
    row = _row(event, _provider(esp_name), timezone.now())
    ProviderEvent.objects.bulk_create([row], ignore_conflicts=True)


def _row(event: AnymailTrackingEvent, provider: str, now: datetime) -> ProviderEvent:
    answer = " ".join([str(event.mta_response or ""), *_diagnostics(event.esp_event)])
    return ProviderEvent(
        provider=provider,
        dedupe_key=_dedupe_key(event, provider),
        kind=str(event.event_type)[:20],
        message_ref=_reference(event.metadata),
        provider_message_id=str(event.message_id or "")[:200],
        occurred_at=_moment(event.timestamp),
        received_at=now,
        payload=delivery_kinds.kept(provider, event.esp_event, answer),
        try_after=now,
    )


def _diagnostics(raw: Any) -> Iterable[str]:
    """Resend's copy of the receiving server's answer, which Anymail does not read."""
    try:
        return [str(line) for line in raw["data"]["bounce"]["diagnosticCode"]]
    except (KeyError, TypeError, IndexError):
        return []


def _dedupe_key(event: AnymailTrackingEvent, provider: str) -> str:
    """The provider's id with the recipient, for Amazon SES gives all recipients one id.

    Mailgun's is its token alone: what else the body says is not signed, and the same token with
    another body must not count as another event.
    """
    parts = [provider, str(event.event_id or "")]
    if provider != "mailgun" or not event.event_id:
        recipient = str(event.recipient or "").casefold().encode()
        parts += [hashlib.sha256(recipient).hexdigest(), str(event.event_type)]
        parts += [str(event.message_id or "")]
    if not event.event_id:
        parts += [str(event.timestamp), str(event.click_url or "")]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _reference(metadata: Any) -> str:
    """Our own id, or nothing: metadata is only as trustworthy as the webhook's proof."""
    try:
        return str(uuid.UUID(str(metadata["id"]))) if isinstance(metadata, Mapping) else ""
    except (KeyError, ValueError):
        return ""


def _moment(timestamp: Any) -> datetime | None:
    usable = isinstance(timestamp, datetime) and timestamp.tzinfo and timestamp > _OLDEST
    return timestamp if usable else None


def _provider(esp_name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", esp_name.lower())[:20]
