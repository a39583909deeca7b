"""Bring the rows of patients to agree with the plan, under the patients' locks."""

import logging
import time
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import attrgetter

from django.db import InterfaceError, OperationalError, connection, transaction

from clinic import audit
from clinic.actors import Actor, system
from clinic.models import Course, Patient
from reminders.planning.facts import facts
from reminders.planning.gathering import Rows, gather
from reminders.planning.writing import Changes, write
from reminders.schedule import PatientFacts, Plan, plan

logger = logging.getLogger(__name__)

SHOWN_AHEAD = timedelta(days=400)  # for screens; only 35 days are stored
POISON = timedelta(minutes=15)  # a patient whose plan fails must not hold up the others
STUMBLE = timedelta(minutes=1)  # a deadlock, a statement that took too long
AT_MOST_SECONDS = 10.0  # of one tick; who is left is first in the next
AT_ONCE = 20  # patients locked, read and written together: no verb waits long for one of them


@transaction.atomic
def reconcile(patient: Patient, *, now: datetime, by: Actor) -> Changes:
    """Make the rows say what follows from the facts. A second run writes nothing."""
    return _agree(_held(patient.pk, now), now=now, by=by)


def _held(patient: uuid.UUID, now: datetime) -> Rows:
    (rows,) = gather([Patient.objects.held(patient)], now=now, to_write=True)
    return rows


def _agree(rows: Rows, *, now: datetime, by: Actor) -> Changes:
    planned = plan(facts(rows), now)
    changes = write(planned, rows, now=now)
    for course in _in_turn(rows):
        _settle(course, planned.replan_at, now)
    if changes.schedule:
        patient = rows.patient
        audit.write(
            by, "plan follow-ups", clinic=patient.clinic, now=now, patient=patient,
            fields=changes.schedule,
        )  # fmt: skip
    return changes


def _in_turn(rows: Rows) -> list[Course]:
    """In the order in which everybody locks courses."""
    return sorted(rows.courses.values(), key=attrgetter("pk"))


def _settle(course: Course, replan_at: datetime | None, now: datetime) -> None:
    """Say when to look again, unless somebody asked for another look while we planned.

    A look that comes sooner stays: it costs less than a write.
    """
    before = course.replan_at
    if before == replan_at or (before and replan_at and now < before <= replan_at):
        return
    same = Course.objects.filter(pk=course.pk, revision=course.revision, replan_at=before)
    same.update(replan_at=replan_at)


def facts_of(patient: Patient, *, now: datetime) -> PatientFacts:
    (rows,) = gather([patient], now=now)
    return facts(rows)


def plan_for_display(patient: Patient, *, now: datetime) -> Plan:
    """The schedule as screens show it: with coming messages, far beyond what is stored."""
    return plan(facts_of(patient, now=now), now, SHOWN_AHEAD)


def lagging(limit: int = 200, *, now: datetime) -> list[Patient]:
    """Patients whose schedule is to be looked at, the longest waiting first."""
    waiting = Course.objects.lagging(now).select_related("patient__clinic")[:limit]
    return list({course.patient_id: course.patient for course in waiting}.values())


def reconcile_lagging(limit: int = 200, *, now: datetime, seconds: float = AT_MOST_SECONDS) -> int:
    """Look again at whoever is due for it, and say how many that were."""
    looked_at, ends = 0, time.monotonic() + seconds
    courses = Course.objects.lagging(now).values_list("patient_id", flat=True)[:limit]
    waiting = list(dict.fromkeys(courses))
    for first in range(0, len(waiting), AT_ONCE):
        if time.monotonic() > ends:
            break
        looked_at += _together(waiting[first : first + AT_ONCE], now)
    return looked_at


@transaction.atomic
def _together(patients: Sequence[uuid.UUID], now: datetime) -> int:
    """Read as one, written each alone, so that one cannot stop the rest.

    Patients somebody else holds are left for the next tick: waiting for one would make the
    others wait.
    """
    free = Patient.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
    found = free.select_related("clinic").filter(pk__in=patients).order_by("pk")
    gathered = [rows for rows in gather(list(found), now=now, to_write=True) if _lags(rows, now)]
    for rows in gathered:
        try:
            with transaction.atomic():
                _agree(rows, now=now, by=system("its time had come"))
        except (OperationalError, InterfaceError):  # the database, not this patient
            if not connection.is_usable():
                raise
            rows.patient.courses.lagging(now).update(replan_at=now + STUMBLE)
        except Exception:  # whatever is wrong with this one, the others must be planned
            logger.exception("planning failed for patient %s", rows.patient.pk)
            rows.patient.courses.lagging(now).update(replan_at=now + POISON)
    return len(gathered)


def _lags(rows: Rows, now: datetime) -> bool:
    """Or another tick was faster."""
    return any(c.replan_at is not None and c.replan_at <= now for c in rows.courses.values())
