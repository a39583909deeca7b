"""E-mails that need a person: unclear ones, dead addresses, people who want none, missed ones.

The front desk's page. A bounded number of queries however many rows there are; only the rows of
the page shown are unsealed.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Prefetch, Q, QuerySet

from clinic.models import Clinic, Course, Patient, SearchKey
from dashboards import mail_words
from dashboards.queries.history import step_title
from dashboards.rows.mail import DeadAddress, Moot, NotSent, Stopped, Unclear, WayOut
from reminders.models import Attempt, Lane, Message, State, Suppression
from reminders.planning import protocol_of
from surveys.models import StepDue

Reason = Suppression.Reason
Delivery = Message.Delivery

LOOK_BACK = timedelta(days=30)
FOLLOWED = (Patient.Status.ACTIVE, Patient.Status.PAUSED)
CAME_BACK = (Delivery.BOUNCED, Delivery.SOFT_BOUNCED)
_DEAD = (Reason.HARD_BOUNCE, Reason.SOFT_BOUNCES, Reason.COMPLAINT, Reason.REFUSED)
_FEW = 200  # missed check-ins read for one page of dead addresses


@dataclass(frozen=True, slots=True)
class Dead:
    """Since when, and by what, a patient's present address is dead."""

    patient: UUID
    why: str
    since: datetime


def waiting_for_staff(clinic: Clinic, *, now: datetime) -> int:
    """How many e-mails and addresses need somebody. Two queries."""
    return unclear(clinic, now=now).count() + len(dead_addresses(clinic))


def unclear(clinic: Clinic, *, now: datetime) -> QuerySet[Message]:
    """Nobody knows whether they arrived, and something hangs on it. Oldest first."""
    messages = _unknown(clinic).exclude(_moot(now))
    return messages.exclude(Exists(_later_ones())).order_by("due_at", "pk")


def moot(clinic: Clinic, *, now: datetime) -> QuerySet[Message]:
    """Unclear for ever, perhaps, but nothing hangs on them any more. Newest first."""
    messages = _unknown(clinic).filter(_moot(now) | Q(Exists(_later_ones())))
    return messages.order_by("-due_at", "pk")


def unclear_rows(messages: Iterable[Message], *, now: datetime) -> list[Unclear]:
    return [_unclear_row(message, now) for message in messages]


def _unknown(clinic: Clinic) -> QuerySet[Message]:
    calls = Attempt.objects.filter(outcome=Attempt.Outcome.UNKNOWN).order_by("n")
    messages = Message.objects.filter(clinic=clinic, state=State.UNKNOWN)
    return messages.select_related("patient", "follow_up").prefetch_related(
        Prefetch("attempt_rows", queryset=calls, to_attr="unclear_calls")
    )


def _moot(now: datetime) -> Q:
    return (
        Q(follow_up__started_at__isnull=False)
        | Q(follow_up__finished_at__isnull=False)
        | Q(follow_up__withdrawn_at__isnull=False)
        | Q(follow_up__closes_at__lte=now)
        | ~Q(patient__status__in=FOLLOWED)
    )


def _later_ones() -> QuerySet[Message]:
    """A later e-mail with the same link that went out, and did not come back."""
    same = Message.objects.filter(follow_up=OuterRef("follow_up"), state=State.ACCEPTED)
    return same.filter(accepted_at__gt=OuterRef("due_at")).exclude(delivery__in=CAME_BACK)


def _unclear_row(message: Message, now: datetime) -> Unclear:
    calls: list[Attempt] = getattr(message, "unclear_calls", [])
    call = calls[-1] if calls else None
    return Unclear(
        id=message.pk,
        patient_id=message.patient_id,
        name=message.patient.name,
        kind=message.kind,
        nth=message.nth,
        at=call.started_at if call else message.due_at,
        said=mail_words.said(call.error if call else message.reason),
        moot=_why_moot(message, now),
    )


def _why_moot(message: Message, now: datetime) -> Moot:
    follow_up = message.follow_up
    if follow_up.finished_at is not None:
        return "answered"
    if follow_up.started_at is not None:
        return "begun"
    if message.patient.status not in FOLLOWED:
        return "ended"
    if follow_up.withdrawn_at is not None or follow_up.closes_at <= now:
        return "closed"
    return "followed"


def dead_addresses(clinic: Clinic) -> list[Dead]:
    """Patients whose present address fails, the latest first. One query, nothing unsealed."""
    key = SearchKey.Kind.EMAIL
    held = Suppression.objects.in_force().filter(
        clinic=clinic,
        reason__in=_DEAD,
        patient__status__in=FOLLOWED,
        patient__search_keys__kind=key,
        patient__search_keys__digest=F("address_digest"),
    )
    found: dict[UUID, Dead] = {}
    for patient, why, since in held.order_by("since").values_list("patient", "reason", "since"):
        found.setdefault(patient, Dead(patient, why, since))
    return sorted(found.values(), key=lambda dead: dead.since, reverse=True)


def dead_rows(found: Sequence[Dead]) -> list[DeadAddress]:
    """With name, phone, and what closed without an answer since. Three queries."""
    patients = Patient.objects.in_bulk([dead.patient for dead in found])
    missed = _missed({dead.patient: dead.since for dead in found})
    return [
        DeadAddress(
            patient_id=dead.patient,
            name=patients[dead.patient].name,
            email=patients[dead.patient].email,
            phone=patients[dead.patient].phone,
            why=dead.why,
            since=dead.since,
            missed=tuple(missed[dead.patient]),
        )
        for dead in found
        if dead.patient in patients
    ]


def _missed(since: Mapping[UUID, datetime]) -> dict[UUID, list[str]]:
    """Titles of the steps that closed without an answer, by patient."""
    missed: dict[UUID, list[str]] = defaultdict(list)
    if not since:
        return missed
    courses = Course.objects.filter(patient__in=since).select_related("protocol")
    protocols = {course.pk: (course.patient_id, protocol_of(course)) for course in courses}
    dues = StepDue.objects.filter(
        course__in=protocols, state=StepDue.State.EXPIRED, closes_at__gte=min(since.values())
    ).order_by("-closes_at")
    for course, step, closed in dues.values_list("course", "step", "closes_at")[:_FEW]:
        patient, protocol = protocols[course]
        if closed >= since[patient]:
            missed[patient].append(step_title(protocol, step))
    return missed


def stopped(clinic: Clinic) -> QuerySet[Suppression]:
    """Who wants no more e-mail, the latest first."""
    held = Suppression.objects.in_force().filter(clinic=clinic, reason=Reason.UNSUBSCRIBED)
    wanted = held.filter(patient__status__in=FOLLOWED).select_related("patient")
    return wanted.order_by("-since", "-pk")


def stopped_rows(suppressions: Iterable[Suppression]) -> list[Stopped]:
    return [Stopped(each.patient_id, each.patient.name, each.since) for each in suppressions]


def not_sent(clinic: Clinic, *, now: datetime) -> QuerySet[Message]:
    """Refused, impossible to send, or too late, in the last thirty days. The latest first."""
    states = (State.REJECTED, State.FAILED, State.EXPIRED)
    ended = Message.objects.filter(clinic=clinic, state__in=states, ended_at__gt=now - LOOK_BACK)
    return ended.select_related("patient").order_by("-ended_at", "pk")


def not_sent_rows(messages: Iterable[Message]) -> list[NotSent]:
    return [
        NotSent(
            id=message.pk,
            patient_id=message.patient_id,
            name=message.patient.name,
            kind=message.kind,
            nth=message.nth,
            state=message.state,
            at=message.ended_at or message.due_at,
            why=mail_words.why_not(message.state, message.reason),
        )
        for message in messages
    ]


def ways_out(*, now: datetime) -> list[WayOut]:
    """Ways out of the building that are shut or asked us to wait. One query."""
    troubled = Lane.objects.filter(Q(paused_until__gt=now) | Q(opened__gt=0))
    return [
        WayOut(lane.name, lane.reason, lane.paused_until, lane.updated_at)
        for lane in troubled.order_by("name")
    ]
