"""Identifiers at rest: unreadable, bound to their row, and found by exact words only."""

import base64

import pytest
from cryptography.exceptions import InvalidTag
from django.db import connection

from clinic import enrolment, infusions, sealed, search
from clinic.infusions import InfusionDetails
from clinic.models import Patient
from tests.builders import BY_TEST, make_course

CANARIES = {
    "name": "Canarina Piulada",
    "email": "canary@birds.example",
    "phone": "+1 432 555 0177",
    "mrn": "CANARY-77",
}
NOTE = "canary sang during the infusion"


def everything_stored() -> str:
    """Every cell of every table, as a thief with the database file would read it."""
    dump = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            dump.append(str(cursor.fetchall()))
    return "".join(dump)


def column(patient, name) -> str:
    with connection.cursor() as cursor:
        key = patient.pk.hex if connection.vendor == "sqlite" else patient.pk
        cursor.execute(f"SELECT {name} FROM clinic_patient WHERE id = %s", [key])
        return cursor.fetchone()[0]


def put(patient, name, value):
    with connection.cursor() as cursor:
        key = patient.pk.hex if connection.vendor == "sqlite" else patient.pk
        cursor.execute(f"UPDATE clinic_patient SET {name} = %s WHERE id = %s", [value, key])


def test_a_stolen_database_names_nobody(clinic, now):
    course = make_course(clinic, now=now, **CANARIES)
    infusions.log(course, InfusionDetails(started_at=now, note=NOTE), by=BY_TEST, now=now)
    stored = everything_stored()
    assert str(clinic.name) in stored  # the dump does hold what is not sealed
    for secret in [*CANARIES.values(), "Canarina", "4325550177", "1984-03-05", "canary"]:
        assert secret not in stored
        assert base64.b64encode(secret.encode()).decode().rstrip("=") not in stored


def test_the_row_reads_back_what_was_written(clinic, now):
    make_course(clinic, now=now, **CANARIES)
    patient = Patient.objects.get()
    assert {name: getattr(patient, name) for name in CANARIES} == CANARIES


def test_a_value_moved_to_another_row_does_not_open(clinic, now):
    first = make_course(clinic, now=now).patient
    second = make_course(clinic, now=now, name="Bea Ruiz", mrn="2", email="b@x.example").patient
    put(second, "email", column(first, "email"))
    with pytest.raises(InvalidTag):
        _ = Patient.objects.get(pk=second.pk).email


def test_a_value_moved_to_another_column_does_not_open(patient):
    put(patient, "phone", column(patient, "email"))
    with pytest.raises(InvalidTag):
        _ = Patient.objects.get().phone


def test_a_value_tampered_with_does_not_open(patient):
    key_id, _, body = column(patient, "email").partition(":")
    raw = bytearray(base64.b64decode(body))
    raw[-1] ^= 1
    put(patient, "email", f"{key_id}:{base64.b64encode(raw).decode()}")
    with pytest.raises(InvalidTag):
        _ = Patient.objects.get().email


def test_the_same_value_never_looks_the_same_twice(patient):
    before = column(patient, "email")
    Patient.objects.get().save()
    assert column(patient, "email") == before  # not opened, not sealed anew
    opened = Patient.objects.get()
    assert opened.email
    opened.save()
    assert column(patient, "email") != before


def test_after_a_change_of_key_the_old_opens_and_the_new_seals(patient, settings, now):
    old = settings.FIELD_KEYS
    settings.FIELD_KEYS = {"t2": bytes.fromhex("44" * 32), **old}
    assert Patient.objects.get().name == patient.name
    enrolment.change_details(patient, {"phone": "432 555 0199"}, by=BY_TEST, now=now)
    assert column(patient, "phone").startswith("t2:")
    assert column(patient, "name").startswith("t1:")
    settings.FIELD_KEYS = {"t2": settings.FIELD_KEYS["t2"]}
    with pytest.raises(KeyError):
        _ = Patient.objects.get().name


def test_the_wrong_key_fails_and_shows_nothing(patient, settings):
    settings.FIELD_KEYS = {"t1": bytes.fromhex("55" * 32)}
    with pytest.raises(InvalidTag):
        _ = Patient.objects.get().name


@pytest.mark.parametrize(
    "bypass",
    [
        lambda: Patient.objects.update(name="Eve"),
        lambda: Patient.objects.filter(name="Ana").exists(),
        lambda: Patient.objects.filter(email__in=["a@b.example"]).exists(),
    ],
    ids=["update", "filter", "filter in"],
)
def test_what_would_write_or_seek_plain_text_is_refused(patient, bypass):
    with pytest.raises(TypeError, match="sealed"):
        bypass()


def test_an_unopened_value_prints_nothing(patient):
    (row,) = Patient.objects.values("name")
    assert str(row["name"]) == repr(row["name"]) == "<sealed>"
    assert "Ana" not in f"{patient!r} {patient}"


def test_two_purposes_give_two_search_keys():
    assert sealed.search_key("mrn", "1") != sealed.search_key("phone", "1")


# -- Search -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("peña", id="one name"),
        pytest.param("PENA ana", id="no accents, any order"),
        pytest.param("Lucía  Peña", id="two names"),
        pytest.param("Lucia Peña", id="decomposed accent"),
        pytest.param("1984-03-05", id="birth date"),
        pytest.param("3/5/1984", id="birth date as Americans write it"),
        pytest.param("peña 03/05/1984", id="name and birth date"),
        pytest.param("ANA@example.com", id="e-mail"),
        pytest.param("432-555-0100", id="phone"),
        pytest.param("+1 (432) 555 0100", id="phone with country"),
        pytest.param("mrn-1001", id="record number"),
    ],
)
def test_a_patient_is_found_by(patient, text):
    assert list(search.find(patient.clinic, text)) == [patient]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "peñ",
        "ana@example.co",
        "1984-03-06",
        "555-0100",
        "1001",
        "ana ruiz",
        "%",
        "' OR 1",
    ],
)
def test_a_patient_is_not_found_by(patient, text):
    assert not search.find(patient.clinic, text).exists()


@pytest.mark.parametrize("text", ["obrien", "O'Brien", "o’brien", "Díaz", "obrien-diaz", "brien"])
def test_names_of_several_parts_are_found_by_each(clinic, now, text):
    course = make_course(clinic, now=now, name="Seán O'Brien-Díaz")
    assert list(search.find(clinic, text)) == [course.patient]


def test_another_clinics_patients_are_not_found(patient, other_clinic):
    for text in ("peña", "ana@example.com", "MRN-1001", "1984-03-05"):
        assert not search.find(other_clinic, text).exists()


def test_a_whole_page_pasted_into_the_search_is_no_error(patient):
    assert not search.find(patient.clinic, "of " * 3000).exists()


def test_two_people_of_one_name_are_both_found(clinic, patient, now):
    other = make_course(clinic, now=now, name="Ana Ruiz", mrn="2", email="").patient
    assert set(search.find(clinic, "ana")) == {patient, other}


@pytest.mark.parametrize(
    ("details", "found"),
    [
        pytest.param({"name": "Lucia Pena Ana"}, True, id="same name, same day"),
        pytest.param({"name": "Ana Peña"}, True, id="part of the name, same day"),
        pytest.param({"name": "Ana Ruiz"}, False, id="another name"),
        pytest.param({"name": "Eve", "email": "ana@example.com"}, True, id="same e-mail"),
        pytest.param({"name": "Eve", "mrn": "mrn-1001"}, True, id="same number"),
    ],
)
def test_likely_duplicates(patient, details, found):
    same_day = {"birth_date": patient.birth_date}
    assert search.duplicates(patient.clinic, **same_day, **details).exists() is found
