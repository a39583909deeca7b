"""Very many patients who are all to be written to now.

One for each clinic and language is enrolled and planned by the product; the others are copies of
the rows that came of it, with identifiers of their own, sealed as the product seals them.
"""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.db import connection, models, transaction

from clinic import actors, consent, enrolment
from clinic.enrolment import CourseDetails, PatientDetails
from clinic.models import Clinic, Course, Indication, Patient
from devtools.crowd import copied, give_link
from reminders import planning
from reminders.models import Message, State
from surveys.models import FollowUp, StepDue

BY = actors.system("benchmark")
LANGUAGES = ("en", "es")
AT_ONCE = 2000
_numbers = itertools.count()
_patterns: dict[range, list["Pattern"]] = {}


@dataclass(frozen=True, slots=True)
class Pattern:
    """One patient as the product enrolled and planned them."""

    patient: Patient
    courses: list[Course]
    follow_ups: list[FollowUp]
    dues: list[StepDue]
    messages: list[Message]


def crowd(size: int, *, clinics: range, now: datetime) -> list[str]:
    """Their addresses. Clinics and languages take turns."""
    its = patterns(clinics, now)
    addresses = [f"p{next(_numbers)}@crowd.example" for _ in range(size)]
    for at in range(0, size, AT_ONCE):
        some = addresses[at : at + AT_ONCE]
        with transaction.atomic():
            _copies(zip(itertools.cycle(its), some, strict=False))
    if size > 1:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    return addresses


def patterns(clinics: range, now: datetime) -> list[Pattern]:
    """One for each clinic and language; made once in a process."""
    if clinics not in _patterns:
        _patterns[clinics] = _enrolled(clinics, now)
    return _patterns[clinics]


def noon_zone(now: datetime) -> str:
    """A zone in which it is between twelve and one now, so that no quiet hours are near."""
    ahead = 12 - now.astimezone(UTC).hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"  # the sign in these names is reversed


def _enrolled(clinics: range, now: datetime) -> list[Pattern]:
    """One for each clinic and language, whose own mail is never sent."""
    found = []
    for number, language in itertools.product(clinics, LANGUAGES):
        clinic = enrolment.open_clinic(
            f"Crowd Clinic {number}",
            zone=noon_zone(now),
            admin_email=f"admin@clinic{number}.example",
            by=BY,
            now=now,
        ).clinic
        patient = _enrol(clinic, language, now)
        planning.reconcile(patient, now=now, by=BY)
        found.append(_pattern(patient))
        Message.objects.filter(patient=patient).update(state=State.SKIPPED, ended_at=now)
    return found


def _enrol(clinic: Clinic, language: str, now: datetime) -> Patient:
    details = PatientDetails(
        name="Ana Lucía Peña",
        birth_date=date(1984, 3, 5 + LANGUAGES.index(language)),
        consent_version=consent.CURRENT,
        email=f"pattern{next(_numbers)}@crowd.example",
        phone="(432) 555-0100",
        language=language,
    )
    course = CourseDetails(
        protocol="depression-induction", indication=Indication.DEPRESSION, planned_infusions=6
    )
    return enrolment.enrol(clinic, details, course, by=BY, now=now).patient


def _pattern(patient: Patient) -> Pattern:
    return Pattern(
        patient=Patient.objects.get(pk=patient.pk),
        courses=list(patient.courses.all()),
        follow_ups=list(patient.follow_ups.all()),
        dues=list(StepDue.objects.filter(course__patient=patient)),
        messages=list(patient.messages.all()),
    )


def _copies(wanted: Iterable[tuple[Pattern, str]]) -> None:
    rows: dict[type[models.Model], list[Any]] = {
        kind: [] for kind in (Patient, Course, FollowUp, StepDue, Message)
    }
    for pattern, address in wanted:
        for row in _copied(pattern, address):
            rows[type(row)].append(row)
    for kind, each in rows.items():
        store(kind, each)


def _copied(pattern: Pattern, address: str) -> Iterator[models.Model]:
    """One more patient like the pattern; everything refers to the copies."""
    phone = f"(432) 555-{next(_numbers) % 10000:04}"
    patient = copied(pattern.patient, email=address, name=f"Ana {address[:6]}", phone=phone)
    courses = {row.pk: copied(row, patient=patient) for row in pattern.courses}
    follow_ups = {row.pk: copied(row, patient=patient) for row in pattern.follow_ups}
    yield patient
    yield from courses.values()
    for follow_up in follow_ups.values():
        give_link(follow_up)
        yield follow_up
    for due in pattern.dues:
        its_follow_up = due.follow_up_id and follow_ups[due.follow_up_id]
        yield copied(due, course=courses[due.course_id], follow_up=its_follow_up)
    for message in pattern.messages:
        its_follow_up = follow_ups[message.follow_up_id]
        yield copied(message, patient=patient, follow_up=its_follow_up)


def store(kind: type[models.Model], rows: list[Any]) -> None:
    """COPY on PostgreSQL, one prepared INSERT on SQLite."""
    fields = kind._meta.concrete_fields
    values = [
        [field.get_db_prep_save(field.pre_save(row, True), connection) for field in fields]
        for row in rows
    ]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    table = kind._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            marks = ", ".join(["%s"] * len(fields))
            cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", values)
            return
        with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
            for each in values:
                copy.write_row(each)
