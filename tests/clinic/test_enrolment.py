"""Enrol, change, pause and end: once each, by whom it may be, and nothing impossible."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied

from clinic import enrolment, search
from clinic.actors import member_actor, patient_link
from clinic.models import AuditEntry, Course, Infusion, Patient
from clinic.refusals import AlreadyEnrolled, Conflicting, Ended, Refused
from tests.builders import BY_TEST, course_details, patient_details


def enrol(clinic, now, *, by=BY_TEST, course=None, **changes):
    details = patient_details(**changes)
    return enrolment.enrol(clinic, details, course or course_details(), by=by, now=now)


def test_enrolment_keeps_what_was_typed_and_when_consent_was_given(clinic, now):
    course = enrol(clinic, now, send_hour=9, allowed_days=(4, 0))
    patient = Patient.objects.get(pk=course.patient_id)
    assert (patient.name, patient.birth_date) == ("Ana Lucía Peña", date(1984, 3, 5))
    assert (patient.consent_version, patient.consented_at) == ("2026-11", now)
    assert (patient.send_hour, patient.allowed_days) == (9, [0, 4])
    assert (course.protocol.key, course.planned_infusions) == ("depression-induction", 6)
    assert course.replan_at == now


def test_without_an_address_a_patient_is_enrolled_all_the_same(clinic, now):
    assert enrol(clinic, now, email="  ").patient.email == ""


def test_the_first_planned_infusion_is_planned_with_the_course(clinic, now):
    tomorrow = now + timedelta(days=1)
    course = enrol(clinic, now, course=course_details(first_infusion_at=tomorrow))
    infusion = course.infusions.get()
    assert (infusion.started_at, infusion.status) == (tomorrow, Infusion.Status.PLANNED)


def test_the_same_form_sent_twice_enrols_once(clinic, now):
    details, wanted = patient_details(), course_details()
    first = enrolment.enrol(clinic, details, wanted, by=BY_TEST, now=now)
    again = enrolment.enrol(clinic, details, wanted, by=BY_TEST, now=now + timedelta(hours=1))
    assert again == first
    assert Patient.objects.count() == Course.objects.count() == 1


def test_a_form_of_one_clinic_does_nothing_in_another(clinic, other_clinic, now):
    details = patient_details()
    enrolment.enrol(clinic, details, course_details(), by=BY_TEST, now=now)
    with pytest.raises(Refused):
        enrolment.enrol(other_clinic, details, course_details(), by=BY_TEST, now=now)


def test_a_form_with_another_courses_id_is_refused(course, clinic, now):
    taken = course_details(id=course.pk)
    with pytest.raises(Refused, match="cannot be used again"):
        enrol(clinic, now, course=taken, name="Bo Lee", mrn="")
    assert Patient.objects.count() == 1


def test_the_same_person_is_noticed_until_staff_say_it_is_another(clinic, now):
    first = enrol(clinic, now).patient
    with pytest.raises(AlreadyEnrolled) as refusal:
        enrol(clinic, now, name="peña, ana lucia", mrn="", email="")
    assert refusal.value.patient == first
    other = enrolment.enrol(
        clinic,
        patient_details(mrn=""),
        course_details(),
        by=BY_TEST,
        now=now,
        another_person=True,
    )
    assert other.patient != first


def test_a_record_number_belongs_to_one_patient_of_a_clinic(clinic, other_clinic, now):
    enrol(clinic, now)
    with pytest.raises(AlreadyEnrolled) as refusal:
        enrolment.enrol(
            clinic,
            patient_details(name="Somebody Else", mrn="mrn-1001"),
            course_details(),
            by=BY_TEST,
            now=now,
            another_person=True,
        )
    assert refusal.value.field == "mrn"
    assert enrol(other_clinic, now).patient.mrn == "MRN-1001"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"name": " - "}, "name", id="no name"),
        pytest.param({"birth_date": date(2026, 3, 4)}, "birth_date", id="born tomorrow"),
        pytest.param({"birth_date": date(1884, 3, 5)}, "birth_date", id="born in 1884"),
        pytest.param({"email": "ana@example"}, "email", id="half an address"),
        pytest.param({"email": "a@b.example\nBcc: c@d.example"}, "email", id="two lines"),
        pytest.param({"phone": "555"}, "phone", id="too short a number"),
        pytest.param({"language": "fr"}, "language", id="language we lack"),
        pytest.param({"zone": "Texas"}, "zone", id="no such zone"),
        pytest.param({"zone": "../../etc/passwd"}, "zone", id="a path"),
        pytest.param({"send_hour": 24}, "send_hour", id="hour 24"),
        pytest.param({"allowed_days": (7,)}, "allowed_days", id="eighth day"),
        pytest.param({"consent_version": ""}, "consent", id="no consent"),
        pytest.param({"consent_version": "1999"}, "consent", id="unknown consent"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(clinic, now, changes, field):
    with pytest.raises(Refused) as refusal:
        enrol(clinic, now, **changes)
    assert refusal.value.field == field
    assert not Patient.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"protocol": "nonsense"}, "protocol", id="no such protocol"),
        pytest.param({"planned_infusions": 0}, "planned_infusions", id="none planned"),
    ],
)
def test_an_impossible_course_leaves_no_patient_behind(clinic, now, changes, field):
    with pytest.raises(Refused) as refusal:
        enrol(clinic, now, course=course_details(**changes))
    assert refusal.value.field == field
    assert not Patient.objects.exists()
    assert not AuditEntry.objects.filter(action="enrol").exists()


def test_born_today_is_possible(clinic, now):
    assert enrol(clinic, now, birth_date=date(2026, 3, 3)).patient.birth_date == date(2026, 3, 3)


def test_a_changed_address_is_found_recorded_and_planned_anew(patient, course, clinician, now):
    later = now + timedelta(days=1)
    by = member_actor(clinician)
    changed = enrolment.change_details(patient, {"email": "new@example.com"}, by=by, now=later)
    assert changed.email == Patient.objects.get().email == "new@example.com"
    assert list(search.find(patient.clinic, "new@example.com")) == [patient]
    assert not search.find(patient.clinic, "ana@example.com").exists()
    entry = AuditEntry.objects.get(action="change details")
    assert (entry.fields, entry.member) == (["email"], clinician)
    before, course = course, Course.objects.get()
    assert (course.revision, course.replan_at) == (before.revision + 1, later)


def test_a_change_that_changes_nothing_is_not_recorded(patient, course, now):
    enrolment.change_details(patient, {"email": patient.email}, by=BY_TEST, now=now)
    assert not AuditEntry.objects.filter(action="change details").exists()
    assert Course.objects.get().revision == course.revision


def test_a_detail_that_is_none_is_refused(patient, now):
    with pytest.raises(ValueError, match="not details"):
        enrolment.change_details(patient, {"status": "deceased"}, by=BY_TEST, now=now)


def test_a_birth_date_can_be_corrected(patient, now):
    corrected = enrolment.change_details(
        patient, {"birth_date": date(1985, 3, 5)}, by=BY_TEST, now=now
    )
    assert corrected.birth_date == date(1985, 3, 5)
    assert AuditEntry.objects.get(action="change details").fields == ["birth_date"]


def test_a_pause_ends_by_resuming_and_each_is_recorded_once(patient, course, now):
    until = now + timedelta(days=7)
    for _ in range(2):
        paused = enrolment.pause(patient, until=until, by=BY_TEST, now=now)
    assert (paused.status, paused.paused_until) == (Patient.Status.PAUSED, until)
    for _ in range(2):
        resumed = enrolment.resume(patient, by=BY_TEST, now=now)
    assert (resumed.status, resumed.paused_until) == (Patient.Status.ACTIVE, None)
    assert AuditEntry.objects.filter(action__in=["pause", "resume"]).count() == 2
    assert Course.objects.get().revision == course.revision + 2


def test_a_pause_until_now_is_refused(patient, now):
    with pytest.raises(Refused):
        enrolment.pause(patient, until=now, by=BY_TEST, now=now)


@pytest.mark.parametrize(
    ("verb", "status"),
    [(enrolment.withdraw, "withdrawn"), (enrolment.mark_deceased, "deceased")],
)
def test_an_end_is_recorded_once_and_can_be_taken_back(patient, course, now, verb, status):
    for hour in range(2):
        ended = verb(patient, by=BY_TEST, now=now + timedelta(hours=hour))
    assert (ended.status, ended.ended_at) == (status, now)
    assert Course.objects.get().revision == course.revision + 1
    for refused in (enrolment.pause, enrolment.resume):
        with pytest.raises(Ended):
            refused(patient, by=BY_TEST, now=now)
    with pytest.raises(Ended):
        enrolment.open_course(patient, course_details(), by=BY_TEST, now=now)
    again = enrolment.reinstate(patient, by=BY_TEST, now=now)
    assert (again.status, again.ended_at) == (Patient.Status.ACTIVE, None)


def test_death_overrides_withdrawal_and_not_the_other_way(patient, now):
    enrolment.withdraw(patient, by=BY_TEST, now=now)
    assert enrolment.mark_deceased(patient, by=BY_TEST, now=now).status == "deceased"
    with pytest.raises(Ended):
        enrolment.withdraw(patient, by=BY_TEST, now=now)


def test_a_second_course_stands_beside_the_first_and_both_are_planned_anew(course, now):
    wanted = course_details(protocol="maintenance")
    later = now + timedelta(days=60)
    for _ in range(2):
        second = enrolment.open_course(course.patient, wanted, by=BY_TEST, now=later)
    assert set(Course.objects.open()) == {course, second}
    assert Course.objects.get(pk=course.pk).revision == course.revision + 1


def test_one_protocol_has_one_open_course(course, now):
    with pytest.raises(Conflicting):
        enrolment.open_course(course.patient, course_details(), by=BY_TEST, now=now)
    enrolment.close_course(course, "finished", by=BY_TEST, now=now)
    assert enrolment.open_course(course.patient, course_details(), by=BY_TEST, now=now)


def test_a_course_closes_once(course, now):
    enrolment.close_course(course, "finished", by=BY_TEST, now=now)
    closed = enrolment.close_course(course, "other", by=BY_TEST, now=now + timedelta(days=1))
    assert (closed.closed_at, closed.closed_reason) == (now, "finished")
    assert closed.revision == course.revision + 1


def verbs(patient, course, now):
    """Every verb about a patient, ready to be called by somebody."""
    details = {"phone": "432 555 0199"}
    return {
        "change": lambda by: enrolment.change_details(patient, details, by=by, now=now),
        "pause": lambda by: enrolment.pause(patient, by=by, now=now),
        "resume": lambda by: enrolment.resume(patient, by=by, now=now),
        "withdraw": lambda by: enrolment.withdraw(patient, by=by, now=now),
        "deceased": lambda by: enrolment.mark_deceased(patient, by=by, now=now),
        "reinstate": lambda by: enrolment.reinstate(patient, by=by, now=now),
        "open": lambda by: enrolment.open_course(
            patient, course_details(protocol="maintenance"), by=by, now=now
        ),
        "close": lambda by: enrolment.close_course(course, "over", by=by, now=now),
        "enrol": lambda by: enrolment.enrol(
            patient.clinic,
            patient_details(name="Bea Ruiz", mrn="", email=""),
            course_details(),
            by=by,
            now=now,
        ),
    }


VERBS = list(verbs(Patient(), Course(), None))


@pytest.mark.parametrize("verb", VERBS)
def test_nobody_of_another_clinic_may(patient, course, other_clinic_admin, now, verb):
    with pytest.raises(PermissionDenied):
        verbs(patient, course, now)[verb](member_actor(other_clinic_admin))


@pytest.mark.parametrize("verb", VERBS)
def test_a_viewer_may_not(patient, course, viewer, now, verb):
    with pytest.raises(PermissionDenied):
        verbs(patient, course, now)[verb](member_actor(viewer))


@pytest.mark.parametrize("verb", VERBS)
def test_a_patients_link_may_not(patient, course, now, verb):
    with pytest.raises(PermissionDenied):
        verbs(patient, course, now)[verb](patient_link(patient.pk))


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "reinstate"])
def test_the_front_desk_may(patient, course, coordinator, now, verb):
    assert verbs(patient, course, now)[verb](member_actor(coordinator))


def test_the_front_desk_may_not_reinstate(patient, coordinator, now):
    with pytest.raises(PermissionDenied):
        enrolment.reinstate(patient, by=member_actor(coordinator), now=now)


def test_a_member_who_left_may_do_nothing(patient, course, clinician, now):
    clinician.active = False
    with pytest.raises(PermissionDenied):
        enrolment.pause(patient, by=member_actor(clinician), now=now)
