"""Two at the same moment: on PostgreSQL, where rows are locked one by one."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection

from clinic import enrolment, infusions, invitations
from clinic.actors import member_actor
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
