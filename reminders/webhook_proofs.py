"""That a report comes from the provider: asked before anything of it is believed or kept.

Every provider sends the shared secret. Where it also signs, its signature is required: Anymail
checks Mailgun's, Resend's and others' once their key is set, and here it is refused while it is
not. Amazon's is checked here, and Mailgun's token is kept from being used late.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from anymail.utils import get_anymail_setting, get_request_basic_auth
from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from reminders import sns

MOST_BYTES = 512 * 1024  # SNS sends at most 256 KiB, escaped once more
# Mailgun signs a time and a token. It tries again for eight hours, and says nowhere that it signs
# anew; the token counts only once. A time to come proves a wrong clock, or a shifted digit.
AHEAD = timedelta(minutes=15)
BEHIND = timedelta(hours=8)

# Where a provider signs: Anymail's names of the provider and of the key.
KEYS: Mapping[str, tuple[str, str]] = {
    "mailersend": ("MailerSend", "signing_secret"),
    "mailgun": ("Mailgun", "webhook_signing_key"),
    "mandrill": ("Mandrill", "webhook_key"),
    "postal": ("Postal", "webhook_key"),
    "resend": ("Resend", "signing_secret"),
    "sendgrid": ("SendGrid", "tracking_webhook_verification_key"),
    "unisender_go": ("Unisender Go", "api_key"),
}
_TIMESTAMP = re.compile(r"[1-9]\d{9}")  # ten digits, so that no digit can move into the token


class Refused(Exception):
    """Not believed. `why` is ours and holds nothing of the report."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


def demand(request: HttpRequest, provider: str, *, now: datetime) -> None:
    """Raises Refused. What costs least comes first; nothing is read of a stranger's body."""
    if missing := lacking(provider):
        raise Refused(403, f"not set: {', '.join(missing)}")
    _demand_secret(request)
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
        raise Refused(413, "too long")
    if more := _MORE.get(provider):
        more(request, now)


def lacking(provider: str) -> list[str]:
    """The settings without which every report of this provider is refused."""
    needed = {"ANYMAIL_WEBHOOK_SECRET": settings.ANYMAIL.get("WEBHOOK_SECRET")}
    if provider in KEYS:
        needed[KEYS[provider][1].upper()] = _key(*KEYS[provider])
    if provider == "amazon_ses":
        needed["SNS_TOPICS"] = settings.SNS_TOPICS
    return [name for name, value in needed.items() if not value]


def _demand_secret(request: HttpRequest) -> None:
    allowed = settings.ANYMAIL["WEBHOOK_SECRET"]
    given = get_request_basic_auth(request) or ""
    known = [allowed] if isinstance(allowed, str) else allowed
    if not any(constant_time_compare(given, secret) for secret in known):
        raise Refused(401, "wrong secret")


def _key(name: str, setting: str) -> str:
    return str(get_anymail_setting(setting, esp_name=name, default=None, allow_bare=True) or "")


def _demand_amazon(request: HttpRequest, now: datetime) -> None:
    try:
        sns.verify(_json(request), topics=settings.SNS_TOPICS, now=now)
    except sns.Forged as error:
        raise Refused(403, str(error)) from error
    except sns.Unreachable as error:
        raise Refused(503, f"Amazon's certificate: {error}") from error


def _demand_fresh(request: HttpRequest, now: datetime) -> None:
    """Mailgun signs no more than a time and a token: an old pair proves nothing any more."""
    if request.content_type != "application/json":
        raise Refused(400, "not JSON")
    signature = _json(request).get("signature")
    signed_at = signature.get("timestamp") if isinstance(signature, dict) else None
    if not isinstance(signed_at, str) or not _TIMESTAMP.fullmatch(signed_at):
        raise Refused(400, "no signature")
    age = timedelta(seconds=now.timestamp() - int(signed_at))
    if not -AHEAD <= age <= BEHIND:
        raise Refused(403, "its signature is too old or from the future")


def _json(request: HttpRequest) -> dict[str, Any]:
    try:
        found = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "not JSON") from error
    if not isinstance(found, dict):
        raise Refused(400, "not an object")
    return found


_MORE: Mapping[str, Callable[[HttpRequest, datetime], None]] = {
    "amazon_ses": _demand_amazon,
    "mailgun": _demand_fresh,
}
