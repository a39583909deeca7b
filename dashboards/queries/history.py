"""Follow-ups, messages and infusions of one patient, newest first."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from clinic.models import Course, Infusion, Patient
from dashboards import mail_words
from dashboards.rows import Asked, Given, Mail
from reminders.models import Message, State
from reminders.planning import protocol_of
from reminders.protocols import Protocol
from surveys import instruments
from surveys.models import Response, StepDue

SATISFIED, EXPIRED = StepDue.State.SATISFIED, StepDue.State.EXPIRED
# Of the dues of one follow-up the first of these tells what became of it.
_TELLING = (
    StepDue.State.SATISFIED,
    StepDue.State.ASKED,
    StepDue.State.PLANNED,
    StepDue.State.EXPIRED,
    StepDue.State.NOT_OFFERED,
    StepDue.State.SUPERSEDED,
    StepDue.State.CANCELLED,
    StepDue.State.SKIPPED,
)


def follow_ups(patient: Patient, courses: Sequence[Course], *, now: datetime) -> list[Asked]:
    """What has been asked or has come to an end. Two queries."""
    protocols = {course.pk: protocol_of(course) for course in courses}
    together: dict[UUID, list[StepDue]] = defaultdict(list)
    dues = StepDue.objects.filter(course__patient=patient).select_related("follow_up")
    came = _how_they_came(patient)
    for due in dues.order_by("send_at", "step"):
        together[due.follow_up_id or due.pk].append(due)
    rows = [_asked(group, protocols, came) for group in together.values() if _is_past(group, now)]
    return sorted(rows, key=lambda row: row.at, reverse=True)


def _how_they_came(patient: Patient) -> dict[UUID | None, tuple[str, str]]:
    """By follow-up: the mode of answers that did not all come through the link, and who entered
    them."""
    rows = Response.objects.filter(patient=patient).exclude(mode=Response.Mode.LINK)
    names = ("follow_up", "mode", "entered_by__user__name", "entered_by__user__email")
    return {
        follow_up: (mode, name or email or "")
        for follow_up, mode, name, email in rows.values_list(*names)
    }


def completion(rows: Iterable[Asked]) -> tuple[int, int]:
    """(answered, asked): of the follow-ups that are over or answered. No query."""
    over = [row.state for row in rows if row.state in (SATISFIED, EXPIRED)]
    return over.count(SATISFIED), len(over)


def _is_past(dues: Sequence[StepDue], now: datetime) -> bool:
    return any(due.state != StepDue.State.PLANNED for due in dues) and dues[0].send_at <= now


def _asked(
    dues: Sequence[StepDue],
    protocols: Mapping[UUID, Protocol],
    came: Mapping[UUID | None, tuple[str, str]],
) -> Asked:
    telling = min(dues, key=lambda due: _TELLING.index(StepDue.State(due.state)))
    follow_up = telling.follow_up
    mode, entered_by = came.get(telling.follow_up_id, ("", ""))
    return Asked(
        at=follow_up.send_at if follow_up else telling.send_at,
        steps=once(step_title(protocols[due.course_id], due.step) for due in dues),
        instruments=titles(name for due in dues for name in due.instruments),
        state=telling.state,
        reasons=once(due.reason for due in dues if due.reason),
        closes_at=follow_up.closes_at if follow_up else telling.closes_at,
        finished_at=follow_up.finished_at if follow_up else None,
        mode=mode,
        entered_by=entered_by,
    )


def step_title(protocol: Protocol, step_id: str) -> str:
    step = protocol.step(step_id)
    return step.title if step else step_id


def titles(names: Iterable[str]) -> tuple[str, ...]:
    """As printed on the form: "nrs24:average,worst" is Pain 0-10 (past 24 hours)."""
    keys = (instruments.split_name(name)[0] for name in names)
    return once(instruments.latest(key).wording["en"].title for key in keys)


def once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def messages(patient: Patient) -> list[Mail]:
    """Every e-mail to this patient that was begun. One query."""
    rows = [
        Mail(
            id=message.pk,
            at=message.accepted_at or message.ended_at or message.due_at,
            kind=message.kind,
            nth=message.nth,
            state=message.state,
            delivery=message.delivery,
            reason=mail_words.why_not(message.state, message.reason),
        )
        for message in Message.objects.filter(patient=patient)
    ]
    return sorted(rows, key=lambda row: row.at, reverse=True)


def unknown(mails: Iterable[Mail]) -> list[Mail]:
    """Maybe sent: they wait for the provider's word or for a person."""
    return [mail for mail in mails if mail.state == State.UNKNOWN]


_VITALS = ("systolic_max", "diastolic_max", "heart_rate_max", "oxygen_min")


def infusions(course: Course) -> list[Given]:
    """One query, newest first."""
    rows = Infusion.objects.filter(course=course).numbered().order_by("-started_at")
    return [_given(infusion) for infusion in rows]


def _given(infusion: Infusion) -> Given:
    measured = [(name, getattr(infusion, name)) for name in _VITALS]
    return Given(
        id=infusion.pk,
        at=infusion.started_at,
        number=infusion.number,
        status=infusion.status,
        route=str(infusion.get_route_display()),
        dose=infusion.dose_mg_per_kg,
        minutes=infusion.duration_minutes,
        stopped_early=infusion.stopped_early,
        complication=infusion.complication,
        note=infusion.note,
        cancelled_reason=infusion.cancelled_reason,
        vitals=tuple((name, value) for name, value in measured if value is not None),
    )
