"""One connection to the provider: opened when first needed, reused, one message a call."""

from types import TracebackType
from typing import Self

from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend

from reminders import lanes, smtp
from reminders.emails import Mail
from reminders.moulds import Moulded
from reminders.outcomes import NotTaken, Undecided

# Of providers that know an idempotency key, Anymail's backend and the one that passes ours on.
KEYED = {"anymail.backends.resend.EmailBackend": "reminders.backends.resend.EmailBackend"}


class Transport:
    """Knows Django's e-mail API and nothing of rows."""

    def __init__(self) -> None:
        self.lane = lanes.current()
        self._backend: BaseEmailBackend | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def is_open(self) -> bool:
        return self._backend is not None

    def open(self) -> None:
        """Raises what the backend raises; nothing has been sent then."""
        if self._backend is None:
            backend = get_connection(KEYED.get(settings.EMAIL_BACKEND, settings.EMAIL_BACKEND))
            backend.open()
            self._backend = backend

    def call(self, mail: Mail) -> str:
        """Hand over one mail. Returns the provider's id for it; raises when there is no yes."""
        if self._backend is None:
            raise RuntimeError("open the transport before the intent is recorded")
        if isinstance(mail.email, Moulded) and isinstance(self._backend, EmailBackend):
            return self._hand_over(mail.email, self._backend)
        if not self._backend.send_messages([mail.email]):
            raise NotTaken
        status = getattr(mail.email, "anymail_status", None)
        if status is None:
            return str(mail.email.extra_headers["Message-ID"])
        if not status.message_id and not (status.status or set()) & {"sent", "queued"}:
            raise Undecided
        return str(status.message_id or "")

    def _hand_over(self, email: Moulded, backend: EmailBackend) -> str:
        """SMTP, with a mail that is encoded already and addresses that are plain ones."""
        assert backend.connection is not None
        smtp.hand_over(backend.connection, settings.MAIL_FROM, email.to, email.wire)
        return email.message_id

    def close(self) -> None:
        """Also after a failed call: what is left of that connection is not worth keeping."""
        backend, self._backend = self._backend, None
        if backend is None:
            return
        try:
            backend.close()
        except OSError:  # smtplib's exceptions are OSErrors; the connection is gone either way
            return
