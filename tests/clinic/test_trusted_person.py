"""Somebody the clinic may call when it is worried and does not reach the patient."""

import pytest
from django.db import connection

from clinic import enrolment
from clinic.models import AuditEntry, Patient
from clinic.refusals import Refused
from tests.builders import BY_TEST, course_details, patient_details

pytestmark = pytest.mark.django_db
SISTER = {
    "trusted_name": "Lucía Peña",
    "trusted_relation": "sister",
    "trusted_phone": "432 555 0188",
}


def test_named_at_enrolment_and_sealed_at_rest(clinic, now):
    given = patient_details(**SISTER)
    enrolment.enrol(clinic, given, course_details(), by=BY_TEST, now=now)
    patient = Patient.objects.get()
    assert {name: getattr(patient, name) for name in SISTER} == SISTER
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(SISTER)} FROM clinic_patient")
        stored = " ".join(cursor.fetchone())
    assert not any(value in stored for value in SISTER.values())


def test_the_trail_names_the_fields_and_no_value(clinic, patient, clinician, now):
    enrolment.change_details(patient, SISTER, by=BY_TEST, now=now)
    entry = AuditEntry.objects.filter(action="change details").get()
    assert entry.fields == sorted(SISTER)
    assert not any(value in str(vars(entry)) for value in SISTER.values())


def test_taken_back_all_at_once(patient, now):
    enrolment.change_details(patient, SISTER, by=BY_TEST, now=now)
    enrolment.change_details(patient, dict.fromkeys(SISTER, ""), by=BY_TEST, now=now)
    patient.refresh_from_db()
    assert not any(getattr(patient, name) for name in SISTER)


@pytest.mark.parametrize(
    ("missing", "field"),
    [
        ({"trusted_phone": ""}, "trusted_phone"),
        ({"trusted_name": "  "}, "trusted_name"),
        ({"trusted_name": "", "trusted_phone": ""}, "trusted_phone"),
        ({"trusted_phone": "ask her"}, "trusted_phone"),
    ],
)
def test_half_of_it_is_refused_beside_its_field(clinic, patient, now, missing, field):
    with pytest.raises(Refused) as refused:
        enrolment.change_details(patient, {**SISTER, **missing}, by=BY_TEST, now=now)
    assert refused.value.field == field
    another = patient_details(name="Eva Ruiz", mrn="2", **{**SISTER, **missing})
    with pytest.raises(Refused) as refused:
        enrolment.enrol(clinic, another, course_details(), by=BY_TEST, now=now)
    assert refused.value.field == field


def test_a_number_alone_cannot_be_taken_from_under_a_name(patient, now):
    enrolment.change_details(patient, SISTER, by=BY_TEST, now=now)
    with pytest.raises(Refused):
        enrolment.change_details(patient, {"trusted_phone": ""}, by=BY_TEST, now=now)
