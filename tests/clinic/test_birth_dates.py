"""Five tries at a birth date, counted on the patient."""

from datetime import date

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from clinic import actors, birth_dates
from clinic.actors import member_actor
from clinic.birth_dates import Outcome
from clinic.models import AuditEntry, Patient
from tests.builders import BY_TEST

pytestmark = pytest.mark.django_db
RIGHT, WRONG = date(1984, 3, 5), date(1984, 5, 3)


@pytest.fixture
def enter(patient, now):
    """Type dates one after the other, as a link of this patient; what each try got."""
    by = actors.patient_link(patient.pk)

    def types(*dates: date) -> list[Outcome]:
        return [birth_dates.try_birth_date(patient, each, by=by, now=now) for each in dates]

    return types


def test_the_fifth_wrong_one_locks_and_then_the_right_one_is_refused_too(enter, patient):
    assert enter(*[WRONG] * 5) == [Outcome.WRONG] * 4 + [Outcome.LOCKED]
    assert enter(RIGHT, WRONG) == [Outcome.LOCKED] * 2
    patient.refresh_from_db()
    assert (patient.wrong_birth_dates, patient.is_birth_date_locked) == (5, True)


def test_a_right_one_before_the_fifth_ends_the_count(enter, patient):
    assert enter(*[WRONG] * 4, RIGHT)[-1] is Outcome.RIGHT
    assert enter(*[WRONG] * 4)[-1] is Outcome.WRONG


def test_a_member_opens_it_again(enter, patient, coordinator, now):
    enter(*[WRONG] * 5)
    birth_dates.reopen(patient, by=member_actor(coordinator), now=now)
    assert enter(RIGHT) == [Outcome.RIGHT]


@pytest.mark.parametrize("who", ["viewer", "other_clinic_admin"])
def test_who_may_not_change_a_patient_opens_nothing(enter, patient, now, request, who):
    enter(*[WRONG] * 5)
    with pytest.raises(PermissionDenied):
        birth_dates.reopen(patient, by=member_actor(request.getfixturevalue(who)), now=now)
    assert enter(RIGHT) == [Outcome.LOCKED]


def test_each_try_is_on_record_without_a_date(enter, patient, now):
    enter(WRONG, RIGHT, RIGHT, *[WRONG] * 6)
    birth_dates.reopen(patient, by=BY_TEST, now=now)
    birth_dates.reopen(patient, by=BY_TEST, now=now)  # nothing to open
    entries = AuditEntry.objects.filter(action__contains="birth date").order_by("pk")
    one, other, third = entries[:3]
    assert (one.action, one.fields) == ("wrong birth date", ["wrong_birth_dates"])
    assert (other.action, other.fields) == ("prove birth date", ["wrong_birth_dates"])
    assert (third.action, third.fields) == ("prove birth date", [])
    assert [each.action for each in entries[3:]] == ["wrong birth date"] * 5 + ["reopen birth date"]
    assert "1984" not in str(list(entries.values()))


def test_the_database_refuses_a_sixth(patient):
    with pytest.raises(IntegrityError), transaction.atomic():
        Patient.objects.filter(pk=patient.pk).update(wrong_birth_dates=6)
