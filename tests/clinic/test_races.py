"""Two at the same moment: on PostgreSQL, where rows are locked one by one."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from itertools import cycle
from threading import Barrier, Event

import pytest
from django.db import connection, transaction

from clinic import birth_dates, enrolment, infusions, invitations, team
from clinic.actors import member_actor
from clinic.birth_dates import Outcome
from clinic.infusions import InfusionDetails
from clinic.models import AuditEntry, Course, Infusion, Member, Patient, User
from clinic.refusals import Refused
from tests.builders import BY_TEST, PASSWORD, course_details, make_course, patient_details

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
RACERS = 6


def race(act):
    """Let several threads do it at once: what each got, or how it was refused."""
    start = Barrier(RACERS)

    def run(_):
        start.wait(timeout=10)
        try:
            return act()
        except Refused as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(RACERS) as threads:
        return list(threads.map(run, range(RACERS)))


def test_the_same_form_sent_at_once_enrols_once(clinic, now):
    details, wanted = patient_details(), course_details()
    got = race(lambda: enrolment.enrol(clinic, details, wanted, by=BY_TEST, now=now))
    assert len(set(got)) == Patient.objects.count() == Course.objects.count() == 1


def test_the_same_person_from_two_desks_is_enrolled_once(clinic, now):
    def enrol():
        return enrolment.enrol(clinic, patient_details(), course_details(), by=BY_TEST, now=now)

    got = race(enrol)
    assert sum(isinstance(each, Refused) for each in got) == RACERS - 1
    assert Patient.objects.count() == 1


def test_the_same_infusion_logged_at_once_is_one(clinic, now):
    course = make_course(clinic, now=now)
    details = InfusionDetails(started_at=now)
    got = race(lambda: infusions.log(course, details, by=BY_TEST, now=now))
    assert len(set(got)) == Infusion.objects.count() == 1
    assert Course.objects.get().revision == course.revision + 1


def test_of_two_who_log_a_planned_one_with_other_doses_one_is_refused(clinic, now):
    course = make_course(clinic, now=now)
    plan = InfusionDetails(started_at=now, status=Infusion.Status.PLANNED)
    planned = infusions.log(course, plan, by=BY_TEST, now=now)
    doses = iter(range(1, RACERS + 1))

    def log():
        given = InfusionDetails(started_at=now, dose_mg_per_kg=Decimal(next(doses)))
        return infusions.log(course, given, by=BY_TEST, now=now, planned=planned)

    got = race(log)
    assert sum(isinstance(each, Refused) for each in got) == RACERS - 1
    [won] = [each for each in got if not isinstance(each, Refused)]
    assert Infusion.objects.get().dose_mg_per_kg == won.dose_mg_per_kg


def test_a_record_number_raced_has_one_holder(clinic, now):
    names = ("Ann One", "Ann Two", "Ann Three", "Ann Four", "Ann Five", "Ann Six")
    people = iter([make_course(clinic, now=now, name=name, mrn="").patient for name in names])
    got = race(
        lambda: enrolment.change_details(next(people), {"mrn": "MRN-7"}, by=BY_TEST, now=now)
    )
    assert sum(isinstance(each, Refused) for each in got) == RACERS - 1


def test_a_colleague_invited_by_two_clinics_at_once_has_one_account(clinic, other_clinic, now):
    clinics = cycle([clinic, other_clinic])

    def add():
        role = Member.Role.VIEWER
        return team.add_member(next(clinics), "new@both.example", role, by=BY_TEST, now=now)

    got = race(add)
    assert sum(isinstance(each, Refused) for each in got) == RACERS - 2
    assert User.objects.filter(email="new@both.example").count() == 1


def test_no_change_of_a_course_is_lost(clinic, now):
    course = make_course(clinic, now=now)
    moments = iter([now - timedelta(hours=hour) for hour in range(RACERS)])
    race(
        lambda: infusions.log(
            course, InfusionDetails(started_at=next(moments)), by=BY_TEST, now=now
        )
    )
    assert Course.objects.get().revision == course.revision + RACERS


def test_an_end_raced_is_recorded_once(clinic, now):
    patient = make_course(clinic, now=now).patient
    race(lambda: enrolment.withdraw(patient, by=BY_TEST, now=now))
    assert AuditEntry.objects.filter(action="withdraw").count() == 1


def test_of_wrong_birth_dates_at_once_only_one_is_the_fifth(clinic, now):
    patient = make_course(clinic, now=now).patient
    wrong = date(1999, 9, 9)
    got = race(lambda: birth_dates.try_birth_date(patient, wrong, by=BY_TEST, now=now))
    assert sorted(each.value for each in got) == ["locked"] * 2 + ["wrong"] * 4
    assert Patient.objects.get().wrong_birth_dates == 5
    assert AuditEntry.objects.filter(action="wrong birth date").count() == 5


def test_guesses_at_once_leave_no_try_for_the_right_one_behind_them(clinic, now):
    """Six browsers with four tries used up: one more is looked at, whichever comes first."""
    patient = make_course(clinic, now=now).patient
    Patient.objects.update(wrong_birth_dates=4)
    guesses = cycle([date(1984, 3, 4), date(1984, 3, 6)])
    got = race(lambda: birth_dates.try_birth_date(patient, next(guesses), by=BY_TEST, now=now))
    assert got == [Outcome.LOCKED] * RACERS
    assert AuditEntry.objects.filter(action="wrong birth date").count() == 1


def test_an_invitation_raced_has_one_winner(clinic, now):
    member = Member.objects.get()
    token = invitations.invite(member, by=BY_TEST, now=now).split("/")[-2]
    names = iter("abcdef")

    def accept():
        mine = Member.objects.select_related("user").get()
        name = next(names)
        return invitations.accept(
            mine, token, name=name, password=PASSWORD, by=member_actor(mine), now=now
        ).name

    got = race(accept)
    (winner,) = [each for each in got if isinstance(each, str)]
    assert User.objects.get().name == winner


def test_two_who_touch_the_same_courses_never_wait_for_each_other(patient, now):
    first, other = _later_made_comes_first(patient, now)
    has_one = Event()

    def one_after_the_other():
        with transaction.atomic():
            Course.objects.filter(pk=first.pk).touch(now)
            has_one.set()
            time.sleep(0.5)  # the other one is waiting by now
            Course.objects.filter(pk=other.pk).touch(now)

    def both():
        has_one.wait(timeout=10)
        Course.objects.filter(patient=patient).touch(now)

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(_closing, act) for act in (one_after_the_other, both)]:
            done.result(timeout=20)
    assert set(Course.objects.values_list("revision", flat=True)) == {3}


def _later_made_comes_first(patient: Patient, now):
    """Two courses that lie in the table the other way round than they are locked."""
    old, new = uuid.UUID(int=2), uuid.UUID(int=1)
    protocol = patient.courses.get().protocol
    Course.objects.all().delete()
    for pk in (old, new):
        Course.objects.create(
            pk=pk, patient=patient, protocol=protocol, indication="depression", enrolled_at=now
        )
    return Course.objects.get(pk=new), Course.objects.get(pk=old)


def _closing(act):
    try:
        act()
    finally:
        connection.close()
