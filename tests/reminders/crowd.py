"""Very many patients who are all to be written to now."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from django.db import models

from clinic.models import Clinic
from devtools.crowd import copy_patients
from reminders import planning
from reminders.models import Message
from tests.builders import BY_TEST, make_clinic, make_course


def wait_until(done: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, states()
        time.sleep(0.25)


def states() -> dict[str, int]:
    counted = Message.objects.values_list("state").annotate(n=models.Count("pk"))
    return dict(counted.order_by())


def noon_zone(now: datetime) -> str:
    """A zone in which it is between twelve and one now, so that no quiet hours are near."""
    ahead = 12 - now.astimezone(UTC).hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"  # the sign in these names is reversed


def make_crowd(size: int, *, now: datetime) -> Clinic:
    clinic = make_clinic("Crowd Clinic", now=now, zone=noon_zone(now))
    course = make_course(clinic, now=now, email="p0@crowd.example")
    planning.reconcile(course.patient, now=now, by=BY_TEST)
    others = range(1, size)
    copy_patients(
        Message.objects.get(),
        ({"email": f"p{n}@crowd.example", "name": f"P {n}", "mrn": ""} for n in others),
    )
    return clinic
