"""What an SMTP server's refusal is about: this recipient, this mail, or us. Pure."""

import re
import smtplib
from dataclasses import dataclass

_ENHANCED = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")  # RFC 3463
_DEAD = {"5.1.1", "5.1.3", "5.1.10", "5.2.1"}
_ABOUT_US = re.compile(r"relay|authenticat|sender|spf|dmarc|dkim", re.IGNORECASE)
_POLICY = re.compile(r"polic|block|spam|denied|reputation|blacklist|blocklist", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    code: int
    about_us: bool = False  # nobody's mail would pass
    about_recipient: bool = False
    no_such_address: bool = False


def of(error: smtplib.SMTPException) -> Answer | None:
    """None: the server did not answer, so that nobody knows how far it came."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return _of_recipient(error)
    if isinstance(error, smtplib.SMTPSenderRefused):
        return Answer(error.smtp_code, about_us=error.smtp_code >= 500)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return Answer(555)
    if isinstance(error, smtplib.SMTPResponseException):
        code, text = error.smtp_code, _text(error.smtp_error)
        # -1: smtplib could not read the answer at all
        return Answer(code, about_us=_bars_us(code, text)) if code > 0 else None
    return None


def _of_recipient(error: smtplib.SMTPRecipientsRefused) -> Answer | None:
    """One recipient a mail, so there is one refusal."""
    code, raw = next(iter(error.recipients.values()))
    text = _text(raw)
    if code < 0:
        return None
    if _bars_us(code, text):
        return Answer(code, about_us=True)
    return Answer(code, about_recipient=True, no_such_address=_no_such_address(code, text))


def _no_such_address(code: int, text: str) -> bool:
    """Only what speaks of the address itself: a policy may change tomorrow."""
    if found := _ENHANCED.search(text):
        return found.group() in _DEAD
    return code in (550, 551, 553) and not _POLICY.search(text)


def _bars_us(code: int, text: str) -> bool:
    return code in (530, 535) or (500 <= code < 600 and bool(_ABOUT_US.search(text)))


def _text(raw: bytes | str) -> str:
    return raw.decode(errors="replace") if isinstance(raw, bytes) else raw
