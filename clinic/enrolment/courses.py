"""Open and close courses of treatment."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from clinic import audit, definitions, infusions
from clinic.access import demand
from clinic.actors import Actor
from clinic.enrolment import details
from clinic.enrolment.details import CourseDetails
from clinic.infusions import InfusionDetails
from clinic.models import Course, Definition, Infusion, Patient
from clinic.refusals import Conflicting, Ended, Refused


@transaction.atomic
def open_course(patient: Patient, given: CourseDetails, *, by: Actor, now: datetime) -> Course:
    """Open a further course. Both stay open; the planner lets the older one run to its main
    outcome and drops what comes after."""
    patient = Patient.objects.held(patient.pk)
    demand(by, "edit patients", patient.clinic)
    if same := patient.courses.filter(pk=given.id).first():
        return same
    return begin(patient, given, by=by, now=now)


@transaction.atomic
def begin(patient: Patient, given: CourseDetails, *, by: Actor, now: datetime) -> Course:
    """A course for a patient this transaction has locked or made."""
    if patient.ended_at:
        raise Ended(_("This patient is no longer followed up, so no course can be opened."))
    course = _new_course(patient, given, now)
    course.save(force_insert=True)
    patient.courses.exclude(pk=course.pk).touch(now)
    audit.write(by, "open course", clinic=patient.clinic, now=now, patient=patient, subject=course)
    if given.first_infusion_at:
        planned = InfusionDetails(
            started_at=given.first_infusion_at, status=Infusion.Status.PLANNED
        )
        infusions.log(course, planned, by=by, now=now)
        course.refresh_from_db()
    return course


@transaction.atomic
def close_course(course: Course, reason: str, *, by: Actor, now: datetime) -> Course:
    """Say that a course is over: the steps after its last infusion are planned from there."""
    patient = Patient.objects.held(course.patient_id)
    demand(by, "edit patients", patient.clinic)
    course = Course.objects.get(pk=course.pk)
    if course.closed_at:
        return course
    course.closed_at = now
    course.closed_reason = " ".join(reason.split())[:200]
    course.save(update_fields=["closed_at", "closed_reason"])
    patient.courses.all().touch(now)
    audit.write(by, "close course", clinic=patient.clinic, now=now, patient=patient, subject=course)
    course.refresh_from_db()
    return course


def _new_course(patient: Patient, given: CourseDetails, now: datetime) -> Course:
    if Course.objects.filter(pk=given.id).exists():
        raise Refused(_("This form cannot be used again. Open a new one."))
    protocol = definitions.latest(patient.clinic, Definition.Kind.PROTOCOL, given.protocol)
    if protocol is None:
        raise Refused(_("Choose a protocol from the list."), field="protocol")
    if patient.courses.open().filter(protocol__key=given.protocol).exists():
        raise Conflicting(
            _("A course under this protocol is open already. Close it first."), field="protocol"
        )
    return Course(
        id=given.id,
        patient=patient,
        protocol=protocol,
        indication=given.indication,
        planned_infusions=details.check_planned_infusions(given.planned_infusions),
        enrolled_at=now,
        replan_at=now,
    )
