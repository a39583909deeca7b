"""What a page says about one e-mail: its parts as they are, and its headers in words."""

import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.models import Member
from reminders import emails, lanes, samples
from reminders.samples import Sample

LONGEST_SUBJECT = 45
LARGEST = 20  # kB, as it travels

NAMES = {
    "invitation": gettext_lazy("Invitation"),
    "reminder-1": gettext_lazy("First reminder"),
    "reminder-2": gettext_lazy("Second reminder"),
    "fresh-link": gettext_lazy("Fresh link"),
    "notice": gettext_lazy("Notice to staff"),
    "notice-test": gettext_lazy("Test notice"),
}
WHEN = {
    "invitation": gettext_lazy("Goes when a check-in opens."),
    "reminder-1": gettext_lazy(
        "Goes the day after the invitation, if the check-in is still unanswered."
    ),
    "reminder-2": gettext_lazy(
        "Goes on a later day, in other words. A check-in has two reminders at most."
    ),
    "fresh-link": gettext_lazy("Goes at once to a patient who has lost the link and asks for it."),
    "notice": gettext_lazy("Goes to responders about an alert, again and again until it is taken."),
    "notice-test": gettext_lazy("Goes to responders when an administrator tries the chain."),
}


@dataclass(frozen=True, slots=True)
class Header:
    name: str
    value: str
    means: str


@dataclass(frozen=True, slots=True)
class Preview:
    subject: str
    sender: str
    to: str
    text: str
    html: str
    kilobytes: float
    hosts: tuple[str, ...]
    headers: tuple[Header, ...]


def of(sample: Sample, language: str, *, reader: Member, now: datetime) -> Preview:
    letter = samples.letter(sample, language, reader=reader, now=now)
    email = emails.write(letter, lanes.current()).email
    html = str(email.alternatives[0].content)
    return Preview(
        subject=str(email.subject),
        sender=str(email.from_email),
        to=str(email.to[0]),
        text=str(email.body),
        html=html,
        kilobytes=len(email.message().as_bytes()) / 1000,
        hosts=tuple(
            sorted({urlsplit(url).netloc for url in re.findall(r'https?://[^\s"<]+', html)})
        ),
        headers=tuple(
            Header(name, str(value), _meaning(name)) for name, value in email.extra_headers.items()
        ),
    )


def _meaning(header: str) -> str:
    means = {
        "Message-ID": _("The same if this e-mail has to go again, so that it is shown once."),
        "Auto-Submitted": _("No person wrote it: out-of-office replies are not wanted."),
        "List-Id": _("Mail programs may sort by it. It names no treatment."),
        "List-Unsubscribe": _("Mail programs show a button of their own to stop these e-mails."),
        "List-Unsubscribe-Post": _("One press of it is enough. Only looking at it stops nothing."),
        "X-Mail-Mode": _("All e-mail of this server goes to one test address."),
    }
    return means.get(header, "")
