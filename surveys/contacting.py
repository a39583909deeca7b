"""What is tried to reach a patient, and who goes on with it.

Handing over leaves nobody without an owner: the one who hands it over has it until the other
presses "I am taking this", and the other is told by e-mail until then.
"""

import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from clinic.actors import Actor
from clinic.models import Member
from clinic.refusals import Conflicting, Refused
from surveys.case import Contact
from surveys.case_file import announce, audited, clinical, event, forget_closing, locked, owned
from surveys.models import Alert, AlertEvent, ContactAttempt

_SLACK = timedelta(minutes=1)  # a typed time has no seconds


@transaction.atomic
def record(
    alert: Alert, contact: Contact, note: str, *, once: uuid.UUID, by: Actor, now: datetime
) -> ContactAttempt:
    """One try to reach the patient. `once` names the form: sent again, it is the same try."""
    member = clinical(by, alert)
    alert = locked(alert)
    known = ContactAttempt.objects.filter(pk=once).first()
    if known is not None:
        if known.alert_id != alert.pk:
            raise Conflicting(_("This was recorded for another alert."))
        return known
    if alert.rule == Alert.TEST_RULE:
        raise Refused(_("A test alert is about no patient."))
    added = add(alert, contact, note, once=once, member=member, now=now)
    changed = forget_closing(alert) if alert.closing_by_id else []
    owned(alert, member, now=now)
    alert.save(update_fields=["owner", "taken_at", *changed])
    audited(by, "record contact", alert, now=now, fields=["at", "how", "outcome"])
    return added


def add(
    alert: Alert, contact: Contact, note: str, *, once: uuid.UUID, member: Member, now: datetime
) -> ContactAttempt:
    """Under the lock of the alert."""
    if contact.at > now + _SLACK:
        raise Refused(_("This time has not come yet."), field="contact_at")
    if contact.at < alert.raised_at - _SLACK:
        raise Refused(_("That was before the alert."), field="contact_at")
    made = ContactAttempt.objects.create(
        id=once,
        alert=alert,
        member=member,
        at=contact.at,
        recorded_at=now,
        how=contact.how,
        outcome=contact.outcome,
    )
    when = f"{contact.at.astimezone(alert.clinic.tz):%Y-%m-%d %H:%M}"
    said = f"{made.get_how_display()}, {when}: {made.get_outcome_display()}. {note}".strip()
    event(alert, AlertEvent.Kind.CONTACT, now=now, member=member, detail=said)
    return made


@transaction.atomic
def hand_over(alert: Alert, to: Member, note: str, *, by: Actor, now: datetime) -> Alert:
    """Offer an alert to a colleague. It is theirs once they take it."""
    member = clinical(by, alert)
    alert = locked(alert)
    if alert.closed_at is not None:
        raise Refused(_("This alert is closed. Reopen it first."))
    if alert.rule == Alert.TEST_RULE:
        raise Refused(_("A test alert is about no patient."))
    colleagues = Member.objects.active().filter(clinic=alert.clinic_id, role__in=Member.CLINICAL)
    if not colleagues.filter(pk=to.pk).exists():
        raise Refused(_("Choose an administrator or a clinician of this clinic."), field="to")
    owned(alert, member, now=now)
    if alert.owner_id == to.pk:
        raise Refused(_("This person has it already."), field="to")
    if alert.offered_to_id == to.pk:
        return alert
    alert.offered_to, alert.offered_at = to, now
    alert.save(update_fields=["owner", "taken_at", "offered_to", "offered_at"])
    said = f"{to.user.name or to.user.email}. {note}".strip()
    event(alert, AlertEvent.Kind.OFFERED, now=now, member=member, detail=said)
    audited(by, "hand over alert", alert, now=now, fields=["offered_to"])
    announce(alert)
    return alert
