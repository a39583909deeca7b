"""One connection to the provider: opened when first needed, reused, one message a call."""

from collections.abc import Generator
from types import TracebackType
from typing import Self

from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend
from django.utils.module_loading import import_string
from requests import Session

from reminders import lanes, smtp
from reminders.emails import Mail
from reminders.moulds import Moulded
from reminders.outcomes import NotTaken, Undecided

# Of providers that know an idempotency key, Anymail's backend and the one that passes ours on.
KEYED = {"anymail.backends.resend.EmailBackend": "reminders.backends.resend.EmailBackend"}


SHORTEST_WAIT = 0.05  # seconds; what has come by then is still read


class Transport:
    """Knows Django's e-mail API and nothing of rows."""

    PATIENCE = settings.EMAIL_TIMEOUT  # seconds for one call

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
            _read_environment_once(backend)
            self._backend = backend

    @property
    def is_smtp(self) -> bool:
        return issubclass(import_string(settings.EMAIL_BACKEND), EmailBackend)

    def wait_at_most(self, seconds: float) -> None:
        """For each of the next answers, over SMTP."""
        connection = getattr(self._backend, "connection", None)
        if connection is not None and connection.sock is not None:
            connection.sock.settimeout(max(seconds, SHORTEST_WAIT))

    def call(self, mail: Mail) -> Generator[None, None, str]:
        """Hand over one mail, step by step. Returns the provider's id for it; raises when there is
        no yes. Whoever has other calls under way lets them take the same step first."""
        backend = self._backend
        if backend is None:
            raise RuntimeError("open the transport before the intent is recorded")
        if isinstance(mail.email, Moulded) and isinstance(backend, EmailBackend):
            assert backend.connection is not None
            email = mail.email
            yield from smtp.hand_over(backend.connection, settings.MAIL_FROM, email.to, email.wire)
            return email.message_id
        return _send_plainly(mail, backend)

    def close(self) -> None:
        """Also after a failed call: what is left of that connection is not worth keeping."""
        backend, self._backend = self._backend, None
        if backend is None:
            return
        try:
            backend.close()
        except OSError:  # smtplib's exceptions are OSErrors; the connection is gone either way
            return


def _read_environment_once(backend: BaseEmailBackend) -> None:
    """Proxies and certificates as the environment names them now: `requests` would look for them
    again in each call, which takes longer than the rest of it."""
    session = getattr(backend, "session", None)
    if isinstance(session, Session):
        found = session.merge_environment_settings(
            getattr(backend, "api_url", ""), {}, None, None, None
        )
        session.proxies, session.verify, session.cert = (
            found["proxies"], found["verify"], found["cert"],
        )  # fmt: skip
        session.trust_env = False


def _send_plainly(mail: Mail, backend: BaseEmailBackend) -> str:
    if not backend.send_messages([mail.email]):
        raise NotTaken
    status = getattr(mail.email, "anymail_status", None)
    if status is None:
        return str(mail.email.extra_headers["Message-ID"])
    if not status.message_id and not (status.status or set()) & {"sent", "queued"}:
        raise Undecided
    return str(status.message_id or "")
