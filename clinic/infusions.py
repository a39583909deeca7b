"""Log, correct and cancel infusions: the facts every schedule is computed from."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from clinic import audit
from clinic.access import demand
from clinic.actors import Actor
from clinic.models import Course, Infusion, Patient
from clinic.refusals import Conflicting, Ended, Refused

CLOCK_SLACK = timedelta(minutes=5)  # a form's clock may run ahead of ours
LONGEST_BEFORE = timedelta(days=366)  # before enrolment; earlier is a slip in the year
LONGEST_AHEAD = timedelta(days=731)


@dataclass(frozen=True, slots=True, kw_only=True)
class InfusionDetails:
    """One infusion, as given or as planned."""

    started_at: datetime
    status: Infusion.Status = Infusion.Status.COMPLETED
    route: Infusion.Route = Infusion.Route.IV
    stopped_early: bool = False
    dose_mg_per_kg: Decimal | None = None
    duration_minutes: int | None = None
    systolic_max: int | None = None  # mmHg
    diastolic_max: int | None = None  # mmHg
    heart_rate_max: int | None = None  # per minute
    oxygen_min: int | None = None  # SpO2, per cent
    complication: str = ""
    note: str = ""


_FIELDS = tuple(field.name for field in fields(InfusionDetails))
CLINICAL = frozenset(_FIELDS) - {"started_at", "status", "route", "stopped_early"}
# Detail -> lowest and highest possible value. Wide: they catch slips of the finger, not illness.
LIMITS: Mapping[str, tuple[Decimal, Decimal]] = {
    "dose_mg_per_kg": (Decimal("0.01"), Decimal(20)),
    "duration_minutes": (Decimal(1), Decimal(1440)),
    "systolic_max": (Decimal(40), Decimal(320)),
    "diastolic_max": (Decimal(20), Decimal(220)),
    "heart_rate_max": (Decimal(20), Decimal(300)),
    "oxygen_min": (Decimal(30), Decimal(100)),
}


@transaction.atomic
def log(
    course: Course,
    given: InfusionDetails,
    *,
    by: Actor,
    now: datetime,
    planned: Infusion | None = None,
) -> Infusion:
    """Record an infusion, given or planned.

    The same one twice is recorded once. One given at the very time it was planned for, or in the
    place of `planned`, completes that plan instead of standing beside it.
    """
    patient, course = _held(course.pk)
    _allow(by, patient, given, InfusionDetails(started_at=given.started_at))
    _refuse_impossible(course, given, now)
    standing = _standing(course, given, planned)
    if standing:
        return _log_again(standing, given, by=by, now=now)
    infusion = Infusion(course=course, recorded_at=now, **_values(given))
    infusion.save(force_insert=True)
    _settle("log infusion", infusion, patient, _given_fields(given), by, now)
    return infusion


@transaction.atomic
def correct(
    infusion: Infusion, changes: Mapping[str, Any], *, by: Actor, now: datetime
) -> Infusion:
    """Change what is recorded of an infusion: its time, its status, its details."""
    patient, course = _held(infusion.course_id)
    infusion = Infusion.objects.get(pk=infusion.pk)
    if infusion.status == Infusion.Status.CANCELLED:
        raise Ended(_("This infusion was cancelled. Log a new one."))
    before = _details(infusion)
    after = replace(before, **changes)
    _allow(by, patient, after, before)
    changed = [name for name in _FIELDS if getattr(before, name) != getattr(after, name)]
    if not changed:
        return infusion
    _refuse_impossible(course, after, now)
    _refuse_taken_time(infusion, after.started_at)
    for name in changed:
        setattr(infusion, name, getattr(after, name))
    infusion.save(update_fields=changed)
    _settle("correct infusion", infusion, patient, changed, by, now)
    return infusion


@transaction.atomic
def cancel(infusion: Infusion, reason: str, *, by: Actor, now: datetime) -> Infusion:
    """It does not, or did not, take place: called off, not kept, entered in error."""
    patient, _course = _held(infusion.course_id)
    demand(by, "log infusion", patient.clinic)
    infusion = Infusion.objects.get(pk=infusion.pk)
    if infusion.status == Infusion.Status.CANCELLED:
        return infusion
    infusion.status = Infusion.Status.CANCELLED
    infusion.cancelled_reason = " ".join(reason.split())[:200]
    infusion.save(update_fields=["status", "cancelled_reason"])
    _settle("cancel infusion", infusion, patient, ["status", "cancelled_reason"], by, now)
    return infusion


def _held(course_id: Any) -> tuple[Patient, Course]:
    """The course and its patient, locked: verbs about one patient take turns."""
    course = Course.objects.get(pk=course_id)
    return Patient.objects.held(course.patient_id), course


def _allow(by: Actor, patient: Patient, after: InfusionDetails, before: InfusionDetails) -> None:
    """The front desk records that an infusion took place; dose and vitals are clinical."""
    demand(by, "log infusion", patient.clinic)
    if any(getattr(after, name) != getattr(before, name) for name in CLINICAL):
        demand(by, "record clinical details", patient.clinic)


def _standing(course: Course, given: InfusionDetails, planned: Infusion | None) -> Infusion | None:
    """What this course holds in its place, as it is now: somebody may just have logged it too."""
    if planned and (found := course.infusions.filter(pk=planned.pk).first()):
        return found
    return course.infusions.standing().filter(started_at=given.started_at).first()


def _log_again(standing: Infusion, given: InfusionDetails, *, by: Actor, now: datetime) -> Infusion:
    if _details(standing) == given:
        return standing
    if standing.status == Infusion.Status.COMPLETED:
        raise Conflicting(
            _("An infusion at this time is recorded already. Correct that one."),
            field="started_at",
        )
    return correct(standing, _values(given), by=by, now=now)


def _refuse_impossible(course: Course, given: InfusionDetails, now: datetime) -> None:
    _refuse_impossible_time(course, given, now)
    if course.patient.ended_at and given.started_at > course.patient.ended_at:
        raise Ended(_("This patient is no longer followed up."))
    if course.closed_at and given.started_at >= course.closed_at:
        raise Ended(_("This course is closed. Open a new course for a further infusion."))
    for name, (lowest, highest) in LIMITS.items():
        value = getattr(given, name)
        if value is not None and not lowest <= value <= highest:
            message = _("Enter a number from %(lowest)s to %(highest)s.")
            raise Refused(message % {"lowest": lowest, "highest": highest}, field=name)


def _refuse_impossible_time(course: Course, given: InfusionDetails, now: datetime) -> None:
    started_at, zone = given.started_at, course.patient.clinic.tz
    if given.status == Infusion.Status.CANCELLED:
        raise ValueError("cancelling is a verb of its own")
    if given.status == Infusion.Status.COMPLETED and started_at > now + CLOCK_SLACK:
        raise Refused(
            _("This time is in the future. Enter it as planned instead."), field="started_at"
        )
    day, today = started_at.astimezone(zone).date(), now.astimezone(zone).date()
    if given.status == Infusion.Status.PLANNED and day < today:
        raise Refused(
            _("A planned infusion cannot be in the past. Enter it as completed."),
            field="started_at",
        )
    earliest, latest = course.enrolled_at - LONGEST_BEFORE, now + LONGEST_AHEAD
    if not earliest <= started_at <= latest:
        raise Refused(_("Check the year of this infusion."), field="started_at")


def _refuse_taken_time(infusion: Infusion, started_at: datetime) -> None:
    others = Infusion.objects.standing().filter(course=infusion.course_id).exclude(pk=infusion.pk)
    if others.filter(started_at=started_at).exists():
        raise Conflicting(_("Another infusion is recorded at this time."), field="started_at")


def _settle(
    action: str,
    infusion: Infusion,
    patient: Patient,
    changed: list[str],
    by: Actor,
    now: datetime,
) -> None:
    """Have every course of the patient planned again (asking one instrument once and one message a
    day bind them together), and audit."""
    patient.courses.all().touch(now)
    audit.write(
        by, action, clinic=patient.clinic, now=now, patient=patient, subject=infusion,
        fields=changed,
    )  # fmt: skip


def _details(infusion: Infusion) -> InfusionDetails:
    return InfusionDetails(**{name: getattr(infusion, name) for name in _FIELDS})


def _values(given: InfusionDetails) -> dict[str, Any]:
    return asdict(given)


def _given_fields(given: InfusionDetails) -> list[str]:
    return [name for name in _FIELDS if getattr(given, name) not in (None, "", False)]
