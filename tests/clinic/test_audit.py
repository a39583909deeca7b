"""The trail that cannot be rewritten, and that nothing happens without."""

import pytest
from django.core import checks
from django.core.management.sql import emit_post_migrate_signal
from django.db import DatabaseError, connection, transaction

from clinic import append_only, audit, enrolment
from clinic.actors import member_actor, patient_link, system
from clinic.models import AuditEntry, Course, Patient
from tests.builders import BY_TEST, make_course, patient_details

GUARDED = [
    "clinic_auditentry",
    "surveys_alertevent",
    "surveys_contactattempt",
    "surveys_escalation",
]
TAMPERINGS = {
    "update": "UPDATE {} SET id = id",
    "delete": "DELETE FROM {}",
    "truncate": "SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE {} CASCADE",
}
ACTS = [act for act in TAMPERINGS if connection.vendor == "postgresql" or act != "truncate"]


def run(sql: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.parametrize("act", ACTS)
def test_the_database_refuses_to_change_an_entry(course, act):
    before = AuditEntry.objects.count()
    assert before
    with pytest.raises(DatabaseError, match="append-only"):
        run(TAMPERINGS[act].format("clinic_auditentry"))
    assert AuditEntry.objects.count() == before


def test_neither_does_the_application_get_through(course):
    entry = AuditEntry.objects.first()
    entry.action = "nothing"
    for attempt in (entry.save, entry.delete, AuditEntry.objects.all().delete):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            attempt()


@pytest.mark.parametrize("table", GUARDED)
def test_a_lost_trigger_is_seen_and_put_back(db, table):
    for trigger in append_only.triggers(table, connection.vendor):
        on = f" ON {table}" if connection.vendor == "postgresql" else ""
        run(f"DROP TRIGGER {trigger}{on}")
        assert append_only.missing(connection) == [table]
        (warning,) = checks.run_checks(databases=["default"], tags=[checks.Tags.database])
        assert warning.id == "clinic.W001"
        emit_post_migrate_signal(verbosity=0, interactive=False, db="default")
        assert append_only.missing(connection) == []


def test_an_act_that_cannot_be_recorded_does_not_happen(clinic, patient, now):
    before = (Patient.objects.count(), Course.objects.get().revision)
    refuse_entries()
    with pytest.raises(DatabaseError):
        enrolment.pause(patient, by=BY_TEST, now=now)
    with pytest.raises(DatabaseError):
        make_course(clinic, now=now, name="Bea Ruiz", mrn="2", email="")
    assert (Patient.objects.count(), Course.objects.get().revision) == before
    assert Patient.objects.get().status == "active"


def refuse_entries() -> None:
    """As a full disk would, or a table somebody renamed."""
    if connection.vendor == "sqlite":
        run(
            "CREATE TRIGGER full BEFORE INSERT ON clinic_auditentry "
            "BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    else:
        run(
            "CREATE TRIGGER full_disk BEFORE INSERT ON clinic_auditentry "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )


def test_an_entry_says_who_did_what_to_whom_and_names_fields_only(clinic, clinician, now):
    details = patient_details()
    course = make_course(clinic, now=now)
    by = member_actor(clinician)
    enrolment.change_details(course.patient, {"phone": "432 555 0199"}, by=by, now=now)
    entry = AuditEntry.objects.get(action="change details")
    assert (entry.clinic, entry.at, entry.actor, entry.member) == (clinic, now, "member", clinician)
    assert (entry.patient, entry.object_type) == (course.patient, "patient")
    assert entry.object_id == str(course.patient_id)
    told = str(list(AuditEntry.objects.values()))
    for value in (details.name, "Peña", details.email, details.phone, "0199", details.mrn, "1984"):
        assert value not in told


@pytest.mark.parametrize("field", ["ana@example.com", "Ana", "432 555", "", "phq9=27"])
def test_what_is_no_field_name_is_refused(clinic, now, field):
    with pytest.raises(ValueError, match="never values"):
        audit.write(BY_TEST, "enrol", clinic=clinic, now=now, fields=[field])


def test_a_look_is_recorded_with_its_patient(patient, viewer, now):
    audit.read(viewer, patient, "patient page", now=now)
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.patient, entry.member) == ("read patient page", patient, viewer)


def test_the_system_and_a_link_act_under_their_own_names(clinic, patient, now):
    audit.write(system("tick"), "expire", clinic=clinic, now=now)
    audit.write(patient_link(patient.pk), "answer", clinic=clinic, now=now)
    first, second = AuditEntry.objects.order_by("-pk")[:2]
    assert (second.actor, second.reason) == ("system", "tick")
    assert (first.actor, first.reason) == ("patient_link", f"follow-up {patient.pk}")


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_an_entry_without_its_act_is_refused(now):
    clinic = make_course_clinic(now)
    with pytest.raises(RuntimeError, match="transaction"):
        audit.write(BY_TEST, "enrol", clinic=clinic, now=now)


def make_course_clinic(now):
    return enrolment.open_clinic(
        "North", zone="America/Chicago", admin_email="a@b.example", by=BY_TEST, now=now
    ).clinic
