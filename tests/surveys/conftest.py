"""Follow-ups that wait to be answered."""

from datetime import datetime

import pytest

from clinic.models import Course
from surveys.models import FollowUp
from tests.surveys.follow_ups import make_follow_up


@pytest.fixture
def follow_up(course: Course, now: datetime) -> FollowUp:
    return make_follow_up(course, ["phq9"], now=now)


@pytest.fixture
def check_in(course: Course, now: datetime) -> FollowUp:
    """The day after an infusion: red flags, symptoms, mood."""
    return make_follow_up(course, ["checkin", "mood"], now=now)
