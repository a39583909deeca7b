"""The same choice sent several times at the same moment: on PostgreSQL, where rows are locked."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from clinic.models import AuditEntry
from reminders import preferences
from reminders.models import Suppression
from tests.reminders.letters import make_message

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
RACERS = 6


def race(*acts):
    start = Barrier(len(acts))

    def run(act):
        start.wait(timeout=10)
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


@pytest.mark.parametrize(
    "wishes", [{"mail": "pause", "language": "es"}, {"mail": "off"}, {"send_hour": 9}], ids=str
)
def test_the_same_choice_at_once_is_one(course, now, wishes):
    follow_up = make_message(course, now=now).follow_up
    got = race(*[lambda: preferences.choose(follow_up, wishes, now=now)] * RACERS)
    assert len(set(got)) == 1
    mine = AuditEntry.objects.filter(actor="patient_link").values_list("action", flat=True)
    assert len(set(mine)) == len(mine) == len(wishes)


def test_stopping_and_continuing_at_once_ends_in_one_of_both(course, now):
    follow_up = make_message(course, now=now).follow_up
    choices = ({"mail": "off"}, {"mail": "on"}, {"mail": "pause"}) * 2
    race(*[lambda each=each: preferences.choose(follow_up, each, now=now) for each in choices])
    held = Suppression.objects.in_force().count()
    stands = preferences.standing(type(course.patient).objects.get(), now=now)
    assert (held == 1) is (stands.mail == "off")
