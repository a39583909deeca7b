"""One message from the plan to its end, and why it goes when it goes. Nothing is computed anew:
what is told here was written down when it happened."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, Q
from django.utils.translation import gettext as _

from clinic.models import AuditEntry, Infusion
from dashboards import mail_words
from dashboards.queries.history import titles
from dashboards.queries.mail_days import mail_days
from dashboards.rows.mail import Happening, Moved, Story, Why
from reminders.models import Message, ProviderEvent, State
from reminders.planning import protocol_of
from surveys.models import StepDue

_ENDED = (
    State.REJECTED, State.FAILED, State.CANCELLED, State.SUPERSEDED, State.EXPIRED,
    State.SUPPRESSED, State.SKIPPED,
)  # fmt: skip
ACTS_SHOWN = 100
_INSTANTS = ("target_at", "send_at", "due_at", "opens_at", "closes_at", "not_after")


def story(message: Message) -> Story:
    """Six queries."""
    follow_up, patient = message.follow_up, message.patient
    dues = list(
        StepDue.objects.filter(follow_up=follow_up)
        .select_related("course__protocol")
        .prefetch_related(Prefetch("infusion", queryset=Infusion.objects.numbered()))
        .order_by("target_at", "step")
    )
    by = message.requested_by
    quiet = (patient.clinic.quiet_from, patient.clinic.quiet_until)
    return Story(
        id=message.pk,
        kind=message.kind,
        nth=message.nth,
        state=message.state,
        delivery=message.delivery,
        reason=mail_words.why_not(message.state, message.reason),
        due_at=message.due_at,
        not_after=message.not_after,
        asked_for=message.asked_for,
        requested_by=(by.user.name or by.user.email) if by else "",
        sent_at=message.accepted_at,
        delivered_at=message.delivered_at,
        opens_at=follow_up.opens_at,
        closes_at=follow_up.closes_at,
        begun_at=follow_up.started_at,
        finished_at=follow_up.finished_at,
        zone=patient.tz,
        quiet="–".join(at.strftime("%H:%M") for at in quiet),
        hour=patient.send_hour,
        days=mail_days(patient).words,
        life=tuple(_life(message)),
        steps=tuple(_steps(dues)),
        moves=tuple(_moves(message, dues)),
    )


def _life(message: Message) -> list[Happening]:
    found = [
        Happening(message.created_at, "planned", "planned"),
        *_calls(message),
        *_reports(message),
        *_answering(message),
    ]
    if message.state in _ENDED and message.ended_at is not None:
        why = mail_words.why_not(message.state, message.reason)
        found.append(Happening(message.ended_at, "ended", message.state, why))
    elif message.state == State.SCHEDULED:
        found.append(Happening(message.due_at, "waits", "waits", message.reason))
    return sorted(found, key=lambda each: each.at)


def _calls(message: Message) -> Iterator[Happening]:
    for attempt in message.attempt_rows.order_by("n"):
        said = mail_words.said(attempt.error) if attempt.error else ""
        lane = attempt.lane if not attempt.error else f"{attempt.lane}, {attempt.error}"
        at = attempt.ended_at or attempt.started_at
        detail = f"{said} ({lane})" if said else f"({lane})"
        yield Happening(at, "call", mail_words.outcome(attempt.outcome), detail)


def _reports(message: Message) -> Iterator[Happening]:
    """What the provider reported, each report once; the time is the provider's own."""
    about = Q(message_ref=str(message.pk))
    if message.provider_message_id:
        about |= Q(message_ref="", provider_message_id=message.provider_message_id)
    events = ProviderEvent.objects.filter(about).order_by("received_at")
    for event in events:
        if words := mail_words.report(event.outcome) or mail_words.report(event.kind):
            yield Happening(event.occurred_at or event.received_at, "report", words)


def _answering(message: Message) -> Iterator[Happening]:
    follow_up = message.follow_up
    if follow_up.started_at is not None:
        yield Happening(follow_up.started_at, "begun", "begun")
    if follow_up.finished_at is not None:
        yield Happening(follow_up.finished_at, "finished", "finished")
    if follow_up.withdrawn_at is not None:
        yield Happening(follow_up.withdrawn_at, "ended", "taken back", follow_up.reason)


def _steps(dues: Iterable[StepDue]) -> Iterator[Why]:
    for due in dues:
        protocol = protocol_of(due.course)
        step = protocol.step(due.step)
        yield Why(
            title=step.title if step else due.step,
            protocol=protocol.title,
            rule=mail_words.rule(step) if step else "",
            anchor=mail_words.counted_from(due.anchor, getattr(due.infusion, "number", None)),
            anchor_at=due.anchor_at,
            target_at=due.target_at,
            send_at=due.send_at,
            opens_at=due.opens_at,
            closes_at=due.closes_at,
            instruments=titles(due.instruments),
            state=mail_words.state(due.state),
            moved=due.reason,
        )


def _moves(message: Message, dues: Sequence[StepDue]) -> list[Moved]:
    found = [
        *_written(message.changes, _("the e-mail")),
        *(move for due in dues for move in _written(due.changes, _title(due, dues))),
        *_acts(message),
    ]
    return sorted(found, key=lambda move: move.at)


def _title(due: StepDue, dues: Sequence[StepDue]) -> str:
    """Which step moved, where a message asks for several."""
    step = protocol_of(due.course).step(due.step)
    return step.title if step and len(dues) > 1 else str(_("the check-in"))


def _written(changes: Iterable[dict[str, Any]], whose: str) -> Iterator[Moved]:
    for line in changes:
        yield Moved(
            at=datetime.fromisoformat(line["at"]),
            what=f"{whose}: {mail_words.field(line['field'])}",
            before=_shown(line["field"], line["before"]),
            after=_shown(line["field"], line["after"]),
            why=mail_words.why_moved(line["reason"]),
            is_instant=line["field"] in _INSTANTS,
        )


def _shown(field: str, value: str) -> str | datetime:
    """In words, or as an instant, which the page shows on the reader's clock."""
    if field in _INSTANTS and value:
        return datetime.fromisoformat(value)
    if field == "state":
        return mail_words.state(value)
    if field == "instruments":
        return ", ".join(titles(value.split(", "))) if value else ""
    return value


def _acts(message: Message) -> Iterator[Moved]:
    """What staff and the patient did since that may have moved it. No score, no alert."""
    about = Q(patient=message.patient_id) | Q(patient=None, action="change clinic")
    acts = AuditEntry.objects.filter(
        about, clinic=message.clinic_id, at__gte=message.created_at,
        action__in=mail_words.TOLD_ACTS,
    )  # fmt: skip
    for act in acts.select_related("member__user").order_by("at")[:ACTS_SHOWN]:
        member = act.member
        yield Moved(
            at=act.at,
            what=mail_words.act(act.action, act.fields),
            by=(member.user.name or member.user.email) if member else _by_link(act),
        )


def _by_link(act: AuditEntry) -> str:
    return _("the patient") if act.actor == AuditEntry.Actor.PATIENT_LINK else ""
