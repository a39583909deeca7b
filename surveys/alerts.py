"""Answers that need a person: raise, take, escalate, close. Nothing here ever lowers an alert.

Raised in the transaction of the answer; `alert_raised` goes out once that has committed, only to
hasten the notice. Exactly one member owns an alert; what happened to it is never rewritten.
"""

import secrets
import uuid
from collections.abc import Iterable
from datetime import datetime
from functools import partial

from django.db import transaction

from clinic import audit
from clinic.actors import Actor
from clinic.models import Clinic, Course, Member
from clinic.refusals import Refused
from surveys.instruments import Level
from surveys.models import Alert, AlertEvent, FollowUp, Response
from surveys.safety import Worry
from surveys.signals import alert_raised

_LETTERS = "23456789ABCDEFGHJKMNPQRTUVWXY"  # none that is read as another
_LEVELS: list[str] = [Alert.Level.REVIEW, Alert.Level.URGENT, Alert.Level.CRITICAL]
HELP_RULE = "help-now"
HELP_TRIGGER = "help"


class NotClinical(Refused):
    """Alerts are taken and closed by administrators and clinicians."""


@transaction.atomic
def raise_for(
    response: Response,
    worry: Worry,
    *,
    level: Level,
    version: str,
    by: Actor,
    now: datetime,
) -> Alert | None:
    """Raise an alert for one answer; None when this or a worse one was already raised for it.

    The caller holds the lock on the follow-up, so that a replay finds the first alert.
    """
    known = _of_item(response, worry.item)
    standing = [_value(alert) for alert in known if alert.closed_at is None]
    if standing and _worth(worry.value) <= max(standing):
        return None
    alert = Alert(
        clinic=response.patient.clinic,
        patient=response.patient,
        follow_up=response.follow_up,
        response=response,
        level=level,
        rule=f"{worry.rule} {version}",
        trigger=_trigger(worry, known),
    )
    return _raise(alert, by=by, now=now)


def note_change(response: Response, item: str, value: int | None, *, now: datetime) -> None:
    """The patient changed an answer that had raised an alert. The alert stands."""
    for alert in _of_item(response, item):
        if alert.closed_at is None:
            shown = "skipped" if value is None else value
            _event(alert, AlertEvent.Kind.NOTE, now=now, detail=f"answer changed to {shown}")


@transaction.atomic
def help_now(follow_up: FollowUp, *, by: Actor, now: datetime) -> Alert:
    """The patient asks for help: one critical alert, however often the button is pressed.

    Once somebody has taken it, asking again raises a new one: a taken alert tells nobody more.
    """
    FollowUp.objects.select_for_update(no_key=True).get(pk=follow_up.pk)
    standing = follow_up.alerts.untaken().filter(rule=HELP_RULE).first()
    if standing is not None:
        _event(standing, AlertEvent.Kind.NOTE, now=now, detail="asked for help again")
        return standing
    alert = Alert(
        clinic=follow_up.patient.clinic,
        patient=follow_up.patient,
        follow_up=follow_up,
        level=Alert.Level.CRITICAL,
        rule=HELP_RULE,
        trigger=HELP_TRIGGER,
    )
    return _raise(alert, by=by, now=now)


@transaction.atomic
def escalate(alert: Alert, detail: str, *, by: Actor, now: datetime) -> None:
    """Something since makes this critical. Its notices start again."""
    alert = _locked(alert)
    _event(alert, AlertEvent.Kind.LEVEL, now=now, member=by.member, detail=detail)
    if alert.level != Alert.Level.CRITICAL:
        alert.level = Alert.Level.CRITICAL
        alert.save(update_fields=["level"])
        _announce(alert)
    _audit(by, "escalate alert", alert, now=now, fields=["level"])


@transaction.atomic
def note(alert: Alert, detail: str, *, by: Actor, now: datetime) -> None:
    _event(alert, AlertEvent.Kind.NOTE, now=now, member=by.member, detail=detail[:500])
    _audit(by, "note on alert", alert, now=now)


@transaction.atomic
def leave_phone(alert: Alert, phone: str, *, by: Actor, now: datetime) -> None:
    """The best number for today. Kept sealed, so the history only says that one was left."""
    alert = _locked(alert)
    alert.best_phone = phone
    alert.save(update_fields=["best_phone"])
    _event(alert, AlertEvent.Kind.PHONE, now=now)
    _audit(by, "leave phone", alert, now=now, fields=["best_phone"])


@transaction.atomic
def take(alert: Alert, *, by: Actor, now: datetime) -> Member:
    """Who owns the alert now: the first member who pressed "I am taking this".

    Taking a test alert is the proof that it arrives, and ends it.
    """
    member = _clinical(by, alert)
    won = Alert.objects.open().filter(pk=alert.pk, owner=None).update(owner=member, taken_at=now)
    alert.refresh_from_db()
    owner = alert.owner
    if won:
        _event(alert, AlertEvent.Kind.TAKEN, now=now, member=member)
        _audit(by, "take alert", alert, now=now, fields=["owner"])
        if alert.rule == Alert.TEST_RULE:
            close(alert, Alert.Outcome.TESTED, "", by=by, now=now)
    elif owner != member:
        _event(alert, AlertEvent.Kind.NOTE, now=now, member=member, detail="wanted to take it too")
    return alert.owner or member


@transaction.atomic
def close(alert: Alert, outcome: Alert.Outcome, note: str, *, by: Actor, now: datetime) -> None:
    """End an alert with what came of it. Whoever closes an alert nobody took has taken it."""
    member = _clinical(by, alert)
    alert = _locked(alert)
    if alert.closed_at is not None:
        detail = f"closed again: {outcome.label}. {note}".strip()[:500]
        _event(alert, AlertEvent.Kind.NOTE, now=now, member=member, detail=detail)
        return
    if alert.owner is None:
        alert.owner, alert.taken_at = member, now
        _event(alert, AlertEvent.Kind.TAKEN, now=now, member=member)
    alert.closed_at, alert.outcome = now, outcome
    alert.save(update_fields=["owner", "taken_at", "closed_at", "outcome"])
    if alert.rule == Alert.TEST_RULE:  # who answers for item 9 decides what is asked
        Course.objects.under_way().filter(patient__clinic=alert.clinic_id).touch(now)
    detail = f"{outcome.label}. {note}".strip()[:500]
    _event(alert, AlertEvent.Kind.CLOSED, now=now, member=member, detail=detail)
    _audit(by, "close alert", alert, now=now, fields=["closed_at", "outcome"])


@transaction.atomic
def send_test(clinic: Clinic, member: Member, *, by: Actor, now: datetime) -> Alert:
    """An alert about nobody, by which a responder proves that alerts reach them.

    One that nobody has taken yet stands for all until it is taken; asking again mails it again.
    """
    Clinic.objects.select_for_update(no_key=True).get(pk=clinic.pk)
    standing = clinic.alerts.open().filter(rule=Alert.TEST_RULE, owner=None).first()
    if standing is not None:
        _event(standing, AlertEvent.Kind.RAISED, now=now, member=member, detail="sent again")
        _announce(standing)
        return standing
    alert = Alert(
        clinic=clinic, level=Alert.Level.REVIEW, rule=Alert.TEST_RULE, trigger=Alert.TEST_RULE
    )
    return _raise(alert, by=by, now=now, member=member)


def _raise(alert: Alert, *, by: Actor, now: datetime, member: Member | None = None) -> Alert:
    alert.reference, alert.raised_at = _reference(), now
    alert.save(force_insert=True)
    detail = f"{alert.rule}: {alert.trigger}, {alert.level}"
    _event(alert, AlertEvent.Kind.RAISED, now=now, member=member, detail=detail)
    _audit(by, "raise alert", alert, now=now)
    _announce(alert)
    return alert


def _announce(alert: Alert) -> None:
    """Robust: a failing receiver must not reach the patient; the tick finds the alert anyway."""
    transaction.on_commit(partial(_send, alert.pk))


def _send(alert_id: uuid.UUID) -> None:
    alert_raised.send_robust(sender=Alert, alert_id=alert_id)


def _locked(alert: Alert) -> Alert:
    return Alert.objects.select_for_update(no_key=True).get(pk=alert.pk)


def _clinical(by: Actor, alert: Alert) -> Member:
    member = by.member
    if member is None or not member.is_clinical or member.clinic_id != alert.clinic_id:
        raise NotClinical("Only an administrator or a clinician of this clinic can do this.")
    return member


def _of_item(response: Response, item: str) -> list[Alert]:
    return [alert for alert in response.alerts.all() if alert.trigger.startswith(f"{item}=")]


def _trigger(worry: Worry, known: list[Alert]) -> str:
    """`9=2`; `9=-` for a skipped one; `9=2#2` when it is given again after its alert was closed."""
    base = f"{worry.item}={'-' if worry.value is None else worry.value}"
    again = sum(alert.trigger.partition("#")[0] == base for alert in known)
    return f"{base}#{again + 1}" if again else base


def _value(alert: Alert) -> int:
    text = alert.trigger.partition("=")[2].partition("#")[0]
    return _worth(None if text == "-" else int(text))


def _worth(value: int | None) -> int:
    """A skipped answer counts below every given one."""
    return -1 if value is None else value


def worst(alerts: Iterable[Alert]) -> Alert | None:
    """The alert with the highest level, the newest of equals."""
    return max(alerts, key=lambda a: (_LEVELS.index(a.level), a.raised_at), default=None)


def _event(
    alert: Alert,
    kind: AlertEvent.Kind,
    *,
    now: datetime,
    member: Member | None = None,
    detail: str = "",
) -> None:
    AlertEvent.objects.create(alert=alert, at=now, kind=kind, member=member, detail=detail)


def _audit(
    by: Actor, action: str, alert: Alert, *, now: datetime, fields: list[str] | None = None
) -> None:
    audit.write(
        by,
        action,
        clinic=alert.clinic,
        now=now,
        patient=alert.patient,
        subject=alert,
        fields=fields or (),
    )


def _reference() -> str:
    """What a notice may say, like 7F3K-21. It names the alert to people, not to the database."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(4))
    return f"{letters}-{10 + secrets.randbelow(90)}"
