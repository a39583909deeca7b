"""Rows -> the facts about one patient. A bounded number of queries, no writes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import cast

from clinic.models import Course, Infusion, Patient
from reminders import protocols
from reminders.models import UNSENT, Message, State, Suppression
from reminders.protocols import Anchor, Protocol
from reminders.schedule import (
    AnswerFacts,
    CourseFacts,
    Due,
    FollowUpFacts,
    InfusionFacts,
    Key,
    PatientFacts,
    SentFacts,
    local_date,
)
from reminders.schedule import State as DueState
from reminders.schedule.clock import allowed_days
from reminders.schedule.facts import Channel, InfusionStatus, InvitationState, MessageKind, Status
from reminders.schedule.questionnaires import instrument_facts
from reminders.suppression import in_the_way
from surveys.cover import cover_of
from surveys.models import Alert, FollowUp, Response, Score, StepDue

SENT = (State.SENDING, State.ACCEPTED, State.UNKNOWN)  # or may have been: it uses up its day
REFUSED = (State.REJECTED, State.FAILED)
SCHEDULED_KINDS = (Message.Kind.INVITATION, Message.Kind.REMINDER)
CHOICES = (Suppression.Reason.UNSUBSCRIBED, Suppression.Reason.STAFF)


@dataclass(frozen=True, slots=True)
class Rows:
    """What the facts were read from, for whoever writes the plan back."""

    patient: Patient
    courses: Mapping[str, Course]
    dues: Mapping[Key, StepDue]
    follow_ups: Mapping[str, FollowUp]
    messages: Mapping[str, list[Message]]  # by follow-up


def facts_of(patient: Patient, *, now: datetime) -> PatientFacts:
    return gather(patient, now=now)[1]


def gather(patient: Patient, *, now: datetime, to_write: bool = False) -> tuple[Rows, PatientFacts]:
    """`to_write`: nobody begins to answer between this look and what is written from it."""
    asked = FollowUp.objects.filter(patient=patient)
    if to_write:
        asked = asked.select_for_update(no_key=True).order_by("pk")
    courses = list(patient.courses.select_related("protocol").order_by("enrolled_at", "pk"))
    messages: dict[str, list[Message]] = defaultdict(list)
    for message in Message.objects.filter(patient=patient, kind__in=SCHEDULED_KINDS):
        messages[str(message.follow_up_id)].append(message)
    rows = Rows(
        patient=patient,
        courses={str(course.pk): course for course in courses},
        follow_ups={str(f.pk): f for f in asked},
        dues={_key(due): due for due in StepDue.objects.filter(course__patient=patient)},
        messages=messages,
    )
    return rows, _facts(rows, now)


def _facts(rows: Rows, now: datetime) -> PatientFacts:
    patient = rows.patient
    channel, since = _channel(patient)
    return PatientFacts(
        zone=patient.tz,
        clinic_zone=patient.clinic.tz,
        courses=_courses(rows),
        instruments=instrument_facts(patient.language, _switched_on(patient)),
        cover=cover_of(patient.clinic, now=now),
        status=cast(Status, patient.status),
        paused_until=patient.paused_until,
        channel=channel,
        suspended_since=since,
        alert_open=Alert.objects.open().filter(patient=patient).exists(),
        send_hour=patient.send_hour,
        allowed_days=allowed_days(patient.clinic.allowed_days, patient.allowed_days),
        quiet_from=patient.clinic.quiet_from,
        quiet_until=patient.clinic.quiet_until,
        answers=_answers(patient),
        sent=tuple(_sent(rows)),
        follow_ups={
            pk: _follow_up(row, rows.messages[pk], channel) for pk, row in rows.follow_ups.items()
        },
        known={key: _known(key, due, rows) for key, due in rows.dues.items()},
    )


def _switched_on(patient: Patient) -> frozenset[str]:
    """`gad7:es` -> `gad7`, for the patient's language."""
    pairs = (name.partition(":") for name in patient.clinic.switched_on)
    return frozenset(key for key, _, language in pairs if language == patient.language)


def _channel(patient: Patient) -> tuple[Channel, datetime | None]:
    """Whether this patient can be written to; for a mailbox that failed, since when not."""
    if not patient.email:
        return "none", None
    held = list(
        Suppression.objects.in_force()
        .filter(patient=patient)
        .order_by("since")
        .values_list("reason", "address_digest", "since")
    )
    reason = in_the_way(patient.email, [(why, digest) for why, digest, _ in held])
    if not reason:
        return "email", None
    if reason in CHOICES:
        return "unsubscribed", None
    return "suspended", next(since for why, _, since in held if why == reason)


def _courses(rows: Rows) -> tuple[CourseFacts, ...]:
    infusions: dict[str, list[InfusionFacts]] = defaultdict(list)
    for row in Infusion.objects.filter(course__in=rows.courses.values()).order_by("started_at"):
        infusions[str(row.course_id)].append(
            InfusionFacts(
                str(row.pk), row.started_at, cast(InfusionStatus, row.status), row.recorded_at
            )
        )
    return tuple(
        CourseFacts(
            id=pk,
            protocol=protocol_of(course),
            indication=course.indication,
            enrolled_at=course.enrolled_at,
            planned_count=course.planned_infusions,
            closed_at=course.closed_at,
            infusions=tuple(infusions[pk]),
        )
        for pk, course in rows.courses.items()
    )


def protocol_of(course: Course) -> Protocol:
    """The version this course began with, whatever has been published since."""
    return _parsed(course.protocol.text)


@lru_cache(maxsize=256)
def _parsed(text: str) -> Protocol:
    return protocols.parse(text)


def _answers(patient: Patient) -> tuple[AnswerFacts, ...]:
    scores: dict[object, dict[str, Decimal]] = defaultdict(dict)
    found = Score.objects.filter(response__patient=patient, value__isnull=False)
    for response, scale, value in found.values_list("response_id", "scale", "value"):
        scores[response][scale] = cast(Decimal, value)
    finished = Response.objects.filter(patient=patient).finished().order_by("finished_at")
    values = finished.values_list("pk", "instrument__key", "finished_at", "follow_up_id")
    return tuple(
        AnswerFacts(key, cast(datetime, at), str(follow_up) if follow_up else None, scores[pk])
        for pk, key, at, follow_up in values
    )


def _sent(rows: Rows) -> Iterable[SentFacts]:
    zone = rows.patient.tz
    for pk, messages in rows.messages.items():
        for message in messages:
            if message.state in SENT or _sent_again(message):
                on = message.capped_on or local_date(message.accepted_at or message.due_at, zone)
                yield SentFacts(pk, cast(MessageKind, message.kind), message.nth, on)


def _follow_up(row: FollowUp, messages: Iterable[Message], channel: Channel) -> FollowUpFacts:
    ended = [m for m in messages if m.state not in (*UNSENT, *SENT)]
    return FollowUpFacts(
        id=str(row.pk),
        local_date=row.local_date,
        invitation=_invitation(messages, channel),
        begun_at=row.started_at,
        finished_at=row.finished_at,
        withdrawn=row.withdrawn_at is not None,
        spent=frozenset(m.nth for m in ended if m.kind == Message.Kind.REMINDER),
    )


def _invitation(messages: Iterable[Message], channel: Channel) -> InvitationState:
    """What was not mailed stands for the tablet until there is an address: then it is replaced."""
    invitation = next((m for m in messages if m.kind == Message.Kind.INVITATION), None)
    if invitation is None:
        return ""
    state = invitation.state
    if _sent_again(invitation):
        return "sent"
    if state in UNSENT:
        return "scheduled"
    if state in SENT:
        return "sent"
    return "undeliverable" if state in REFUSED or channel != "email" else "dead"


def _sent_again(message: Message) -> bool:
    """A member has it sent again because nobody knew: it may have arrived the first time."""
    return message.requested_by_id is not None and message.state not in REFUSED


def _key(due: StepDue) -> Key:
    infusion = str(due.infusion_id) if due.infusion_id else None
    return Key(str(due.course_id), due.step, infusion, due.occurrence)


def _known(key: Key, due: StepDue, rows: Rows) -> Due:
    return Due(
        key=key,
        anchor=Anchor(due.anchor),
        anchor_at=due.anchor_at or rows.courses[key.course].enrolled_at,
        target_at=due.target_at,
        send_at=due.send_at,
        opens_at=due.opens_at,
        closes_at=due.closes_at,
        instruments=tuple(due.instruments),
        state=DueState(due.state),
        reason=due.reason,
        follow_up=str(due.follow_up_id) if due.follow_up_id else None,
    )
