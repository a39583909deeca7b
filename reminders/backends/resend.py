"""Resend, with the idempotency key under which the same call may be made again for a day."""

from typing import Any

from anymail.backends import resend
from django.core.mail import EmailMessage

# https://resend.com/docs/dashboard/emails/idempotency-keys: at most 256 characters, for 24 hours;
# the same key with another body is refused.
HEADER = "Idempotency-Key"


class EmailBackend(resend.EmailBackend):  # type: ignore[misc]
    def build_message_payload(self, message: EmailMessage, defaults: Any) -> Any:
        payload = super().build_message_payload(message, defaults)
        if key := getattr(message, "idempotency_key", ""):
            payload.headers[HEADER] = key
        return payload
