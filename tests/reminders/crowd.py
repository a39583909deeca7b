"""Very many patients who are all to be written to now: one is enrolled and planned by the product,
the others are copies of the rows that came of it."""

import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.db import models

from clinic.models import Clinic, Course, Patient
from reminders import planning
from reminders.models import Message
from surveys import links
from surveys.models import FollowUp, StepDue
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
    message = Message.objects.get()
    for n in range(1, size, 500):
        _copies(message, range(n, min(n + 500, size)))
    return clinic


def _copies(message: Message, numbers: range) -> None:
    course = message.patient.courses.get()
    dues = list(message.follow_up.dues.all())
    rows: dict[type[models.Model], list[Any]] = {
        kind: [] for kind in (Patient, Course, FollowUp, StepDue, Message)
    }
    for n in numbers:
        patient = _copy(message.patient, email=f"p{n}@crowd.example", name=f"P {n}", mrn="")
        its_course = _copy(course, patient=patient)
        follow_up = _copy(message.follow_up, patient=patient)
        link = links.new_link(follow_up.pk)
        for name in link.__slots__:
            setattr(follow_up, name, getattr(link, name))
        rows[Patient].append(patient)
        rows[Course].append(its_course)
        rows[FollowUp].append(follow_up)
        rows[StepDue] += [_copy(due, course=its_course, follow_up=follow_up) for due in dues]
        rows[Message].append(_copy(message, patient=patient, follow_up=follow_up))
    for kind, each in rows.items():
        kind._default_manager.bulk_create(each)


def _copy(row: Any, **changes: Any) -> Any:
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    values |= {"id": uuid.uuid4()}
    for name, value in changes.items():
        attname = row._meta.get_field(name).attname
        values[attname] = value.pk if isinstance(value, models.Model) else value
    return type(row)(**values)
