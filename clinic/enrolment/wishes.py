"""What patients change themselves, behind their own link: language, hour, a pause of their own.

No permission is asked here: whoever holds the link may do this, and of `clinic` nothing else.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from clinic.actors import Actor
from clinic.enrolment import details
from clinic.enrolment.status import keep, refuse_ended
from clinic.models import AuditEntry, Patient

_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "language": details.check_language,
    "send_hour": details.check_send_hour,
}
PREFERENCES = frozenset(_CHECKS)


@transaction.atomic
def prefer(patient: Patient, wishes: Mapping[str, Any], *, by: Actor, now: datetime) -> Patient:
    """Change some of PREFERENCES at the patient's wish. Refused after the end of follow-up."""
    patient = Patient.objects.held(patient.pk)
    refuse_ended(patient)
    if unknown := set(wishes) - PREFERENCES:
        raise ValueError(f"not for patients to choose: {sorted(unknown)}")
    columns = {name: _CHECKS[name](value) for name, value in wishes.items()}
    changed = sorted(name for name, value in columns.items() if getattr(patient, name) != value)
    if not changed:
        return patient
    for name in changed:
        setattr(patient, name, columns[name])
    return keep(patient, "change details", changed, by, now)


@transaction.atomic
def pause_own(patient: Patient, until: datetime, *, by: Actor, now: datetime) -> Patient:
    """Send nothing until then. A pause that stands, whoever made it, stays as it is."""
    patient = Patient.objects.held(patient.pk)
    refuse_ended(patient)
    if patient.is_paused(now):
        return patient
    patient.status, patient.paused_until = Patient.Status.PAUSED, until
    return keep(patient, "pause", ["status", "paused_until"], by, now)


@transaction.atomic
def end_own_pause(patient: Patient, *, by: Actor, now: datetime) -> Patient:
    """Go on before the end of one's own pause. The clinic's pause is for the clinic to end."""
    patient = Patient.objects.held(patient.pk)
    refuse_ended(patient)
    if not patient.is_paused(now) or not is_own_pause(patient):
        return patient
    patient.status, patient.paused_until = Patient.Status.ACTIVE, None
    return keep(patient, "resume", ["status", "paused_until"], by, now)


def is_own_pause(patient: Patient) -> bool:
    """Whether the patient made the latest pause: the trail says who did. One query."""
    pauses = AuditEntry.objects.filter(patient=patient, action="pause").order_by("-at", "-pk")
    return pauses.values_list("actor", flat=True).first() == AuditEntry.Actor.PATIENT_LINK
