"""Follow-ups that wait to be answered."""

from collections.abc import Iterator
from datetime import datetime

import pytest
import time_machine
from django.test import Client
from time_machine import Traveller

from clinic.models import Course
from surveys.models import FollowUp
from tests.surveys.follow_ups import make_follow_up
from tests.surveys.handset import Handset


@pytest.fixture
def follow_up(course: Course, now: datetime) -> FollowUp:
    return make_follow_up(course, ["phq9"], now=now)


@pytest.fixture
def check_in(course: Course, now: datetime) -> FollowUp:
    """The day after an infusion: red flags, symptoms, mood."""
    return make_follow_up(course, ["checkin", "mood"], now=now)


@pytest.fixture
def clock(now: datetime) -> Iterator[Traveller]:
    """The time that the pages read; `shift` moves it."""
    with time_machine.travel(now, tick=False) as travelled:
        yield travelled


@pytest.fixture
def handset(client: Client, clock: Traveller, db: None) -> Handset:
    return Handset(client)


@pytest.fixture
def other_handset(clock: Traveller) -> Handset:
    """Another browser, in another pocket."""
    return Handset(Client())
