"""Pause, resume and end the follow-up of a patient."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from clinic import audit
from clinic.access import demand
from clinic.actors import Actor
from clinic.models import Patient
from clinic.refusals import Ended, Refused

Status = Patient.Status


@transaction.atomic
def pause(patient: Patient, *, by: Actor, now: datetime, until: datetime | None = None) -> Patient:
    """Send nothing until then, or (none) until resumed. Open links keep working."""
    patient = Patient.objects.held(patient.pk)
    demand(by, "edit patients", patient.clinic)
    refuse_ended(patient)
    if until is not None and until <= now:
        raise Refused(_("Choose a day in the future to pause until."), field="until")
    if (patient.status, patient.paused_until) == (Status.PAUSED, until):
        return patient
    patient.status, patient.paused_until = Status.PAUSED, until
    return keep(patient, "pause", ["status", "paused_until"], by, now)


@transaction.atomic
def resume(patient: Patient, *, by: Actor, now: datetime) -> Patient:
    """End a pause: what still fits its window is planned again."""
    patient = Patient.objects.held(patient.pk)
    demand(by, "edit patients", patient.clinic)
    refuse_ended(patient)
    if patient.status == Status.ACTIVE:
        return patient
    patient.status, patient.paused_until = Status.ACTIVE, None
    return keep(patient, "resume", ["status", "paused_until"], by, now)


@transaction.atomic
def withdraw(patient: Patient, *, by: Actor, now: datetime) -> Patient:
    """The patient wants no more follow-up. Answers given stay."""
    patient = Patient.objects.held(patient.pk)
    demand(by, "end follow-up", patient.clinic)
    if patient.status == Status.WITHDRAWN:
        return patient
    refuse_ended(patient)
    return _end(patient, Status.WITHDRAWN, "withdraw", by, now)


@transaction.atomic
def mark_deceased(patient: Patient, *, by: Actor, now: datetime) -> Patient:
    """Everything stops at once, whatever the status was."""
    patient = Patient.objects.held(patient.pk)
    demand(by, "end follow-up", patient.clinic)
    if patient.status == Status.DECEASED:
        return patient
    return _end(patient, Status.DECEASED, "mark deceased", by, now)


@transaction.atomic
def reinstate(patient: Patient, *, by: Actor, now: datetime) -> Patient:
    """Undo an end that was entered in error, or that the patient took back."""
    patient = Patient.objects.held(patient.pk)
    demand(by, "reinstate patients", patient.clinic)
    if patient.ended_at is None:
        return patient
    patient.status, patient.ended_at, patient.paused_until = Status.ACTIVE, None, None
    return keep(patient, "reinstate", ["status", "ended_at", "paused_until"], by, now)


def refuse_ended(patient: Patient) -> None:
    if patient.status == Status.WITHDRAWN:
        raise Ended(_("This patient has withdrawn from follow-up."))
    if patient.status == Status.DECEASED:
        raise Ended(_("This patient has died."))


def _end(patient: Patient, status: Status, action: str, by: Actor, now: datetime) -> Patient:
    patient.status, patient.ended_at, patient.paused_until = status, now, None
    return keep(patient, action, ["status", "ended_at", "paused_until"], by, now)


def keep(patient: Patient, action: str, fields: Iterable[str], by: Actor, now: datetime) -> Patient:
    """Save, have every course planned again (closed ones may have steps to come), audit."""
    names = list(fields)
    patient.save(update_fields=names)
    patient.courses.all().touch(now)
    audit.write(
        by, action, clinic=patient.clinic, now=now, patient=patient, subject=patient, fields=names
    )
    return patient
