"""A letter in, an e-mail out: plain text and HTML of the same content, one recipient, no images."""

import hashlib
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from email.headerregistry import Address
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import get_template, render_to_string
from django.utils import translation

from reminders.letters import Letter

FOLDER = "reminders/email"
PARTS = ("-subject.txt", ".txt", ".html")
TOKENS = Path(settings.BASE_DIR) / "clinic" / "static" / "clinic" / "tokens.css"

# Who can switch opens and clicks off in each message. With the others (Amazon SES, Resend, Brevo…)
# tracking is a setting of the account, and Anymail refuses the attempt.
_TRACKING_PER_MESSAGE = {
    *("mailersend", "mailgun", "mailjet", "mandrill", "postmark"),
    *("sendgrid", "sparkpost", "unisender_go", "test"),
}
_METADATA = _TRACKING_PER_MESSAGE - {"mailersend"} | {
    *("amazon_ses", "brevo", "mailtrap", "resend", "scaleway"),
}


@dataclass(frozen=True, slots=True)
class Mail:
    email: Any  # what the transport is handed
    letter: Letter
    template_version: str
    sha256: str  # of everything the provider is handed

    def carry(self, key: uuid.UUID) -> None:
        """The key of this call, for a backend whose provider knows one."""
        self.email.idempotency_key = str(key)


@dataclass(frozen=True, slots=True)
class Parts:
    subject: str
    text: str
    html: str


def write(letter: Letter, lane: str) -> Mail:
    """Raises for a letter that cannot be a mail (a line break in a name, say): before any call."""
    mail = assembled(rendered(letter), letter, lane, version(letter.template))
    mail.email.message()  # what cannot be encoded fails here
    return mail


def rendered(letter: Letter) -> Parts:
    with translation.override(letter.language):
        subject, text, html = (_render(letter, part) for part in PARTS)
    return Parts(" ".join(subject.split()), text, _inlined(html))


def assembled(
    parts: Parts,
    letter: Letter,
    lane: str,
    template_version: str,
) -> Mail:
    """The rendered parts with their headers, not yet encoded."""
    email = EmailMultiAlternatives(
        subject=parts.subject,
        body=parts.text,
        from_email=_mailbox(letter.sender, settings.MAIL_FROM),
        to=[letter.to],
        headers=_headers(letter),
    )
    email.attach_alternative(parts.html, "text/html")
    _tell_provider(email, letter, lane)
    return Mail(email, letter, template_version, _digest(email))


@lru_cache(maxsize=1024)
def _mailbox(name: str, address: str) -> str:
    return str(Address(display_name=name, addr_spec=address))


@cache
def version(template: str) -> str:
    """Changes with any file the mail is made of."""
    folder = Path(get_template(f"{FOLDER}/_layout.html").template.origin.name).parent  # type: ignore[attr-defined]
    files = [*(folder / f"{template}{part}" for part in PARTS), *sorted(folder.glob("_*")), TOKENS]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def _render(letter: Letter, part: str) -> str:
    context = {**letter.context, "language": letter.language}
    return render_to_string(f"{FOLDER}/{letter.template}{part}", context)


def domain() -> str:
    return settings.MAIL_FROM.rpartition("@")[2]


def _headers(letter: Letter) -> dict[str, str]:
    headers = {
        "Message-ID": f"<{letter.message_id.hex}@{domain()}>",
        "Auto-Submitted": "auto-generated",
    }
    if letter.unsubscribe:
        headers |= {
            "List-Id": f"Check-ins <check-ins.{domain()}>",
            "List-Unsubscribe": f"<{letter.unsubscribe}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    if settings.MAIL_MODE.startswith("redirect:"):
        headers["X-Mail-Mode"] = "redirect"
    return headers


def _tell_provider(email: EmailMultiAlternatives, letter: Letter, lane: str) -> None:
    """Anymail's own attributes; other backends never look at them."""
    extras: dict[str, Any] = {}
    if lane in _METADATA:
        extras["metadata"] = {"id": letter.ref}
    if lane in _TRACKING_PER_MESSAGE:
        extras |= {"track_opens": False, "track_clicks": False}
    for name, value in extras.items():
        setattr(email, name, value)


@cache
def _inliner() -> css_inline.CSSInliner:
    """Colours come from the one place where they are chosen."""
    return css_inline.CSSInliner(
        extra_css=TOKENS.read_text(encoding="utf-8"),
        resolve_css_variables=True,
        load_remote_stylesheets=False,
    )


@cache
def _dark_colours() -> Mapping[str, str]:
    _, _, dark = TOKENS.read_text(encoding="utf-8").partition("prefers-color-scheme: dark")
    return dict(re.findall(r"(--[\w-]+):\s*([^;]+);", dark))


def _inlined(html: str) -> str:
    """Light colours become styles of each element; dark ones stay in their media query."""
    dark = _dark_colours()
    inlined = _inliner().inline(html)
    return re.sub(r"var\((--[\w-]+)\)", lambda found: dark[found[1]], inlined)


def _digest(email: EmailMultiAlternatives) -> str:
    parts: Mapping[str, Any] = {
        "subject": email.subject,
        "from": email.from_email,
        "to": email.to,
        "headers": email.extra_headers,
        "text": email.body,
        "html": [str(content) for content, _ in email.alternatives],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
