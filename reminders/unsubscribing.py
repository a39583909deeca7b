"""A patient wants no more e-mail: stop it, say so to the clinic, leave alerts alone."""

from datetime import datetime

from django.db import transaction

from clinic.actors import patient_link
from clinic.models import Patient
from reminders import suppression
from surveys.models import FollowUp


@transaction.atomic
def unsubscribe(follow_up: FollowUp, *, now: datetime) -> bool:
    """True the first time. The dues that follow go to the call list and the tablet."""
    patient = Patient.objects.held(follow_up.patient_id)
    return suppression.unsubscribe(patient, by=patient_link(follow_up.pk), now=now)
