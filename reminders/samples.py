"""Every e-mail there is, to an invented patient of a real clinic.

The rows a sample is written from are never saved. It becomes a letter as any other message does;
then the links are exchanged for such as open nothing and say so.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse

from clinic.models import Clinic, Member, Patient
from reminders.letters import Letter, message_letter, notice_letter
from reminders.models import Message, Notice
from surveys.models import Alert, FollowUp

LANGUAGES = tuple(dict(settings.LANGUAGES))
NAME, ADDRESS = "Marigold Fennimore", "marigold@patients.example"
REFERENCE = "7F3K-21"
DAYS_LEFT, CLOSES = timedelta(days=2), 9  # o'clock, in the clinic

_ASKED = ("phq8", "gad7")  # what decides how many minutes it takes
_NOBODY = uuid.UUID(int=0)
_SECRET_LENGTH = 43  # as long as a real one, so that lines break alike
_OPENS_NOTHING = {
    "en": "example-this-link-opens-nothing",
    "es": "ejemplo-este-enlace-no-abre-nada",
}


@dataclass(frozen=True, slots=True)
class Sample:
    key: str
    template: str
    nth: int = 0
    is_test: bool = False  # a notice that tries the chain

    @property
    def to_staff(self) -> bool:
        return self.template == "notice"

    @property
    def languages(self) -> tuple[str, ...]:
        """Staff are written to in English."""
        return LANGUAGES[:1] if self.to_staff else LANGUAGES


SAMPLES: Mapping[str, Sample] = {
    sample.key: sample
    for sample in (
        Sample("invitation", Message.Kind.INVITATION),
        Sample("reminder-1", Message.Kind.REMINDER, nth=1),
        Sample("reminder-2", Message.Kind.REMINDER, nth=2),
        Sample("fresh-link", Message.Kind.FRESH_LINK),
        Sample("notice", "notice"),
        Sample("notice-test", "notice", is_test=True),
    )
}


def letter(sample: Sample, language: str, *, reader: Member, now: datetime) -> Letter:
    """As the clinic of `reader` would write it now. A notice is the reader's own."""
    if sample.to_staff:
        return notice_letter(_notice(sample, reader))
    written = message_letter(_message(sample, reader.clinic, language, now), _ASKED)
    link = _address("surveys:landing", language)
    unsubscribe = _address("reminders:unsubscribe", language)
    context = {**written.context, "link": link, "unsubscribe": unsubscribe}
    return replace(written, context=context, unsubscribe=unsubscribe)


def _message(sample: Sample, clinic: Clinic, language: str, now: datetime) -> Message:
    patient = Patient(clinic=clinic, name=NAME, email=ADDRESS, language=language)
    follow_up = FollowUp(
        pk=_NOBODY,
        patient=patient,
        closes_at=_closing(clinic, now),
        link_nonce=_NOBODY.bytes,
        link_key_id=next(iter(settings.LINK_KEYS)),
    )
    return Message(
        pk=_NOBODY, patient=patient, follow_up=follow_up, kind=sample.template, nth=sample.nth
    )


def _closing(clinic: Clinic, now: datetime) -> datetime:
    day = now.astimezone(clinic.tz) + DAYS_LEFT
    return day.replace(hour=CLOSES, minute=0, second=0, microsecond=0)


def _notice(sample: Sample, reader: Member) -> Notice:
    alert = Alert(
        pk=_NOBODY,
        clinic=reader.clinic,
        reference=REFERENCE,
        level=Alert.Level.URGENT,
        rule=Alert.TEST_RULE if sample.is_test else "",
    )
    return Notice(pk=_NOBODY, clinic=reader.clinic, alert=alert, member=reader)


def _address(name: str, language: str) -> str:
    says = _OPENS_NOTHING[language].ljust(_SECRET_LENGTH, "-")
    return f"{settings.SITE_ROOT}{reverse(name, args=[says])}"
