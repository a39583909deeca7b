"""One alert under its lock: who may act on it, what is written into its history and the trail."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from functools import partial

from django.db import transaction

from clinic import audit
from clinic.actors import Actor
from clinic.models import Member
from clinic.refusals import Refused
from surveys.case import Case, Contact
from surveys.models import Alert, AlertEvent
from surveys.signals import alert_raised

LONGEST = 1000  # characters of one entry of the history


class NotClinical(Refused):
    """Alerts are taken and closed by administrators and clinicians."""


def locked(alert: Alert) -> Alert:
    """The row as it is now, held to the end of the transaction."""
    return Alert.objects.select_for_update(no_key=True).get(pk=alert.pk)


def clinical(by: Actor, alert: Alert) -> Member:
    member = by.member
    if member is None or not member.is_clinical or member.clinic_id != alert.clinic_id:
        raise NotClinical("Only an administrator or a clinician of this clinic can do this.")
    return member


def owned(alert: Alert, member: Member, *, now: datetime) -> None:
    """Whoever acts on an alert that nobody has taken has taken it. Not saved here."""
    if alert.owner_id is None:
        alert.owner, alert.taken_at = member, now
        event(alert, AlertEvent.Kind.TAKEN, now=now, member=member)


def forget_closing(alert: Alert) -> list[str]:
    """Something happened since somebody asked to close it. Names the fields to save."""
    alert.closing_by, alert.outcome, alert.plan = None, "", ""
    alert.assessed_with, alert.found, alert.next_contact_on = "", "", None
    return ["closing_by", "outcome", "plan", "assessed_with", "found", "next_contact_on"]


def begun_at(alert: Alert) -> datetime:
    """When it was opened, or opened again: what a form was made for."""
    return alert.reopened_at or alert.raised_at


def is_stale(alert: Alert, begun: datetime | None) -> bool:
    """Whether a form was made before the alert was opened again. None: it does not say."""
    return begun is not None and begun != begun_at(alert)


def case_of(alert: Alert) -> Case:
    """One query for its contacts, or none if they were prefetched."""
    since = alert.reopened_at
    contacts = sorted(alert.contacts.all(), key=lambda contact: (contact.at, contact.recorded_at))
    return Case(
        level=alert.level,
        raised_at=alert.raised_at,
        taken_at=alert.taken_at if alert.owner and alert.owner.may_take_alerts else None,
        reopened_at=since,
        is_offered=alert.offered_to_id is not None,
        is_closing=alert.closing_by_id is not None,
        is_closed=alert.closed_at is not None,
        contacts=tuple(
            Contact(contact.at, contact.how, contact.outcome)
            for contact in contacts
            if since is None or contact.recorded_at > since
        ),
    )


def event(
    alert: Alert,
    kind: AlertEvent.Kind,
    *,
    now: datetime,
    member: Member | None = None,
    detail: str = "",
) -> None:
    AlertEvent.objects.create(
        alert=alert, at=now, kind=kind, member=member, detail=detail[:LONGEST]
    )


def audited(
    by: Actor, action: str, alert: Alert, *, now: datetime, fields: Iterable[str] = ()
) -> None:
    audit.write(
        by,
        action,
        clinic=alert.clinic,
        now=now,
        patient=alert.patient,
        subject=alert,
        fields=fields,
    )


def announce(alert: Alert) -> None:
    """Robust: a failing receiver must not reach the patient; the tick finds the alert anyway."""
    transaction.on_commit(partial(_send, alert.pk))


def _send(alert_id: uuid.UUID) -> None:
    alert_raised.send_robust(sender=Alert, alert_id=alert_id)
