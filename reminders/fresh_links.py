"""A patient who has lost the link asks for it again. It goes to the address on file only.

What the patient is told is the same whether anything was found or not.
"""

from datetime import datetime, timedelta

from django.db import transaction

from clinic import audit
from clinic.actors import Actor
from clinic.models import Patient
from reminders.models import UNSENT, Message, State
from surveys.doors import Door, door, newer
from surveys.models import FollowUp

A_DAY = timedelta(hours=24)
AT_MOST = 3  # in any 24 hours, whatever the follow-up
ON_ITS_WAY = (*UNSENT, State.SENDING)


@transaction.atomic
def ask(follow_up: FollowUp, *, by: Actor, now: datetime) -> Message | None:
    """Mail the link of this follow-up, or of the one that took its place, once more.

    None when nothing is open, or three were asked for within a day. One that still waits to be
    sent is enough.
    """
    patient = Patient.objects.held(follow_up.patient_id)
    target = follow_up if door(follow_up, now=now) is Door.OPEN else newer(follow_up, now=now)
    asked = Message.objects.filter(patient=patient, kind=Message.Kind.FRESH_LINK)
    if target is None or asked.filter(created_at__gt=now - A_DAY).count() >= AT_MOST:
        return None
    waiting = asked.filter(follow_up=target, state__in=ON_ITS_WAY).first()
    return waiting or _message(target, asked.filter(follow_up=target).count(), by=by, now=now)


def _message(target: FollowUp, nth: int, *, by: Actor, now: datetime) -> Message:
    patient = target.patient
    message = Message.objects.create(
        clinic=patient.clinic,
        patient=patient,
        follow_up=target,
        kind=Message.Kind.FRESH_LINK,
        nth=nth,
        due_at=now,
        not_after=target.closes_at,
        created_at=now,
        asked_for=True,
    )
    audit.write(
        by, "ask for link", clinic=patient.clinic, now=now, patient=patient, subject=message
    )
    return message
