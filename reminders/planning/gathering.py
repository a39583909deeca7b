"""Rows about patients, as few queries for fifty as for one. No writes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from clinic.models import Course, Infusion, Patient
from reminders.models import Message, Suppression
from reminders.schedule import Key
from surveys.cover import Cover, cover_of
from surveys.models import Alert, FollowUp, Response, Score, StepDue

SCHEDULED_KINDS = (Message.Kind.INVITATION, Message.Kind.REMINDER)


@dataclass(slots=True)
class Rows:
    """Everything the facts of one patient are read from, for whoever writes the plan back."""

    patient: Patient
    cover: Cover
    alert_open: bool
    courses: dict[str, Course] = field(default_factory=dict)
    infusions: dict[str, list[tuple[UUID, datetime, str, datetime]]] = field(
        default_factory=lambda: defaultdict(list)
    )  # by course: key, start, status, when recorded
    dues: dict[Key, StepDue] = field(default_factory=dict)
    follow_ups: dict[str, FollowUp] = field(default_factory=dict)
    messages: dict[str, list[Message]] = field(default_factory=lambda: defaultdict(list))
    answers: list[tuple[UUID, str, datetime, UUID | None]] = field(default_factory=list)
    scores: dict[UUID, dict[str, Decimal]] = field(default_factory=lambda: defaultdict(dict))
    held: list[tuple[str, str, datetime]] = field(default_factory=list)  # suppressions in force


def gather(patients: Sequence[Patient], *, now: datetime, to_write: bool = False) -> list[Rows]:
    """Of each patient, in the order given. Inside a transaction if `to_write`: then nobody begins
    to answer between this look and what is written from it."""
    if to_write:
        live = FollowUp.objects.live().filter(patient__in=patients)
        list(live.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    alerts = Alert.objects.open().filter(patient__in=patients)
    alerted = set(alerts.values_list("patient_id", flat=True))
    covers = {p.clinic_id: p.clinic for p in patients}
    cover = {pk: cover_of(clinic, now=now) for pk, clinic in covers.items()}
    rows = {p.pk: Rows(p, cover[p.clinic_id], p.pk in alerted) for p in patients}
    _courses(rows)
    _asked(rows)
    _answered(rows)
    held = Suppression.objects.in_force().filter(patient__in=patients).order_by("since")
    for row in held:
        rows[row.patient_id].held.append((row.reason, row.address_digest, row.since))
    return list(rows.values())


def _courses(rows: Mapping[UUID, Rows]) -> None:
    """Courses, their infusions and their dues."""
    courses = Course.objects.filter(patient__in=rows).select_related("protocol")
    mine: dict[UUID, Rows] = {}
    for course in courses.order_by("enrolled_at", "pk"):
        mine[course.pk] = rows[course.patient_id]
        mine[course.pk].courses[str(course.pk)] = course
    infusions = Infusion.objects.filter(course__in=mine).order_by("started_at")
    for course_id, *infusion in infusions.values_list(
        "course_id", "pk", "started_at", "status", "recorded_at"
    ):
        mine[course_id].infusions[str(course_id)].append(_four(infusion))
    for due in StepDue.objects.filter(course__in=mine):
        mine[due.course_id].dues[key_of(due)] = due


def _asked(rows: Mapping[UUID, Rows]) -> None:
    for follow_up in FollowUp.objects.filter(patient__in=rows).order_by("pk"):
        rows[follow_up.patient_id].follow_ups[str(follow_up.pk)] = follow_up
    for message in Message.objects.filter(patient__in=rows, kind__in=SCHEDULED_KINDS):
        rows[message.patient_id].messages[str(message.follow_up_id)].append(message)


def _answered(rows: Mapping[UUID, Rows]) -> None:
    finished = Response.objects.filter(patient__in=rows).finished().order_by("finished_at")
    for patient, *answer in finished.values_list(
        "patient_id", "pk", "instrument__key", "finished_at", "follow_up_id"
    ):
        rows[patient].answers.append(_four(answer))
    scores = Score.objects.filter(response__patient__in=rows, value__isnull=False)
    for patient, response, scale, value in scores.values_list(
        "response__patient_id", "response_id", "scale", "value"
    ):
        rows[patient].scores[response][scale] = cast(Decimal, value)


def _four(values: Iterable[Any]) -> tuple[Any, Any, Any, Any]:
    one, two, three, four = values
    return one, two, three, four


def key_of(due: StepDue) -> Key:
    infusion = str(due.infusion_id) if due.infusion_id else None
    return Key(str(due.course_id), due.step, infusion, due.occurrence)
