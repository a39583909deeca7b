"""How an alert ends, and how it begins again. What it must not end without is in `closing`.

A critical alert whose patient nobody reached waits, open, until a second person agrees.
"""

import uuid
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.actors import Actor
from clinic.models import Patient
from clinic.refusals import Refused
from surveys import contacting
from surveys.case_file import (
    audited,
    case_of,
    clinical,
    event,
    forget_closing,
    is_stale,
    locked,
    owned,
)
from surveys.closing import Closing, Lack, lack, needs_a_second
from surveys.models import Alert, AlertEvent, ContactAttempt

_WORDS = {
    Lack.NOTE: ("note", gettext_lazy("Note: say what was said and agreed.")),
    Lack.PLAN: ("plan", gettext_lazy("Plan: choose what is done now.")),
    Lack.CONTACT: (
        "contact_at",
        gettext_lazy("Nobody has recorded that the patient was reached. Say when, and how."),
    ),
    Lack.REACHED: (
        "outcome",
        gettext_lazy("The patient was reached: choose what came of it."),
    ),
    Lack.TRIES: (
        "outcome",
        gettext_lazy("“Could not be reached” needs two recorded tries to reach the patient."),
    ),
    Lack.ASSESSED: (
        "assessed_with",
        gettext_lazy("Assessment: choose how, or that none was made."),
    ),
    Lack.CRITICAL_NOT_ASSESSED: (
        "assessed_with",
        gettext_lazy("A critical alert whose patient was reached needs an assessment."),
    ),
    Lack.FOUND: ("found", gettext_lazy("Level found: choose what the assessment gave.")),
    Lack.NEXT_CONTACT: ("next_contact_on", gettext_lazy("Next contact: say on which day.")),
    Lack.NEXT_CONTACT_PAST: ("next_contact_on", gettext_lazy("Next contact: this day is over.")),
    Lack.NEXT_CONTACT_FAR: (
        "next_contact_on",
        gettext_lazy("Next contact: choose a day within a year."),
    ),
}
_SAVED = (
    "owner", "taken_at", "offered_to", "offered_at", "closed_at", "closing_by",
    "outcome", "plan", "assessed_with", "found", "next_contact_on",
)  # fmt: skip


@transaction.atomic
def close(
    alert: Alert,
    closing: Closing,
    *,
    once: uuid.UUID | None = None,
    begun: datetime | None = None,
    by: Actor,
    now: datetime,
) -> Alert:
    """End it, or ask a second person to. `once` names a contact that the same form tells of;
    `begun` is when the alert had been opened for whom filled it in: an old form ends nothing."""
    member = clinical(by, alert)
    alert = locked(alert)
    if alert.rule == Alert.TEST_RULE:
        raise Refused(_("A test alert ends when a responder takes it."))
    if alert.closed_at is not None:
        detail = f"closed again: {_in_words(closing)}"
        event(alert, AlertEvent.Kind.NOTE, now=now, member=member, detail=detail)
        return alert
    _refuse_old(alert, begun)
    key = once or uuid.uuid4()
    if closing.contact is not None and not ContactAttempt.objects.filter(pk=key).exists():
        contacting.add(alert, closing.contact, "", once=key, member=member, now=now)
    case = case_of(alert)
    _refuse(lack(closing, case, today=_today(alert, now), has_died=_died(alert)))
    owned(alert, member, now=now)
    _write(alert, closing)
    if needs_a_second(case):
        alert.closing_by = member
        _end(alert, AlertEvent.Kind.TO_CONFIRM, _in_words(closing), "ask to close alert", by, now)
    else:
        alert.closed_at = now
        _end(alert, AlertEvent.Kind.CLOSED, _in_words(closing), "close alert", by, now)
    return alert


@transaction.atomic
def confirm(
    alert: Alert,
    agrees: bool,
    note: str,
    *,
    begun: datetime | None = None,
    by: Actor,
    now: datetime,
) -> Alert:
    """The second person's word about an end that somebody else asked for."""
    member = clinical(by, alert)
    alert = locked(alert)
    if alert.closed_at is not None and agrees:
        return alert
    _refuse_old(alert, begun)
    asked_by = alert.closing_by
    if asked_by is None:
        raise Refused(_("Nobody has asked to close this alert, or something happened since."))
    if asked_by.user_id == member.user_id and agrees:
        raise Refused(_("A second person has to agree: somebody other than who asked."))
    if agrees:
        alert.closing_by, alert.closed_at = None, now
        _end(alert, AlertEvent.Kind.CONFIRMED, note, "confirm closing", by, now)
    else:
        forget_closing(alert)
        _end(alert, AlertEvent.Kind.SENT_BACK, note, "send back closing", by, now)
    return alert


@transaction.atomic
def reopen(
    alert: Alert, note: str, *, begun: datetime | None = None, by: Actor, now: datetime
) -> Alert:
    """Whoever reopens it has it. What was done before stays in the history, and counts no more."""
    member = clinical(by, alert)
    alert = locked(alert)
    if alert.rule == Alert.TEST_RULE:
        raise Refused(_("A test alert ends when a responder takes it."))
    if not note.strip():
        raise Refused(_("Why: must be filled in."), field="why")
    if alert.closed_at is None:
        return alert
    _refuse_old(alert, begun)
    forget_closing(alert)
    alert.closed_at, alert.reopened_at = None, now
    alert.owner = member
    alert.save(update_fields=["reopened_at"])
    _end(alert, AlertEvent.Kind.REOPENED, note, "reopen alert", by, now)
    return alert


def _end(
    alert: Alert, kind: AlertEvent.Kind, detail: str, action: str, by: Actor, now: datetime
) -> None:
    if alert.closed_at is not None:
        alert.offered_to, alert.offered_at = None, None
    alert.save(update_fields=_SAVED)
    event(alert, kind, now=now, member=by.member, detail=detail)
    audited(by, action, alert, now=now, fields=["closed_at", "closing_by", "outcome", "plan"])


def _refuse_old(alert: Alert, begun: datetime | None) -> None:
    if is_stale(alert, begun):
        raise Refused(_("This alert was opened again since. Look at it, then decide."))


def _write(alert: Alert, closing: Closing) -> None:
    alert.outcome, alert.plan = closing.outcome, closing.plan
    alert.assessed_with = closing.assessed_with
    alert.found = "" if closing.assessed_with == Alert.AssessedWith.NONE else closing.found
    alert.next_contact_on = closing.next_contact_on


def _refuse(missing: Lack | None) -> None:
    if missing is not None:
        field, words = _WORDS[missing]
        raise Refused(str(words), field=field)


def _today(alert: Alert, now: datetime) -> date:
    return now.astimezone(alert.clinic.tz).date()


def _died(alert: Alert) -> bool:
    return alert.patient is not None and alert.patient.status == Patient.Status.DECEASED


def _in_words(closing: Closing) -> str:
    """As the history keeps it."""
    parts = [
        Alert.Outcome(closing.outcome).label,
        closing.plan and f"plan: {Alert.Plan(closing.plan).label}",
        closing.assessed_with and f"assessment: {Alert.AssessedWith(closing.assessed_with).label}",
        closing.found and f"level found: {Alert.Found(closing.found).label}",
        closing.next_contact_on and f"next contact {closing.next_contact_on:%Y-%m-%d}",
    ]
    return f"{'; '.join(str(part) for part in parts if part)}. {closing.note}".strip()
