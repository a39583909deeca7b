"""A mail written and encoded once for each template and language; personal parts are swapped in.

To render and encode a mail costs many times what it costs to send it. A mould is the mail of
nobody, written the plain way with marks in the place of what is personal, and cut at the marks.
Every n-th mail is written the plain way too and read as a mail program would read it: a mould that
says anything else is thrown away, and its mails are written plainly from then on.
"""

import hashlib
import logging
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from email import policy
from email.parser import BytesParser
from email.utils import formatdate
from functools import lru_cache
from itertools import count
from typing import Any

from reminders import emails
from reminders.emails import Mail
from reminders.letters import Letter

logger = logging.getLogger(__name__)

COMPARED = 256  # one mail in so many is also written plainly and compared; the first always is
LONGEST_LINE = 900  # RFC 5322 allows 998; what is swapped in may be longer than its mark
LONGEST_VALUE = 60  # a first name, a day

_PERSONAL = ("first_name", "day", "time", "link", "unsubscribe")
_TO, _ID, _DATE = "mark-to@mark.invalid", uuid.UUID("5" * 32), "Thu, 01 Jan 1970 00:00:00 -0000"
# A letter outside ASCII, so that a mould is always encoded as one that may hold any name.
_MARKS = {"first_name": "MARKñNAME", "day": "MARKñDAY", "time": "MARKTIME"}
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")


_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\u00a0": "&nbsp;"})


@dataclass(frozen=True, slots=True)
class Cut:
    """A text cut at its marks: what stands before each mark, and whose place it is."""

    pieces: tuple[tuple[str, str], ...]
    rest: str

    def filled(self, values: Mapping[str, str]) -> str:
        return "".join([before + values[name] for before, name in self.pieces]) + self.rest


@dataclass(slots=True)
class Mould:
    subject: str
    text: Cut
    html: Cut
    wire: Cut | None  # as SMTP carries it; only that lane needs it
    version: str
    uses: Iterator[int] = field(default_factory=lambda: count(1))  # by whichever thread
    broken: bool = field(default=False)


class Moulded:
    """A mail as SMTP carries it, ready. Walks like an e-mail where a transport looks at one."""

    __slots__ = ("idempotency_key", "message_id", "to", "wire")

    def __init__(self, to: str, wire: bytes, message_id: str) -> None:
        self.to = to
        self.wire = wire
        self.message_id = message_id


def write(letter: Letter, lane: str) -> Mail:
    """The same mail as `emails.write`, many times faster where a mould fits."""
    mould = _mould(_key(letter, lane), lane, _Blank(letter)) if _fits(letter) else None
    if mould is None or mould.broken:
        return emails.write(letter, lane)
    mail = _cast(mould, letter, lane)
    if next(mould.uses) % COMPARED == 1:
        plain = emails.write(letter, lane)
        if not _same(mail, plain):
            logger.error("the mould of %s in %s is broken", letter.template, letter.language)
            mould.broken = True
            return plain
    return mail


def _fits(letter: Letter) -> bool:
    """Whether what is personal in it is of the plain kind that may be swapped in."""
    values = [str(letter.context.get(name, "")) for name in ("first_name", "day", "time")]
    plain = all(len(value) <= LONGEST_VALUE and value.isprintable() for value in values)
    return plain and bool(letter.unsubscribe) and bool(_ADDRESS.fullmatch(letter.to))


def _key(letter: Letter, lane: str) -> tuple[Any, ...]:
    """Everything a mail says that is not personal, and whether the personal parts are there."""
    context = letter.context
    return (
        *(lane, letter.template, letter.language, letter.sender, emails.version(letter.template)),
        *(bool(context["first_name"]), len(context["link"]), len(context["unsubscribe"])),
        *[item for item in context.items() if item[0] not in _PERSONAL],
    )


@dataclass(frozen=True, slots=True)
class _Blank:
    """A letter to make a mould from. All blanks are alike: the key beside it says which mould."""

    letter: Letter

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Blank)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=512)
def _mould(key: tuple[Any, ...], lane: str, blank: _Blank) -> Mould | None:
    """None: the mail cannot be cut, because it is encoded in another way than plain text."""
    letter, context = blank.letter, blank.letter.context
    marks = {name: mark for name, mark in _MARKS.items() if context[name]}
    for name in ("link", "unsubscribe"):  # as long as the real one, so that headers fold alike
        marks[name] = f"MARK{name}".upper().ljust(len(context[name]), "X")
    nobody = replace(
        letter,
        to=_TO,
        message_id=_ID,
        context={**context, **marks},
        unsubscribe=marks["unsubscribe"],
    )
    mail = emails.write(nobody, lane)
    (html, _), *_ = mail.email.alternatives
    wire = _wire(mail, marks) if lane == "smtp" else None
    if lane == "smtp" and wire is None:
        return None
    return Mould(
        subject=str(mail.email.subject),
        text=_cut(str(mail.email.body), marks),
        html=_cut(str(html), marks),
        wire=wire,
        version=mail.template_version,
    )


def _wire(mail: Mail, marks: Mapping[str, str]) -> Cut | None:
    mail.email.extra_headers = {**mail.email.extra_headers, "Date": _DATE}
    message: Any = mail.email.message()
    raw: bytes = message.as_bytes(linesep="\r\n")
    plain = {
        part["Content-Transfer-Encoding"] for part in message.walk() if not part.is_multipart()
    }
    too_long = any(len(line) > LONGEST_LINE for line in raw.split(b"\r\n"))
    if too_long or not plain <= {"8bit", "7bit"}:
        return None
    # In HTML a value is escaped, in plain text it is not.
    text, at, html = raw.decode().partition("Content-Type: text/html")
    everywhere = {**marks, "to": _TO, "id": _ID.hex, "date": _DATE}
    head, tail = _cut(text, everywhere), _cut(at + html, {f"{n}:html": m for n, m in marks.items()})
    (before, name), *others = tail.pieces
    return Cut((*head.pieces, (head.rest + before, name), *others), tail.rest)


def _cut(text: str, marks: Mapping[str, str]) -> Cut:
    names = {mark: name for name, mark in marks.items()}
    *parts, rest = re.split(f"({'|'.join(map(re.escape, names))})", text)
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return Cut(tuple((before, names[mark]) for before, mark in pairs), rest)


def _cast(mould: Mould, letter: Letter, lane: str) -> Mail:
    values = {name: str(letter.context[name]) for name in _PERSONAL}
    in_html = {name: _escaped(value) for name, value in values.items()}
    if mould.wire is None:
        html = mould.html.filled(in_html)
        parts = emails.Parts(mould.subject, mould.text.filled(values), html)
        return emails.assembled(parts, letter, lane, mould.version)
    identity = letter.message_id.hex
    wired = {f"{name}:html": value for name, value in in_html.items()} | values
    wired |= {"to": letter.to, "id": identity, "date": formatdate()}
    wire = mould.wire.filled(wired).encode()
    email = Moulded(letter.to, wire, f"<{identity}@{emails.domain()}>")
    return Mail(email, letter, mould.version, hashlib.sha256(wire).hexdigest())


def _escaped(value: str) -> str:
    """As an HTML writer escapes text; links hold nothing that needs it."""
    return value.translate(_ESCAPES)


def _same(mail: Mail, plain: Mail) -> bool:
    if isinstance(mail.email, Moulded):
        message: Any = plain.email.message()
        return _read(mail.email.wire) == _read(message.as_bytes(linesep="\r\n"))
    return mail.sha256 == plain.sha256


def _read(raw: bytes) -> tuple[list[tuple[str, str]], list[str]]:
    """Headers and contents as a mail program has them, without what differs each time."""
    parsed = BytesParser(policy=policy.default).parsebytes(raw)
    headers = [(n, str(v)) for n, v in parsed.items() if n not in ("Date", "Content-Type")]
    bodies = [part.get_content() for part in parsed.walk() if not part.is_multipart()]
    return sorted(headers), bodies
