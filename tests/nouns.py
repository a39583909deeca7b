"""The people and things most tests are about. Small, flat, one noun each."""

from datetime import UTC, datetime

import pytest

from clinic.models import Clinic, Course, Member, Patient
from tests.builders import make_clinic, make_course, make_member

Role = Member.Role


@pytest.fixture
def now() -> datetime:
    """A Tuesday morning in Chicago."""
    return datetime(2026, 3, 3, 15, 0, tzinfo=UTC)


@pytest.fixture
def clinic(db: None, now: datetime) -> Clinic:
    return make_clinic("North Clinic", now=now)


@pytest.fixture
def other_clinic(db: None, now: datetime) -> Clinic:
    return make_clinic("South Clinic", now=now, zone="America/Denver")


@pytest.fixture
def admin(clinic: Clinic, now: datetime) -> Member:
    return make_member(clinic, Role.ADMIN, now=now, email="boss@north.example")


@pytest.fixture
def clinician(clinic: Clinic, now: datetime) -> Member:
    return make_member(clinic, Role.CLINICIAN, now=now)


@pytest.fixture
def coordinator(clinic: Clinic, now: datetime) -> Member:
    return make_member(clinic, Role.COORDINATOR, now=now)


@pytest.fixture
def viewer(clinic: Clinic, now: datetime) -> Member:
    return make_member(clinic, Role.VIEWER, now=now)


@pytest.fixture
def other_clinic_admin(other_clinic: Clinic, now: datetime) -> Member:
    return make_member(other_clinic, Role.ADMIN, now=now, email="boss@south.example")


@pytest.fixture
def course(clinic: Clinic, now: datetime) -> Course:
    return make_course(clinic, now=now)


@pytest.fixture
def patient(course: Course) -> Patient:
    return course.patient
