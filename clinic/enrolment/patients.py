"""Begin to follow a patient, and change what is known of one."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from clinic import audit, consent, search
from clinic.access import demand
from clinic.actors import Actor
from clinic.enrolment import courses, details
from clinic.enrolment.details import CourseDetails, PatientDetails
from clinic.models import Clinic, Course, Patient
from clinic.refusals import AlreadyEnrolled, Refused

# Detail -> what makes of it the value of its column, or refuses.
_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "name": details.check_name,
    "email": details.check_email,
    "phone": details.check_phone,
    "mrn": details.tidy_line,
    "language": details.check_language,
    "zone": details.check_zone,
    "send_hour": details.check_send_hour,
    "allowed_days": details.check_allowed_days,
    "trusted_name": details.tidy_line,
    "trusted_relation": details.tidy_line,
    "trusted_phone": details.check_trusted_phone,
}
DETAILS = frozenset(_CHECKS) | {"birth_date"}
_IDENTITY = ("name", "birth_date", "email", "phone", "mrn", *details.TRUSTED)


@transaction.atomic
def enrol(
    clinic: Clinic,
    patient_details: PatientDetails,
    course_details: CourseDetails,
    *,
    by: Actor,
    now: datetime,
    another_person: bool = False,
) -> Course:
    """Begin to follow a patient, and open the first course.

    The same form sent twice gives back the same course. Somebody of the same name and birth date is
    refused as AlreadyEnrolled unless staff have said that it is `another_person`; a record number
    belongs to one patient always.
    """
    demand(by, "edit patients", clinic)
    # Enrolments of one clinic take turns, so that two of the same person cannot both be first.
    clinic = Clinic.objects.select_for_update(no_key=True).get(pk=clinic.pk)
    if course := _enrolled_by_this_form(clinic, patient_details, course_details):
        return course
    patient = _new_patient(clinic, patient_details, now)
    details.check_trusted_person(patient)
    _refuse_duplicate(patient, another_person)
    patient.save(force_insert=True)
    search.reindex(patient)
    given = [name for name in _IDENTITY if getattr(patient_details, name)]
    audit.write(
        by,
        "enrol",
        clinic=clinic,
        now=now,
        patient=patient,
        subject=patient,
        fields=[*given, "consent_version"],
    )
    return courses.begin(patient, course_details, by=by, now=now)


@transaction.atomic
def change_details(
    patient: Patient, changes: Mapping[str, Any], *, by: Actor, now: datetime
) -> Patient:
    """Change some of DETAILS. The next message uses them; an open link stays as it is."""
    patient = Patient.objects.held(patient.pk)
    demand(by, "edit patients", patient.clinic)
    if changes.get("mrn"):  # a record number is one patient's: like enrolments, one at a time
        Clinic.objects.select_for_update(no_key=True).get(pk=patient.clinic_id)
    if unknown := set(changes) - DETAILS:
        raise ValueError(f"not details of a patient: {sorted(unknown)}")
    columns = _columns(changes, _today(patient.clinic, now))
    changed = sorted(name for name, value in columns.items() if getattr(patient, name) != value)
    if not changed:
        return patient
    for name in changed:
        setattr(patient, name, columns[name])
    details.check_trusted_person(patient)
    if "mrn" in changed:
        _refuse_taken_mrn(patient)
    patient.save(update_fields=changed)
    search.reindex(patient)
    patient.courses.all().touch(now)
    names = ["birth_date" if name == "birth_date_text" else name for name in changed]
    audit.write(
        by, "change details", clinic=patient.clinic, now=now, patient=patient, subject=patient,
        fields=names,
    )  # fmt: skip
    return patient


def _columns(values: Mapping[str, Any], today: date) -> dict[str, Any]:
    columns = {name: _CHECKS[name](values[name]) for name in _CHECKS if name in values}
    if "birth_date" in values:
        columns["birth_date_text"] = details.check_birth_date(values["birth_date"], today)
    return columns


def _new_patient(clinic: Clinic, given: PatientDetails, now: datetime) -> Patient:
    if not consent.is_known(given.consent_version):
        raise Refused(
            _("Record the patient's consent first: nothing is sent without it."), field="consent"
        )
    values = {name: getattr(given, name) for name in DETAILS}
    return Patient(
        id=given.id,
        clinic=clinic,
        consent_version=given.consent_version,
        consented_at=now,
        enrolled_at=now,
        **_columns(values, _today(clinic, now)),
    )


def _enrolled_by_this_form(
    clinic: Clinic, given: PatientDetails, course_details: CourseDetails
) -> Course | None:
    patient = Patient.objects.filter(pk=given.id).first()
    if patient is None:
        return None
    if patient.clinic_id != clinic.pk:
        raise Refused(_("This form cannot be used again. Open a new one."))
    ours = patient.courses.filter(pk=course_details.id)
    return ours.first() or patient.courses.order_by("enrolled_at").first()


def _refuse_duplicate(patient: Patient, another_person: bool) -> None:
    _refuse_taken_mrn(patient)
    if another_person:
        return
    same = search.duplicates(
        patient.clinic, name=patient.name, birth_date=patient.birth_date
    ).first()
    if same:
        raise AlreadyEnrolled(
            _("A patient of this name and birth date is enrolled already."), same, field="name"
        )


def _refuse_taken_mrn(patient: Patient) -> None:
    holder = search.by_mrn(patient.clinic, patient.mrn) if patient.mrn else None
    if holder and holder.pk != patient.pk:
        raise AlreadyEnrolled(
            _("Another patient has this record number already."), holder, field="mrn"
        )


def _today(clinic: Clinic, now: datetime) -> date:
    return now.astimezone(clinic.tz).date()
