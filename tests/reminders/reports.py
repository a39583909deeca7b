"""Providers' reports for tests: as their documentation prints them, made to be about a message of
ours, and posted as each provider posts and signs them."""

import base64
import copy
import hashlib
import hmac
import json
import secrets
import uuid
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from svix.webhooks import Webhook

from reminders.models import Message, Notice
from tests.reminders.amazon import TOPIC, Amazon

PAYLOADS = Path(__file__).parent / "payloads"
PROVIDERS = ("postmark", "mailgun", "amazon_ses", "resend")
SECRET = "user:long-enough-secret"
MAILGUN_KEY = "a-signing-key-of-mailgun"
RESEND_KEY = "whsec_" + base64.b64encode(b"a-signing-secret-of-resend").decode()
SETTINGS = {
    "WEBHOOK_SECRET": [SECRET],
    "MAILGUN_WEBHOOK_SIGNING_KEY": MAILGUN_KEY,
    "RESEND_SIGNING_SECRET": RESEND_KEY,
}
Json = dict[str, Any]


def names(provider: str) -> list[str]:
    paths = (PAYLOADS / provider).glob("[a-z]*.json")
    return sorted(path.stem for path in paths)


@lru_cache
def _text(provider: str, name: str) -> str:
    return (PAYLOADS / provider / f"{name}.json").read_text()


def payload(provider: str, name: str) -> Json:
    """As printed; what begins with an underscore says where."""
    return {key: value for key, value in printed(provider, name).items() if key[0] != "_"}


def printed(provider: str, name: str) -> Json:
    return dict(json.loads(_text(provider, name)))


def about(provider: str, name: str, row: Message | Notice, at: datetime) -> Json:
    """The printed payload with our id, the provider's, and the time put where it has them."""
    event = copy.deepcopy(payload(provider, name))
    _ABOUT[provider](event, str(row.pk), row.provider_message_id, at)
    return event


def _about_postmark(event: Json, ref: str, provider_id: str, at: datetime) -> None:
    event["Metadata"], event["MessageID"] = {"id": ref}, provider_id
    moment = next(key for key in event if key in ("DeliveredAt", "BouncedAt", "ChangedAt"))
    event[moment] = at.isoformat()


def _about_mailgun(event: Json, ref: str, provider_id: str, at: datetime) -> None:
    data = event["event-data"]
    data["user-variables"], data["timestamp"] = {"id": ref}, at.timestamp()
    data["message"]["headers"]["message-id"] = provider_id.strip("<>")


def _about_amazon(event: Json, ref: str, provider_id: str, at: datetime) -> None:
    event["mail"]["messageId"], event["mail"]["timestamp"] = provider_id, at.isoformat()
    if "headers" in event["mail"]:
        event["mail"]["headers"].append({"name": "X-Metadata", "value": json.dumps({"id": ref})})
    part = next(key for key in event if key not in ("eventType", "mail"))
    if "timestamp" in event[part]:
        event[part]["timestamp"] = at.isoformat()


def _about_resend(event: Json, ref: str, provider_id: str, at: datetime) -> None:
    event["data"]["email_id"], event["created_at"] = provider_id, at.isoformat()


_ABOUT: dict[str, Callable[[Json, str, str, datetime], None]] = {
    "postmark": _about_postmark,
    "mailgun": _about_mailgun,
    "amazon_ses": _about_amazon,
    "resend": _about_resend,
}


def post(provider: str, body: Json | str, secret: str = SECRET, **headers: str) -> HttpResponse:
    """As it is: not signed. `headers` are what a request carries beside the secret."""
    if secret:
        headers["authorization"] = "Basic " + base64.b64encode(secret.encode()).decode()
    text = body if isinstance(body, str) else json.dumps(body)
    return Client(raise_request_exception=False).post(
        f"/anymail/{provider}/tracking/", text, content_type="application/json", headers=headers
    )


def deliver(provider: str, event: Json, amazon: Amazon, **changes: str) -> HttpResponse:
    """Once, signed as the provider does now. What names the event stays the same at each try."""
    return _DELIVER[provider](event, amazon, **changes)


def _deliver_postmark(event: Json, amazon: Amazon, **changes: str) -> HttpResponse:
    return post("postmark", event, **changes)


def _deliver_mailgun(event: Json, amazon: Amazon, **changes: str) -> HttpResponse:
    return post("mailgun", {**event, "signature": mailgun_signature()}, **changes)


def mailgun_signature(
    at: datetime | None = None, token: str = "", signing_key: str = MAILGUN_KEY
) -> Json:
    token = token or secrets.token_hex(25)
    timestamp = str(int((at or timezone.now()).timestamp()))
    text = f"{timestamp}{token}".encode()
    signature = hmac.new(signing_key.encode(), text, hashlib.sha256).hexdigest()
    return {"timestamp": timestamp, "token": token, "signature": signature}


def _deliver_resend(event: Json, amazon: Amazon, **changes: str) -> HttpResponse:
    text = json.dumps(event)
    return post("resend", text, **{**resend_headers(text), **changes})


def resend_headers(
    text: str, at: datetime | None = None, signing_key: str = RESEND_KEY
) -> dict[str, str]:
    at = at or timezone.now()
    ref = "msg_" + _name_of(text)
    return {
        "svix-id": ref,
        "svix-timestamp": str(int(at.timestamp())),
        "svix-signature": Webhook(signing_key).sign(ref, at, text),
    }


def _deliver_amazon(event: Json, amazon: Amazon, **changes: str) -> HttpResponse:
    return post_sns(amazon.signed(notification(event)), **changes)


def notification(event: Json) -> Json:
    """SES's event in the envelope that SNS puts it in; without a subject, as SES sends none."""
    text = json.dumps(event)
    part = next(key for key in event if key not in ("eventType", "mail"))
    envelope = payload("amazon_ses", "_notification")
    for gone in ("Subject", "Signature", "SigningCertURL"):
        del envelope[gone]
    when = event[part].get("timestamp", event["mail"]["timestamp"])
    return {**envelope, "MessageId": _name_of(text), "Message": text, "Timestamp": when}


def post_sns(message: Json, **changes: str) -> HttpResponse:
    headers = {
        "x-amz-sns-message-type": message["Type"],
        "x-amz-sns-message-id": message["MessageId"],
        "x-amz-sns-topic-arn": message.get("TopicArn", TOPIC),
    }
    return post("amazon_ses", message, **{**headers, **changes})


def _name_of(text: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, text))


_DELIVER: dict[str, Callable[..., HttpResponse]] = {
    "postmark": _deliver_postmark,
    "mailgun": _deliver_mailgun,
    "amazon_ses": _deliver_amazon,
    "resend": _deliver_resend,
}
