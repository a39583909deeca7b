"""Prove with the birth date that a link is in its patient's hands, before anything is read back.

Families know it, so tries are few: five wrong ones in a row, from whichever link, device or day,
and none is looked at any more until a member opens it again.
"""

from datetime import date, datetime
from enum import Enum

from django.db import transaction
from django.utils.crypto import constant_time_compare

from clinic import audit
from clinic.access import demand
from clinic.actors import Actor
from clinic.models import Patient


class Outcome(Enum):
    RIGHT = "right"
    WRONG = "wrong"
    LOCKED = "locked"  # this was the last try, or there was none left to make


@transaction.atomic
def try_birth_date(patient: Patient, typed: date, *, by: Actor, now: datetime) -> Outcome:
    """Compare one date and count the try. The patient's row is locked first: of two tries at once
    the second finds the first one counted. A right one ends the count; a locked one compares
    nothing."""
    patient = Patient.objects.held(patient.pk)
    if patient.is_birth_date_locked:
        return Outcome.LOCKED
    if constant_time_compare(typed.isoformat(), patient.birth_date_text):
        _count(patient, 0, "prove birth date", by=by, now=now)
        return Outcome.RIGHT
    _count(patient, patient.wrong_birth_dates + 1, "wrong birth date", by=by, now=now)
    return Outcome.LOCKED if patient.is_birth_date_locked else Outcome.WRONG


@transaction.atomic
def reopen(patient: Patient, *, by: Actor, now: datetime) -> Patient:
    """Allow five tries again. Whoever does it has made sure of the patient some other way."""
    patient = Patient.objects.held(patient.pk)
    demand(by, "edit patients", patient.clinic)
    if patient.wrong_birth_dates:
        _count(patient, 0, "reopen birth date", by=by, now=now)
    return patient


def _count(patient: Patient, wrong: int, action: str, *, by: Actor, now: datetime) -> None:
    changed = ["wrong_birth_dates"] if patient.wrong_birth_dates != wrong else []
    patient.wrong_birth_dates = wrong
    if changed:
        patient.save(update_fields=changed)
    audit.write(
        by, action, clinic=patient.clinic, now=now, patient=patient, subject=patient, fields=changed
    )
