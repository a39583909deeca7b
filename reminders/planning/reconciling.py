"""Bring one patient's rows to agree with the plan, under the patient's lock."""

import logging
import time
from datetime import datetime, timedelta
from operator import attrgetter

from django.db import transaction

from clinic import audit
from clinic.actors import Actor, system
from clinic.models import Course, Patient
from reminders.models import Message, State
from reminders.planning.gathering import Rows, gather
from reminders.planning.writing import Changes, only, write
from reminders.schedule import Plan, plan
from surveys.models import FollowUp

logger = logging.getLogger(__name__)

SHOWN_AHEAD = timedelta(days=400)  # for screens; only 35 days are stored
POISON = timedelta(minutes=15)  # a patient whose plan fails must not hold up the others
AT_MOST_SECONDS = 20.0  # of one tick; who is left is first in the next


@transaction.atomic
def reconcile(patient: Patient, *, now: datetime, by: Actor) -> Changes:
    """Make the rows say what follows from the facts. A second run writes nothing."""
    patient = Patient.objects.held(patient.pk)
    rows, facts = gather(patient, now=now, to_write=True)
    planned = plan(facts, now)
    changes = write(planned, rows, now=now)
    for course in _in_turn(rows):
        _settle(course, planned.replan_at)
    if changes.schedule:
        audit.write(
            by, "plan follow-ups", clinic=patient.clinic, now=now, patient=patient,
            fields=changes.schedule,
        )  # fmt: skip
    return changes


def _in_turn(rows: Rows) -> list[Course]:
    """In the order in which everybody locks courses."""
    return sorted(rows.courses.values(), key=attrgetter("pk"))


def _settle(course: Course, replan_at: datetime | None) -> None:
    """Say when to look again, unless the facts changed while we planned."""
    if course.replan_at != replan_at:
        same = Course.objects.filter(pk=course.pk, revision=course.revision)
        same.update(replan_at=replan_at)


def next_message(follow_up: FollowUp, *, now: datetime) -> Message | None:
    """What follows an accepted or `unknown` message: the due is asked, its reminder scheduled.

    Call it in the transaction that settles the message, so that neither stands alone.
    """
    patient = Patient.objects.held(follow_up.patient_id)
    rows, facts = gather(patient, now=now, to_write=True)
    planned = plan(facts, now)
    write(only(planned, str(follow_up.pk)), rows, now=now)
    for course in _in_turn(rows):
        times = [at for at in (planned.replan_at, course.replan_at) if at is not None]
        _settle(course, min(times, default=None))
    return follow_up.messages.filter(state=State.SCHEDULED).order_by("due_at").first()


def plan_for_display(patient: Patient, *, now: datetime) -> Plan:
    """The schedule as screens show it: with coming messages, far beyond what is stored."""
    return plan(gather(patient, now=now)[1], now, SHOWN_AHEAD)


def lagging(limit: int = 200, *, now: datetime) -> list[Patient]:
    """Patients whose schedule is to be looked at, the longest waiting first."""
    waiting = Course.objects.lagging(now).select_related("patient__clinic")[:limit]
    return list({course.patient_id: course.patient for course in waiting}.values())


def reconcile_lagging(limit: int = 200, *, now: datetime, seconds: float = AT_MOST_SECONDS) -> int:
    """Look again at whoever is due for it. Each patient alone, so that one cannot stop the rest."""
    looked_at, ends = 0, time.monotonic() + seconds
    for patient in lagging(limit, now=now):
        if time.monotonic() > ends:
            break
        if not patient.courses.lagging(now).exists():
            continue  # another tick was faster
        looked_at += 1
        try:
            reconcile(patient, now=now, by=system("its time had come"))
        except Exception:  # whatever is wrong with this one, the others must be planned
            logger.exception("planning failed for patient %s", patient.pk)
            patient.courses.lagging(now).update(replan_at=now + POISON)
    return looked_at
