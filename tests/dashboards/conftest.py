"""A clinician at her desk, and a patient with half a course behind them."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import time_machine
from django.test import Client
from time_machine import Traveller

from clinic.models import Course, Member
from tests.dashboards.histories import make_answer, make_infusion, make_missed, phq9


@pytest.fixture
def later(now: datetime) -> datetime:
    """Forty days after enrolment, on which the pages are looked at."""
    return now + timedelta(days=40)


@pytest.fixture
def clock(later: datetime) -> Iterator[Traveller]:
    with time_machine.travel(later, tick=False) as travelled:
        yield travelled


@pytest.fixture
def treated(course: Course, now: datetime) -> Course:
    """Baseline 18, four infusions, 9 with a thought of suicide, then silence."""
    patient = course.patient
    make_answer(patient, "phq9", phq9(18), now + timedelta(hours=1))
    for days in (2, 5, 9, 12):
        make_infusion(course, now + timedelta(days=days))
    make_answer(patient, "phq9", phq9(9, item9=1), now + timedelta(days=15))
    make_missed(course, "A4", ["phq9", "gad7"], now + timedelta(days=33))
    return course


@pytest.fixture
def desk_of(client: Client, clock: Traveller) -> "DeskOf":
    return DeskOf(client)


class DeskOf:
    """The browser of a member of staff."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def __call__(self, member: Member) -> Client:
        self.client.force_login(member.user)
        return self.client
