"""Thirty-two drains on one minute, and ten ticks at once: on PostgreSQL, with a connection each."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from clinic.models import Course
from reminders import ticking
from reminders.models import Attempt, Message
from surveys.models import FollowUp
from tests.builders import make_course
from tests.reminders.crowd import make_crowd
from tests.reminders.faults.healing import states
from tests.reminders.letters import drain_at

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.processes,  # alone on the server: it has few connections
    pytest.mark.django_db(transaction=True),
]
DRAINS, BEATS, DUE = 32, 10, 400


def at_once(count: int, act: Callable[[], object]) -> list[object]:
    start = Barrier(count)

    def run(_: int) -> object:
        start.wait(10)
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(run, range(count)))


def test_thirty_two_drains_on_one_hot_minute_send_each_message_once(mail_server, settings, now):
    settings.MAIL_CONNECTIONS = 1
    make_crowd(DUE, now=now)
    assert Message.objects.values("due_at").distinct().count() == 1
    tried = at_once(DRAINS, lambda: drain_at(now))
    to = [address for taken in mail_server.messages for address in taken.recipients]
    assert (len(set(to)), len(to), sum(tried)) == (DUE, DUE, DUE)
    assert states() == {"accepted": DUE}
    assert set(Attempt.objects.values_list("n", flat=True)) == {1}


def test_ten_beats_at_once_plan_each_patient_once(clinic, now):
    for n in range(30):
        make_course(clinic, now=now, name=f"P {n}", mrn=f"{n}")
    at_once(BEATS, lambda: ticking.tick(now=now))
    ticking.tick(now=now)
    assert Course.objects.lagging(now).count() == 0
    assert (FollowUp.objects.count(), Message.objects.count()) == (30, 30)
