"""Plans made while somebody else acts: on PostgreSQL, where rows are locked."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from clinic import infusions
from clinic.actors import patient_link
from clinic.infusions import InfusionDetails
from clinic.models import Course, Patient
from reminders import planning
from reminders.planning import reconciling
from surveys import answering
from surveys.answering import NotAsked, NotTaken
from surveys.models import FollowUp
from surveys.questions import paper
from tests.builders import BY_TEST, make_course

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
DAY = timedelta(days=1)


def given(course, at):
    return infusions.log(course, InfusionDetails(started_at=at), by=BY_TEST, now=at)


def in_a_thread(act):
    def run():
        try:
            act()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_what_a_patient_begins_is_not_withdrawn_by_a_plan_already_on_its_way(
    clinic, now, monkeypatch
):
    course = make_course(clinic, now=now - 3 * DAY)
    given(course, now - 2 * DAY)
    wrong = given(course, now)
    at = now + DAY + timedelta(hours=1)
    planning.reconcile(course.patient, now=at, by=BY_TEST)
    asked = FollowUp.objects.open(at).get()
    infusions.cancel(wrong, "another patient's", by=BY_TEST, now=at)
    looked, go_on = threading.Event(), threading.Event()
    gather = reconciling.gather

    def gather_slowly(*args, **more):
        found = gather(*args, **more)
        looked.set()
        go_on.wait(timeout=10)
        return found

    def begin():
        first = paper(asked, now=at).first_open()
        by = patient_link(asked.pk)
        try:
            answering.record(asked, first.part.key, first.screen.key, {}, by=by, now=at)
        except (NotAsked, NotTaken):
            return

    monkeypatch.setattr(reconciling, "gather", gather_slowly)
    replanning = in_a_thread(lambda: planning.reconcile(course.patient, now=at, by=BY_TEST))
    looked.wait(timeout=10)
    answer = in_a_thread(begin)
    answer.join(timeout=1)
    is_waiting = answer.is_alive()
    go_on.set()
    replanning.join()
    answer.join()
    assert is_waiting, "begun after the look that withdraws it"
    assert FollowUp.objects.get(pk=asked.pk).withdrawn_at is not None


def test_a_patient_somebody_holds_does_not_make_the_others_wait(clinic, now):
    held, free = (make_course(clinic, now=now, name=n, mrn=n) for n in ("Ana", "Eva"))
    with transaction.atomic():
        Patient.objects.held(held.patient_id)
        tick = in_a_thread(lambda: planning.reconcile_lagging(now=now))
        tick.join(timeout=10)
        assert not tick.is_alive()
    assert free.dues.exists()
    assert not held.dues.exists()
    assert planning.lagging(now=now) == [held.patient]


def test_two_ticks_at_once_plan_each_patient_once(clinic, now):
    for n in range(30):
        make_course(clinic, now=now, name=f"P {n}", mrn=f"{n}")
    looked_at: list[int] = []
    ticks = [
        in_a_thread(lambda: looked_at.append(planning.reconcile_lagging(now=now))) for _ in "ab"
    ]
    for tick in ticks:
        tick.join()
    planning.reconcile_lagging(now=now)  # whoever both of them left to the other
    assert Course.objects.lagging(now).count() == 0
    assert FollowUp.objects.count() == 30
