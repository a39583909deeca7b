"""What a call meant, told from how it ended. One row for each way a provider can answer."""

import smtplib
import socket
import ssl
from datetime import UTC, datetime, timedelta

import pytest
import requests
from anymail import exceptions as anymail
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import BadHeaderError
from urllib3 import exceptions as urllib3

from reminders import outcomes
from reminders.outcomes import Came, Way

NOW = datetime(2026, 3, 3, 15, tzinfo=UTC)
A = "ana@example.com"


def answered(status: int, body: bytes = b"<html>", **headers: str) -> Exception:
    response = requests.Response()
    response.status_code, response._content = status, body
    response.reason = "because"
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return anymail.AnymailRequestsAPIError(response=response)


def silence(kind: type[requests.RequestException], cause: BaseException | None = None) -> Exception:
    """As Anymail wraps what `requests` raised: both classes at once."""
    both = type("AnymailRequestsAPIError", (anymail.AnymailRequestsAPIError, kind), {})
    error = both("Error posting")
    error.__cause__ = kind(cause) if cause else kind()
    return error


def max_retries(reason: Exception) -> Exception:
    return urllib3.MaxRetryError(None, "/", reason)


def botocore(code: str) -> Exception:
    error = Exception("client error")
    error.response = {"Error": {"Code": code}}
    wrapped = anymail.AnymailAPIError("SES")
    wrapped.__cause__ = error
    return wrapped


def refused(code: int, text: bytes) -> smtplib.SMTPRecipientsRefused:
    return smtplib.SMTPRecipientsRefused({A: (code, text)})


NOT_SENT, UNKNOWN, REJECTED, FAILED = Came.NOT_SENT, Came.UNKNOWN, Came.REJECTED, Came.FAILED

CASES = {
    "a feature the provider lacks": (anymail.AnymailUnsupportedFeature(), FAILED, Way.UNTRIED),
    "a mail that cannot be written": (anymail.AnymailSerializationError(), FAILED, Way.UNTRIED),
    "an address that is none": (anymail.AnymailInvalidAddress(), FAILED, Way.UNTRIED),
    "a line break in a header": (BadHeaderError(), FAILED, Way.UNTRIED),
    "nothing sent, says the backend": (outcomes.NotTaken(), FAILED, Way.UNTRIED),
    "all recipients refused": (anymail.AnymailRecipientsRefused(), REJECTED, Way.GOOD),
    "no such setting": (ImproperlyConfigured(), NOT_SENT, Way.BARRED),
    "200 with a proxy's page": (answered(200), UNKNOWN, Way.DOUBTFUL),
    "302": (answered(302), UNKNOWN, Way.DOUBTFUL),
    "400": (answered(400), FAILED, Way.GOOD),
    "401": (answered(401), NOT_SENT, Way.BARRED),
    "403": (answered(403), NOT_SENT, Way.BARRED),
    "404": (answered(404), NOT_SENT, Way.BARRED),
    "408": (answered(408), UNKNOWN, Way.DOUBTFUL),
    "422": (answered(422), FAILED, Way.GOOD),
    "422, sender not confirmed": (answered(422, b'{"ErrorCode": 400}'), NOT_SENT, Way.BARRED),
    "429": (answered(429, retry_after="7"), NOT_SENT, Way.THROTTLED),
    "500": (answered(500), UNKNOWN, Way.DOUBTFUL),
    "502": (answered(502), UNKNOWN, Way.DOUBTFUL),
    "503": (answered(503), NOT_SENT, Way.SHUT),
    "504": (answered(504), UNKNOWN, Way.DOUBTFUL),
    "no time to connect": (silence(requests.ConnectTimeout), NOT_SENT, Way.SHUT),
    "no time to answer": (silence(requests.ReadTimeout), UNKNOWN, Way.DOUBTFUL),
    "connection refused": (
        silence(
            requests.ConnectionError,
            max_retries(urllib3.NewConnectionError(None, "connection refused")),
        ),
        NOT_SENT,
        Way.SHUT,
    ),
    "connection reset": (
        silence(
            requests.ConnectionError,
            urllib3.ProtocolError("Connection aborted.", ConnectionResetError(104, "reset")),
        ),
        UNKNOWN,
        Way.DOUBTFUL,
    ),
    "a certificate nobody signed": (
        silence(
            requests.exceptions.SSLError,
            max_retries(urllib3.SSLError(ssl.SSLCertVerificationError("self-signed"))),
        ),
        NOT_SENT,
        Way.SHUT,
    ),
    "TLS that broke at an unknown moment": (
        silence(requests.exceptions.SSLError, max_retries(urllib3.SSLError(ssl.SSLEOFError()))),
        UNKNOWN,
        Way.DOUBTFUL,
    ),
    "SES throttles": (botocore("ThrottlingException"), NOT_SENT, Way.THROTTLED),
    "SES account paused": (botocore("AccountSendingPausedException"), NOT_SENT, Way.BARRED),
    "SES refuses the content": (botocore("MessageRejected"), FAILED, Way.GOOD),
    "SES breaks": (botocore("InternalFailure"), UNKNOWN, Way.DOUBTFUL),
    "SMTP, no such mailbox": (refused(550, b"5.1.1 no such mailbox"), REJECTED, Way.GOOD),
    "SMTP, greylisted": (refused(451, b"4.7.1 try again later"), NOT_SENT, Way.GOOD),
    "SMTP, no relaying for us": (refused(550, b"5.7.1 relaying denied"), NOT_SENT, Way.BARRED),
    "SMTP, goes down before us": (
        smtplib.SMTPSenderRefused(421, b"too many", "updates@x.example"),
        NOT_SENT,
        Way.SHUT,
    ),
    "SMTP, sender refused": (
        smtplib.SMTPSenderRefused(553, b"not yours", "updates@x.example"),
        NOT_SENT,
        Way.BARRED,
    ),
    "SMTP, busy after DATA": (smtplib.SMTPDataError(452, b"disk full"), NOT_SENT, Way.GOOD),
    "SMTP, refused after DATA": (smtplib.SMTPDataError(554, b"5.6.0 bad"), FAILED, Way.GOOD),
    "SMTP, dropped": (smtplib.SMTPServerDisconnected("gone"), UNKNOWN, Way.DOUBTFUL),
    "SMTP, an answer nobody can read": (
        smtplib.SMTPResponseException(-1, b"?"),
        UNKNOWN,
        Way.DOUBTFUL,
    ),
    "no time to answer over SMTP": (TimeoutError(), UNKNOWN, Way.DOUBTFUL),
    "a reset": (ConnectionResetError(), UNKNOWN, Way.DOUBTFUL),
    "a name that does not resolve": (socket.gaierror(), NOT_SENT, Way.SHUT),
    "nobody listens": (ConnectionRefusedError(), NOT_SENT, Way.SHUT),
    "an error of a receiver after sending": (KeyError("receiver"), UNKNOWN, Way.DOUBTFUL),
    "an answer without a yes": (outcomes.Undecided(), UNKNOWN, Way.DOUBTFUL),
}


@pytest.mark.parametrize(("error", "came", "way"), CASES.values(), ids=CASES.keys())
def test_how_a_call_ended_says_what_came_of_it(error, came, way):
    outcome = outcomes.of_calling(error, now=NOW)
    assert (outcome.came, outcome.way) == (came, way)
    assert outcome.error
    assert A not in outcome.error


@pytest.mark.parametrize(
    ("text", "suppressed"),
    [
        (b"5.1.1 user unknown", True),
        (b"no such mailbox", True),
        (b"5.2.1 mailbox disabled", True),
        (b"5.2.2 mailbox full", False),
        (b"5.7.1 blocked by policy", False),
        (b"rejected as spam", False),
    ],
)
def test_only_a_dead_address_is_suppressed(text, suppressed):
    outcome = outcomes.of_calling(refused(550, text), now=NOW)
    assert outcome.came is REJECTED
    assert outcome.suppress is suppressed


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        pytest.param("7", 7, id="seconds"),
        pytest.param("Tue, 03 Mar 2026 15:02:00 GMT", 120, id="a date"),
        pytest.param("Tue, 03 Mar 2026 14:00:00 GMT", 60, id="a date in the past"),
        pytest.param("0", 60, id="nothing"),
        pytest.param("-5", 60, id="less than nothing"),
        pytest.param("99999999999999999999", 3600, id="absurdly long"),
        pytest.param("soon", 60, id="a word"),
        pytest.param("١٢", 60, id="digits of another script"),
        pytest.param(None, 60, id="none"),
    ],
)
def test_the_wait_a_provider_asks_for_is_believed_within_reason(value, seconds):
    assert outcomes.retry_after(value, now=NOW) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("error", "way"),
    [
        (smtplib.SMTPAuthenticationError(535, b"no"), Way.BARRED),
        (smtplib.SMTPConnectError(421, b"later"), Way.SHUT),
        (ConnectionRefusedError(), Way.SHUT),
        (TimeoutError(), Way.SHUT),
    ],
)
def test_without_a_connection_nothing_was_sent(error, way):
    outcome = outcomes.of_opening(error)
    assert (outcome.came, outcome.way) == (NOT_SENT, way)


def test_only_what_is_about_this_mail_counts_against_it():
    assert outcomes.of_calling(refused(451, b"greylisted"), now=NOW).counts
    for error in (answered(429), answered(401), answered(503), ConnectionRefusedError()):
        assert not outcomes.of_calling(error, now=NOW).counts


def test_a_providers_id_is_kept_as_far_as_it_can_be_stored():
    assert outcomes.accepted("a\x00b\ud800c").provider_message_id == "abc"
