"""Very many patients like one: the first is enrolled and planned by the product, the others are
copies of the rows that came of it, each with an address and a link of its own."""

import itertools
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models

from clinic.models import Course, Infusion, Patient
from reminders.models import Message
from surveys import links
from surveys.models import FollowUp, StepDue

CHUNK = 500
Rows = dict[type[models.Model], list[Any]]


def copy_patients(message: Message, details: Iterable[Mapping[str, Any]]) -> list[uuid.UUID]:
    """One more patient like the message's own for each of `details`, which are columns of it.

    The patient has one course, one follow-up and one message. Returns the new patients' ids.
    """
    every = iter(details)
    ids: list[uuid.UUID] = []
    while chunk := list(itertools.islice(every, CHUNK)):
        ids += _copy_chunk(message, chunk)
    return ids


def _copy_chunk(message: Message, details: list[Mapping[str, Any]]) -> list[uuid.UUID]:
    course = message.patient.courses.get()
    infusions, dues = list(course.infusions.all()), list(message.follow_up.dues.all())
    rows: Rows = {kind: [] for kind in (Patient, Course, Infusion, FollowUp, StepDue, Message)}
    for each in details:
        patient = copied(message.patient, **each)
        its_course = copied(course, patient=patient)
        its_infusions = {row.pk: copied(row, course=its_course) for row in infusions}
        follow_up = copied(message.follow_up, patient=patient)
        give_link(follow_up)
        rows[Patient].append(patient)
        rows[Course].append(its_course)
        rows[Infusion] += its_infusions.values()
        rows[FollowUp].append(follow_up)
        for due in dues:
            infusion = due.infusion_id and its_infusions[due.infusion_id]
            rows[StepDue].append(
                copied(due, course=its_course, follow_up=follow_up, infusion=infusion)
            )
        rows[Message].append(copied(message, patient=patient, follow_up=follow_up))
    for kind, copies in rows.items():
        kind._default_manager.bulk_create(copies)
    return [patient.pk for patient in rows[Patient]]


def give_link(follow_up: FollowUp) -> None:
    link = links.new_link(follow_up.pk)
    for name in link.__slots__:
        setattr(follow_up, name, getattr(link, name))


def copied(row: Any, **changes: Any) -> Any:
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    values |= {"id": uuid.uuid4()}
    for name, value in changes.items():
        attname = row._meta.get_field(name).attname
        values[attname] = value.pk if isinstance(value, models.Model) else value
    return type(row)(**values)
