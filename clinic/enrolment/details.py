"""What is typed when a patient or a course begins, and what is refused in it."""

import uuid
from dataclasses import dataclass, field
from datetime import date, datetime

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from clinic.models import Indication, Patient
from clinic.refusals import Refused
from clinic.zones import is_zone

MAX_AGE = 130  # years
MAX_PLANNED = 200  # infusions in one course
TRUSTED = ("trusted_name", "trusted_relation", "trusted_phone")


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientDetails:
    """A new patient. `id` comes with the form, so that the same form sent twice enrols once."""

    name: str
    birth_date: date
    consent_version: str  # of the text the patient agreed to (`clinic/consent.py`)
    email: str = ""
    phone: str = ""
    mrn: str = ""
    language: str = "en"
    zone: str = ""  # blank: the clinic's
    send_hour: int | None = None  # local hour the patient prefers
    allowed_days: tuple[int, ...] = ()  # weekdays, 0 = Monday; empty: every day
    trusted_name: str = ""  # somebody the clinic may call when it does not reach the patient
    trusted_relation: str = ""
    trusted_phone: str = ""
    id: uuid.UUID = field(default_factory=uuid.uuid4)


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseDetails:
    """A new course under the latest version of a protocol."""

    protocol: str  # its key: "depression-induction"
    indication: Indication
    planned_infusions: int | None = None
    first_infusion_at: datetime | None = None  # planned, not given
    id: uuid.UUID = field(default_factory=uuid.uuid4)


def check_name(name: str) -> str:
    tidy = tidy_line(name)
    if not any(character.isalpha() for character in tidy):
        raise Refused(_("Enter the patient's name."), field="name")
    if len(tidy) > 200:
        raise Refused(_("This name is too long."), field="name")
    return tidy


def check_birth_date(born: date, today: date) -> str:
    if born > today:
        raise Refused(_("The birth date is in the future."), field="birth_date")
    if born.year < today.year - MAX_AGE:
        raise Refused(_("Check the year of the birth date."), field="birth_date")
    return born.isoformat()


def check_email(email: str) -> str:
    tidy = email.strip()
    if not tidy:
        return ""
    try:
        validate_email(tidy)
    except ValidationError:
        raise Refused(
            _("Enter an e-mail address like name@example.com, or leave it empty."), field="email"
        ) from None
    return tidy


def check_phone(phone: str, field: str = "phone") -> str:
    tidy = tidy_line(phone)
    if tidy and not 7 <= sum(character.isdigit() for character in tidy) <= 15:
        raise Refused(_("Enter a phone number with area code, or leave it empty."), field=field)
    return tidy


def check_trusted_phone(phone: str) -> str:
    return check_phone(phone, field="trusted_phone")


def check_trusted_person(patient: Patient) -> None:
    """A name without a number helps nobody at night, nor a number that nobody answers to."""
    if patient.trusted_phone and not patient.trusted_name:
        raise Refused(_("Enter the name of the trusted person."), field="trusted_name")
    if (patient.trusted_name or patient.trusted_relation) and not patient.trusted_phone:
        raise Refused(_("Enter the trusted person's telephone."), field="trusted_phone")


def tidy_line(text: str) -> str:
    return " ".join(text.split())


def check_language(language: str) -> str:
    if language not in dict(settings.LANGUAGES):
        raise Refused(_("Choose one of the languages we write in."), field="language")
    return language


def check_zone(zone: str) -> str:
    if zone and not is_zone(zone):
        raise Refused(_("Choose a time zone from the list."), field="zone")
    return zone


def check_send_hour(hour: int | None) -> int | None:
    if hour is not None and not 0 <= hour <= 23:
        raise Refused(_("Choose an hour of the day."), field="send_hour")
    return hour


def check_allowed_days(days: tuple[int, ...]) -> list[int]:
    if any(day not in range(7) for day in days):
        raise Refused(_("Choose days of the week."), field="allowed_days")
    return sorted(set(days))


def check_planned_infusions(planned: int | None) -> int | None:
    if planned is not None and not 1 <= planned <= MAX_PLANNED:
        raise Refused(
            _("Enter how many infusions are planned, or leave it empty."), field="planned_infusions"
        )
    return planned
