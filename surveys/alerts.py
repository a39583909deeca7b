"""Answers that need a person: raise, escalate, take. Nothing here ever lowers an alert.

Raised in the transaction of the answer; `alert_raised` goes out once that has committed, only to
hasten the notice. Exactly one member owns an alert; what happened to it is never rewritten.
"""

import secrets
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from clinic.actors import Actor
from clinic.models import Clinic, Course, Member
from surveys.case_file import announce, audited, clinical, event, forget_closing, locked
from surveys.instruments import Level
from surveys.models import Alert, AlertEvent, FollowUp, Response
from surveys.safety import Worry

_LETTERS = "23456789ABCDEFGHJKMNPQRTUVWXY"  # none that is read as another
_LEVELS: list[str] = [Alert.Level.REVIEW, Alert.Level.URGENT, Alert.Level.CRITICAL]
HELP_RULE = "help-now"
HELP_TRIGGER = "help"
_TAKEN = ("owner", "taken_at", "offered_to", "offered_at", "closed_at", "outcome")


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
    """The patient changed an answer that had raised an alert. The alert stands; whoever wanted to
    close it has to look again."""
    for alert in _of_item(response, item):
        if alert.closed_at is None:
            held = locked(alert)
            if held.closing_by_id:
                held.save(update_fields=forget_closing(held))
            shown = "skipped" if value is None else value
            event(alert, AlertEvent.Kind.NOTE, now=now, detail=f"answer changed to {shown}")


@transaction.atomic
def help_now(follow_up: FollowUp, *, by: Actor, now: datetime) -> Alert:
    """The patient asks for help: one critical alert, however often the button is pressed.

    Once somebody has taken it, asking again raises a new one: a taken alert tells nobody more.
    """
    FollowUp.objects.select_for_update(no_key=True).get(pk=follow_up.pk)
    standing = follow_up.alerts.untaken().filter(rule=HELP_RULE).first()
    if standing is not None:
        event(standing, AlertEvent.Kind.NOTE, now=now, detail="asked for help again")
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
    alert = locked(alert)
    event(alert, AlertEvent.Kind.LEVEL, now=now, member=by.member, detail=detail)
    if alert.closing_by_id:
        alert.save(update_fields=forget_closing(alert))
    if alert.level != Alert.Level.CRITICAL:
        alert.level = Alert.Level.CRITICAL
        alert.save(update_fields=["level"])
        announce(alert)
    audited(by, "escalate alert", alert, now=now, fields=["level"])


@transaction.atomic
def note(alert: Alert, detail: str, *, by: Actor, now: datetime) -> None:
    event(alert, AlertEvent.Kind.NOTE, now=now, member=by.member, detail=detail)
    audited(by, "note on alert", alert, now=now)


@transaction.atomic
def leave_phone(alert: Alert, phone: str, *, by: Actor, now: datetime) -> None:
    """The best number for today. Kept sealed, so the history only says that one was left."""
    alert = locked(alert)
    alert.best_phone = phone
    alert.save(update_fields=["best_phone"])
    event(alert, AlertEvent.Kind.PHONE, now=now)
    audited(by, "leave phone", alert, now=now, fields=["best_phone"])


@transaction.atomic
def take(alert: Alert, *, by: Actor, now: datetime) -> Member:
    """Who owns the alert now: the first member who pressed "I am taking this".

    The one it was handed over to gets it so, and the owner so takes back what the other has not
    taken. Taking a test alert is the proof that it arrives, and ends it.
    """
    member = clinical(by, alert)
    held = locked(alert)
    if held.closed_at is None:
        _take(held, member, by=by, now=now)
    alert.refresh_from_db()
    return alert.owner or member


def _take(alert: Alert, member: Member, *, by: Actor, now: datetime) -> None:
    owner = alert.owner
    if owner is None:
        alert.owner, alert.taken_at = member, now
        event(alert, AlertEvent.Kind.TAKEN, now=now, member=member)
        if alert.rule == Alert.TEST_RULE:
            _end_test(alert, member, now=now)
    elif owner == member and alert.offered_to_id:
        event(alert, AlertEvent.Kind.KEPT, now=now, member=member)
    elif alert.offered_to_id == member.pk or not owner.may_take_alerts:
        before = owner.user.name or owner.user.email
        event(alert, AlertEvent.Kind.HANDED_OVER, now=now, member=member, detail=before)
        alert.owner = member
    else:
        if owner != member:
            said = "wanted to take it too"
            event(alert, AlertEvent.Kind.NOTE, now=now, member=member, detail=said)
        return
    alert.offered_to, alert.offered_at = None, None
    alert.save(update_fields=_TAKEN)
    audited(by, "take alert", alert, now=now, fields=["owner"])


def _end_test(alert: Alert, member: Member, *, now: datetime) -> None:
    """Who answers for item 9 decides what is asked."""
    alert.closed_at, alert.outcome = now, Alert.Outcome.TESTED
    Course.objects.under_way().filter(patient__clinic=alert.clinic_id).touch(now)
    detail = str(Alert.Outcome.TESTED.label)
    event(alert, AlertEvent.Kind.CLOSED, now=now, member=member, detail=detail)


@transaction.atomic
def send_test(clinic: Clinic, member: Member, *, by: Actor, now: datetime) -> Alert:
    """An alert about nobody, by which a responder proves that alerts reach them.

    One that nobody has taken yet stands for all until it is taken; asking again mails it again.
    """
    Clinic.objects.select_for_update(no_key=True).get(pk=clinic.pk)
    standing = clinic.alerts.open().filter(rule=Alert.TEST_RULE, owner=None).first()
    if standing is not None:
        event(standing, AlertEvent.Kind.RAISED, now=now, member=member, detail="sent again")
        announce(standing)
        return standing
    alert = Alert(
        clinic=clinic, level=Alert.Level.REVIEW, rule=Alert.TEST_RULE, trigger=Alert.TEST_RULE
    )
    return _raise(alert, by=by, now=now, member=member)


def _raise(alert: Alert, *, by: Actor, now: datetime, member: Member | None = None) -> Alert:
    alert.reference, alert.raised_at = _reference(), now
    alert.save(force_insert=True)
    detail = f"{alert.rule}: {alert.trigger}, {alert.level}"
    event(alert, AlertEvent.Kind.RAISED, now=now, member=member, detail=detail)
    audited(by, "raise alert", alert, now=now)
    announce(alert)
    return alert


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


def _reference() -> str:
    """What a notice may say, like 7F3K-21. It names the alert to people, not to the database."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(4))
    return f"{letters}-{10 + secrets.randbelow(90)}"
