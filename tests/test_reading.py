"""Looking changes nothing: mail scanners and browsers open every address they see.

Each patient's address is opened by GET and by HEAD, in every state a follow-up can be in. A new
address under `surveys` or `reminders` is opened too, or fails here for want of its argument.
"""

from datetime import datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from clinic import enrolment
from clinic.models import Course
from surveys import links
from surveys.models import FollowUp
from tests.builders import BY_TEST
from tests.guards.routes import routes
from tests.surveys.follow_ups import answer, answer_all, make_follow_up
from tests.surveys.handset import Handset

DAY = timedelta(days=1)


def _fresh(follow_up: FollowUp, now: datetime) -> datetime:
    return now


def _begun(follow_up: FollowUp, now: datetime) -> datetime:
    answer(follow_up, "phq9/1", 1, now=now)
    return now


def _answered_with_a_worry(follow_up: FollowUp, now: datetime) -> datetime:
    answer_all(follow_up, now=now, value=1, send=False)
    return now


def _sent(follow_up: FollowUp, now: datetime) -> datetime:
    answer_all(follow_up, now=now)
    return now


def _closed_yesterday(follow_up: FollowUp, now: datetime) -> datetime:
    return now + 3 * DAY


def _long_closed(follow_up: FollowUp, now: datetime) -> datetime:
    return now + 40 * DAY


def _left(follow_up: FollowUp, now: datetime) -> datetime:
    enrolment.withdraw(follow_up.patient, by=BY_TEST, now=now)
    return now


STATES = [_fresh, _begun, _answered_with_a_worry, _sent, _closed_yesterday, _long_closed, _left]


def patient_addresses() -> list[tuple[str, tuple[str, ...]]]:
    return [
        (name, tuple(entry.pattern.converters))
        for _, name, entry in routes()
        if name.startswith(("surveys:", "reminders:"))
    ]


def address(name: str, wanted: tuple[str, ...], follow_up: FollowUp) -> str:
    purpose = "unsubscribe" if name in ("reminders:unsubscribe", "reminders:help") else "survey"
    arguments = {"token": links.token(follow_up, purpose), "place": 1, "rest": ">"}
    return reverse(name, kwargs={argument: arguments[argument] for argument in wanted})


def test_there_are_addresses_to_open():
    assert len(patient_addresses()) > 8


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_opening_a_patients_address_changes_nothing(
    state, course: Course, now: datetime, client: Client, assert_no_writes
):
    follow_up = make_follow_up(course, ["phq9"], now=now)
    with time_machine.travel(now, tick=False):
        assert Handset(client).start(follow_up).status == 200  # the pages behind Start are reached
    later = state(follow_up, now)
    strangers = Client()
    with time_machine.travel(later, tick=False):
        for name, wanted in patient_addresses():
            path = address(name, wanted, follow_up)
            for browser in (client, strangers):
                with assert_no_writes():
                    assert browser.get(path).status_code < 500
                    assert browser.head(path).status_code < 500
