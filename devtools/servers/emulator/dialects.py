"""Postmark and Resend: how each is asked, how it answers, and how it reports."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parseaddr
from typing import Any, Protocol

from devtools.servers import provider
from devtools.servers.emulator.moods import Answer
from devtools.servers.provider import Accepted, Json

TOKEN = provider.TOKEN
PAGE = "<!doctype html><html><body><h1>We will be right back</h1></body></html>"
STATUS = {
    Answer.YES: 200,
    Answer.TAKES_500: 500,
    Answer.TAKES_HTML: 200,
    Answer.NO_500: 500,
    Answer.NO_502: 502,
    Answer.NO_503: 503,
    Answer.NO_429: 429,
    Answer.NO_401: 401,
    Answer.NO_403: 403,
    Answer.NO_ADDRESS: 422,
}
Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Asked:
    ref: str
    to: str
    key: str
    payload: Json


class Dialect(Protocol):
    def is_ours(self, headers: Headers) -> bool: ...

    def read(self, payload: Json, headers: Headers) -> Asked: ...

    def say(self, answer: Answer, asked: Asked, mail_id: str) -> Json: ...

    def report(self, kind: str, asked: Asked, mail_id: str) -> Json: ...


class Postmark:
    """https://postmarkapp.com/developer/api/email-api"""

    _codes = {
        Answer.NO_401: provider.ANSWERS[provider.Behaviour.BAD_TOKEN],
        Answer.NO_403: (403, 412, "This account is pending approval."),
        Answer.NO_429: provider.ANSWERS[provider.Behaviour.TOO_MANY],
        Answer.NO_503: provider.ANSWERS[provider.Behaviour.UNAVAILABLE],
        Answer.NO_ADDRESS: provider.ANSWERS[provider.Behaviour.INACTIVE],
    }

    def is_ours(self, headers: Headers) -> bool:
        return headers.get("X-Postmark-Server-Token") == TOKEN

    def read(self, payload: Json, headers: Headers) -> Asked:
        ref = payload.get("Metadata", {}).get("id", "")
        return Asked(ref, parseaddr(payload["To"])[1], "", payload)

    def say(self, answer: Answer, asked: Asked, mail_id: str) -> Json:
        if answer is Answer.YES:
            said = {"ErrorCode": 0, "Message": "OK", "To": asked.payload["To"]}
            return {**said, "SubmittedAt": _now(), "MessageID": mail_id}
        _, code, words = self._codes.get(answer, (500, 0, "Internal Server Error"))
        return {"ErrorCode": code, "Message": words.format(to=asked.to)}

    def report(self, kind: str, asked: Asked, mail_id: str) -> Json:
        mail = Accepted(mail_id, asked.payload)
        if kind == "soft":
            return provider.bounced(mail, "SoftBounce")
        makers = {
            "delivered": provider.delivered,
            "hard": provider.bounced,
            "complained": provider.complained,
        }
        return makers[kind](mail)


class Resend:
    """https://resend.com/docs/api-reference/emails/send-email"""

    _errors = {
        Answer.NO_401: ("missing_api_key", "Missing API key in the authorization header."),
        Answer.NO_403: ("invalid_api_key", "API key is invalid."),
        Answer.NO_429: ("rate_limit_exceeded", "Too many requests."),
        Answer.NO_ADDRESS: ("validation_error", "Invalid `to` field."),
    }
    _kinds = {
        "delivered": "email.delivered",
        "hard": "email.bounced",
        "soft": "email.delivery_delayed",
        "complained": "email.complained",
    }

    def is_ours(self, headers: Headers) -> bool:
        return headers.get("Authorization") == f"Bearer {TOKEN}"

    def read(self, payload: Json, headers: Headers) -> Asked:
        metadata = json.loads(payload.get("headers", {}).get("X-Metadata", "{}"))
        to = parseaddr(payload["to"][0])[1]
        return Asked(metadata.get("id", ""), to, headers.get("Idempotency-Key", ""), payload)

    def say(self, answer: Answer, asked: Asked, mail_id: str) -> Json:
        if answer is Answer.YES:
            return {"id": mail_id}
        name, message = self._errors.get(answer, ("internal_server_error", "Something is wrong."))
        return {"statusCode": STATUS.get(answer, 500), "name": name, "message": message}

    def report(self, kind: str, asked: Asked, mail_id: str) -> Json:
        data: dict[str, Any] = {
            "email_id": mail_id,
            "created_at": _now(),
            "from": asked.payload["from"],
            "to": [asked.to],
            "subject": asked.payload["subject"],
            "headers": [{"name": n, "value": v} for n, v in asked.payload["headers"].items()],
        }
        if kind == "hard":
            words = "The recipient's email provider sent a hard bounce message."
            data["bounce"] = {"message": words, "type": "Permanent", "subType": "General"}
        return {"type": self._kinds[kind], "created_at": _now(), "data": data}


DIALECTS: dict[str, Dialect] = {"email": Postmark(), "emails": Resend()}
CONFLICT = {
    "statusCode": 409,
    "name": "invalid_idempotent_request",
    "message": "This idempotency key was used with another request.",
}


def _now() -> str:
    return datetime.now(UTC).isoformat()
