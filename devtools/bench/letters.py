"""Whether what the sink was sent is what had to be sent: everybody once, in their language, with
links that open."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from typing import NamedTuple

from devtools.bench.lines import Wrong
from devtools.bench.sink import Kept

SUBJECTS = {"en": "Your check-in is ready", "es": "Su cuestionario breve está listo"}
SURVEY = re.compile(r"http://localhost:8000/s/([\w-]{43})/")
UNSUBSCRIBE = re.compile(r"http://localhost:8000/u/([\w-]{43})/")

Expected = Mapping[str, tuple[str, str, str]]


class Parts(NamedTuple):
    subject: str
    text: str
    html: str
    headers: dict[str, str]


@dataclass(frozen=True)
class Pattern:
    """A mail as a template: what is personal stands in double braces."""

    subject: str
    text: str
    html: str
    headers: dict[str, str]


def check(messages: Iterable[Kept], expected: Expected) -> None:
    seen: set[str] = set()
    for kept in messages:
        if len(kept.recipients) != 1 or kept.recipients[0] in seen:
            raise Wrong(f"a mail for {len(kept.recipients)} recipients, or a second one for one")
        (address,) = kept.recipients
        seen.add(address)
        if address not in expected:
            raise Wrong("a mail to somebody who was not due")
        _check_one(parts(kept.content), *expected[address])
    if len(seen) != len(expected):
        raise Wrong(f"{len(seen)} people were written to, {len(expected)} were due")


def _check_one(mail: Parts, language: str, survey: str, unsubscribe: str) -> None:
    if mail.subject != SUBJECTS[language]:
        raise Wrong(f"the subject is {mail.subject!r} for {language}")
    for body in (mail.text, mail.html):
        links = {digest(token) for token in SURVEY.findall(body)}
        ends = {digest(token) for token in UNSUBSCRIBE.findall(body)}
        if links != {survey} or ends != {unsubscribe}:
            raise Wrong("a link in the mail does not open")
    if f'lang="{language}"' not in mail.html:
        raise Wrong("the HTML is not in the patient's language")


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def parts(content: bytes) -> Parts:
    mail = message_from_bytes(content)
    bodies = {part.get_content_type(): _text(part) for part in mail.walk()}
    headers = {name: " ".join(value.split()) for name, value in mail.items()}
    subject = str(make_header(decode_header(mail["Subject"])))
    return Parts(subject, bodies.get("text/plain", ""), bodies.get("text/html", ""), headers)


def pattern(content: bytes) -> Pattern:
    """A template of the same wording and weight, for whoever is to send the same."""
    mail = parts(content)

    def blanked(text: str) -> str:
        text = SURVEY.sub("{{ link }}", text)
        return UNSUBSCRIBE.sub("{{ unsubscribe }}", text)

    keep = ("Auto-Submitted", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post")
    headers = {name: mail.headers[name] for name in keep}
    return Pattern(mail.subject, blanked(mail.text), blanked(mail.html), headers)


def _text(part: "Message[str, str]") -> str:
    content = part.get_payload(decode=True)
    return content.decode() if isinstance(content, bytes) else ""
