"""What a call to a provider meant, told from how it ended. Decides; changes nothing.

The one question that matters is whether the provider may have the mail. When in doubt the answer
is UNKNOWN: sending again on a doubt is how patients are mailed twice.
"""

import smtplib
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any

import requests
from anymail import exceptions as anymail
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import BadHeaderError
from urllib3 import exceptions as urllib3

from reminders import smtp_answers
from reminders.models import Attempt

PAUSE = timedelta(minutes=1)  # when throttled without a usable Retry-After
LONGEST_PAUSE = timedelta(hours=1)

Came = Attempt.Outcome


class Way(Enum):
    """What the outcome says about the way out, whatever it says about this mail."""

    GOOD = "the provider answered"
    DOUBTFUL = "nobody knows whether it took the mail"
    SHUT = "it could not be reached, or is out of service"
    THROTTLED = "it asks us to wait"
    BARRED = "it does not accept us: credentials, sender, account"
    UNTRIED = "no call was made"


@dataclass(frozen=True, slots=True)
class Outcome:
    came: Attempt.Outcome
    way: Way
    error: str = ""  # class and code, never a text
    counts: bool = False  # against the message's own limit of attempts
    wait: timedelta | None = None  # how long the lane rests
    suppress: bool = False  # the address itself was refused
    provider_message_id: str = ""


class Undecided(Exception):
    """The provider answered, and did not say that it took the mail."""


class NotTaken(Exception):
    """The backend says that it sent nothing."""


# Settled before anything left this machine: the mail itself cannot be sent.
_UNSENDABLE = (
    anymail.AnymailUnsupportedFeature,
    anymail.AnymailSerializationError,
    anymail.AnymailInvalidAddress,
    anymail.AnymailCancelSend,
    BadHeaderError,
    UnicodeError,
    NotTaken,
)
_UNREACHED = (
    socket.gaierror,
    ConnectionRefusedError,
    ssl.SSLCertVerificationError,
    requests.ConnectTimeout,
    urllib3.NewConnectionError,
    urllib3.ConnectTimeoutError,
)
_MISADDRESSED = (
    ImproperlyConfigured,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
)
# botocore is not installed with us: its exceptions are known by name.
_UNREACHED_BY_NAME = {"EndpointConnectionError", "ConnectTimeoutError"}
_BARRED_BY_NAME = {"NoCredentialsError", "PartialCredentialsError"}

# Providers that report a fault of the account or the sender like one of the mail.
_BARRED_CODES: set[int | str] = {
    # Postmark's ErrorCode: token, sender signature, credits, account, server
    *(10, 400, 401, 403, 405, 411, 412, 413),
    # Resend's name
    *("missing_api_key", "invalid_api_key", "invalid_from_address"),
    # Amazon SES's Code
    *("AccountSendingPausedException", "SendingPausedException", "AccountSuspendedException"),
    *("MailFromDomainNotVerifiedException", "AccessDeniedException"),
}
_THROTTLED_CODES = {"Throttling", "ThrottlingException", "TooManyRequestsException"}
_REFUSED_CODES = {"MessageRejected", "BadRequestException", "InvalidParameterValue"}


def accepted(provider_message_id: str) -> Outcome:
    readable = "".join(filter(str.isprintable, provider_message_id))
    return Outcome(Came.ACCEPTED, Way.GOOD, provider_message_id=readable[:200])


def never_called(reason: str) -> Outcome:
    """We know that no call was made: we would have made it."""
    return Outcome(Came.NOT_SENT, Way.UNTRIED, error=reason)


def lost() -> Outcome:
    """The worker is gone between its intent and its record."""
    return Outcome(Came.UNKNOWN, Way.UNTRIED, error="worker lost")


def unreadable(error: Exception) -> Outcome:
    """Not even the failure could be understood: the provider may have the mail."""
    return Outcome(Came.UNKNOWN, Way.DOUBTFUL, error=_name(error))


def still_unknown(outcome: Outcome) -> Outcome:
    """Of a repeated call that got no yes. What it says of the way out stands."""
    return Outcome(Came.UNKNOWN, outcome.way, error=outcome.error, wait=outcome.wait)


def of_opening(error: Exception) -> Outcome:
    """The connection could not be made, so nothing was sent whatever the error is."""
    barred = isinstance(error, smtplib.SMTPAuthenticationError | ImproperlyConfigured)
    return Outcome(Came.NOT_SENT, Way.BARRED if barred else Way.SHUT, error=_name(error))


def of_calling(error: Exception, *, now: datetime) -> Outcome:
    """The call raised: may the provider have the mail?"""
    if isinstance(error, _UNSENDABLE):
        return Outcome(Came.FAILED, Way.UNTRIED, error=_name(error))
    if isinstance(error, anymail.AnymailRecipientsRefused):
        return Outcome(Came.REJECTED, Way.GOOD, error=_name(error), suppress=True)
    if isinstance(error, _MISADDRESSED):
        return Outcome(Came.NOT_SENT, Way.BARRED, error=_name(error))
    if isinstance(error, smtplib.SMTPException):
        return _of_smtp(error)
    if (status := getattr(error, "status_code", None)) is not None:
        return _of_status(int(status), error, now)
    return _of_silence(error)


def _of_status(status: int, error: Exception, now: datetime) -> Outcome:
    """The provider answered over HTTP with something that is not a yes."""
    name = f"{_name(error)} {status}"
    response = getattr(error, "response", None)
    if status == 429:
        wait = retry_after(_header(response, "retry-after"), now=now)
        return Outcome(Came.NOT_SENT, Way.THROTTLED, error=name, wait=wait)
    if status in (401, 403, 404, 405) or _codes(response) & _BARRED_CODES:
        return Outcome(Came.NOT_SENT, Way.BARRED, error=name)
    if status == 503:
        return Outcome(Came.NOT_SENT, Way.SHUT, error=name)
    if 400 <= status < 500 and status != 408:
        return Outcome(Came.FAILED, Way.GOOD, error=name)
    return Outcome(Came.UNKNOWN, Way.DOUBTFUL, error=name)


def _of_silence(error: Exception) -> Outcome:
    """No answer: it matters whether we got as far as asking."""
    causes = list(_causes(error))
    names = {type(cause).__name__ for cause in causes}
    codes = {code for cause in causes for code in _codes(cause)}
    if codes & _THROTTLED_CODES:
        return Outcome(Came.NOT_SENT, Way.THROTTLED, error=_name(error), wait=PAUSE)
    if codes & _BARRED_CODES or names & _BARRED_BY_NAME:
        return Outcome(Came.NOT_SENT, Way.BARRED, error=_name(error))
    if codes & _REFUSED_CODES:
        return Outcome(Came.FAILED, Way.GOOD, error=_name(error))
    if names & _UNREACHED_BY_NAME or any(isinstance(cause, _UNREACHED) for cause in causes):
        return Outcome(Came.NOT_SENT, Way.SHUT, error=_name(error))
    return Outcome(Came.UNKNOWN, Way.DOUBTFUL, error=_name(error))


def _of_smtp(error: smtplib.SMTPException) -> Outcome:
    """A reply with a code is an answer; a dropped connection is not."""
    answer = smtp_answers.of(error)
    if answer is None:
        return Outcome(Came.UNKNOWN, Way.DOUBTFUL, error=_name(error))
    name = f"{_name(error)} {answer.code}"
    if answer.about_us:
        return Outcome(Came.NOT_SENT, Way.BARRED, error=name)
    if answer.code == 421:
        return Outcome(Came.NOT_SENT, Way.SHUT, error=name)
    if answer.code < 500:
        return Outcome(Came.NOT_SENT, Way.GOOD, error=name, counts=True)
    if answer.about_recipient:
        return Outcome(Came.REJECTED, Way.GOOD, error=name, suppress=answer.no_such_address)
    return Outcome(Came.FAILED, Way.GOOD, error=name)


def retry_after(value: str | None, *, now: datetime) -> timedelta:
    """Seconds, or an HTTP date. What is missing, past or absurd becomes a plain pause."""
    wait = _as_seconds(value) or _as_date(value, now)
    if wait is None or wait <= timedelta():
        return PAUSE
    return min(wait, LONGEST_PAUSE)


def _as_seconds(value: str | None) -> timedelta | None:
    text = (value or "").strip()
    if not text.isascii() or not text.isdecimal():
        return None
    return timedelta(seconds=min(int(text[:12]), LONGEST_PAUSE.total_seconds() * 2))


def _as_date(value: str | None, now: datetime) -> timedelta | None:
    try:
        moment = parsedate_to_datetime(value or "")
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now


def _header(response: Any, name: str) -> str | None:
    headers = getattr(response, "headers", None)
    return headers.get(name) if headers is not None else None


def _codes(response: Any) -> set[int | str]:
    """The provider's own codes, out of a JSON answer or a botocore error."""
    inner = getattr(response, "response", None)
    if isinstance(inner, dict):  # botocore
        return {str(inner.get("Error", {}).get("Code", ""))}
    try:
        body = response.json()
    except (AttributeError, ValueError, RecursionError):
        return set()
    found = body if isinstance(body, dict) else {}
    codes = (found.get("ErrorCode"), found.get("name"))
    return {code for code in codes if isinstance(code, int | str)}


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what caused it, and what urllib3 keeps in `reason` and in its arguments."""
    seen: list[BaseException] = []
    waiting: list[Any] = [error]
    while waiting:
        current = waiting.pop()
        if not isinstance(current, BaseException) or current in seen:
            continue
        seen.append(current)
        yield current
        waiting += [current.__cause__, current.__context__, getattr(current, "reason", None)]
        waiting += list(current.args)


def _name(error: BaseException) -> str:
    """The class, and the one below it where a provider's wrapper hides the cause."""
    names = [type(error).__name__]
    if error.__cause__ is not None:
        names.append(type(error.__cause__).__name__)
    return " from ".join(names)[:100]
