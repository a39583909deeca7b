"""What was read -> the facts about one patient. No queries, no writes."""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import cast

from clinic.models import Course, Patient
from reminders import protocols
from reminders.models import UNSENT, Message, State, Suppression
from reminders.planning.gathering import Rows
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
from surveys.models import FollowUp, StepDue

SENT = (State.SENDING, State.ACCEPTED, State.UNKNOWN)  # or may have been: it uses up its day
REFUSED = (State.REJECTED, State.FAILED)
CHOICES = (Suppression.Reason.UNSUBSCRIBED, Suppression.Reason.STAFF)


def facts(rows: Rows) -> PatientFacts:
    patient = rows.patient
    channel, since = _channel(rows)
    return PatientFacts(
        zone=patient.tz,
        clinic_zone=patient.clinic.tz,
        courses=_courses(rows),
        instruments=instrument_facts(patient.language, _switched_on(patient)),
        cover=rows.cover,
        status=cast(Status, patient.status),
        paused_until=patient.paused_until,
        channel=channel,
        suspended_since=since,
        alert_open=rows.alert_open,
        send_hour=patient.send_hour,
        allowed_days=allowed_days(patient.clinic.allowed_days, patient.allowed_days),
        closed_on=patient.clinic.closed_on,
        quiet_from=patient.clinic.quiet_from,
        quiet_until=patient.clinic.quiet_until,
        answers=_answers(rows),
        sent=tuple(_sent(rows)),
        follow_ups={
            pk: _follow_up(row, rows.messages.get(pk, ()), channel)
            for pk, row in rows.follow_ups.items()
        },
        known={key: _known(key, due, rows) for key, due in rows.dues.items()},
    )


def _switched_on(patient: Patient) -> frozenset[str]:
    """`gad7:es` -> `gad7`, for the patient's language."""
    pairs = (name.partition(":") for name in patient.clinic.switched_on)
    return frozenset(key for key, _, language in pairs if language == patient.language)


def _channel(rows: Rows) -> tuple[Channel, datetime | None]:
    """Whether this patient can be written to; for a mailbox that failed, since when not."""
    email = rows.patient.email
    if not email:
        return "none", None
    reason = in_the_way(email, [(why, digest) for why, digest, _ in rows.held])
    if not reason:
        return "email", None
    if reason in CHOICES:
        return "unsubscribed", None
    return "suspended", next(since for why, _, since in rows.held if why == reason)


def _courses(rows: Rows) -> tuple[CourseFacts, ...]:
    return tuple(
        CourseFacts(
            id=pk,
            protocol=protocol_of(course),
            indication=course.indication,
            enrolled_at=course.enrolled_at,
            planned_count=course.planned_infusions,
            closed_at=course.closed_at,
            infusions=tuple(
                InfusionFacts(str(infusion), start, cast(InfusionStatus, status), recorded)
                for infusion, start, status, recorded in rows.infusions.get(pk, ())
            ),
        )
        for pk, course in rows.courses.items()
    )


def protocol_of(course: Course) -> Protocol:
    """The version this course began with, whatever has been published since."""
    return _parsed(course.protocol.text)


@lru_cache(maxsize=256)
def _parsed(text: str) -> Protocol:
    return protocols.parse(text)


def _answers(rows: Rows) -> tuple[AnswerFacts, ...]:
    return tuple(
        AnswerFacts(key, at, str(follow_up) if follow_up else None, rows.scores.get(response, {}))
        for response, key, at, follow_up in rows.answers
    )


def _sent(rows: Rows) -> Iterable[SentFacts]:
    zone = rows.patient.tz
    for pk, messages in rows.messages.items():
        for message in messages:
            if message.state in SENT or _sent_again(message):
                on = message.capped_on or local_date(message.accepted_at or message.due_at, zone)
                yield SentFacts(pk, cast(MessageKind, message.kind), message.nth, on)


def _follow_up(row: FollowUp, messages: Iterable[Message], channel: Channel) -> FollowUpFacts:
    ended = [m for m in messages if m.state not in (*UNSENT, *SENT, State.SKIPPED)]
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
