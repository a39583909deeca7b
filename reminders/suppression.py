"""Addresses that must not be written to: why, since when, and what that stops."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from clinic import audit
from clinic.access import demand
from clinic.actors import Actor, system
from clinic.models import Course, Patient
from clinic.sealed import search_key
from reminders.models import UNSENT, State, Suppression

Reason = Suppression.Reason

# Somebody's wish holds for every address of theirs; the others are about one mailbox.
_PERSONAL = (Reason.UNSUBSCRIBED, Reason.STAFF)
_ACTIONS = {Reason.UNSUBSCRIBED: "unsubscribe"}
BY_PROVIDER = system("what the mail provider said")


def address_digest(email: str) -> str:
    return search_key("email", email)


def why_not(patient: Patient) -> str:
    """The reason not to write to this patient's present address; empty if there is none."""
    held = Suppression.objects.in_force().filter(patient=patient)
    return in_the_way(patient.email, held.values_list("reason", "address_digest"))


def in_the_way(email: str, held: Iterable[tuple[str, str]]) -> str:
    """Of (reason, address digest) in force for one patient, the reason that stops this address."""
    held = tuple(held)
    digest = address_digest(email) if held else ""
    reasons = (reason for reason, of in held if reason in _PERSONAL or of == digest)
    return str(next(reasons, ""))


@transaction.atomic
def suppress(
    patient: Patient,
    digest: str,
    reason: Suppression.Reason,
    *,
    now: datetime,
    since: datetime | None = None,
    by: Actor = BY_PROVIDER,
) -> bool:
    """Stop writing to an address; what waits to be sent there is stopped too. Safe to repeat.

    `since` is when it happened, which may be long before we hear of it.
    """
    since = since or now
    suppression, is_new = Suppression.objects.get_or_create(
        patient=patient,
        address_digest=digest,
        reason=reason,
        lifted_at=None,
        defaults={"clinic": patient.clinic, "since": since},
    )
    if reason in _PERSONAL or digest == address_digest(patient.email):
        patient.messages.filter(state__in=UNSENT).update(
            state=State.SUPPRESSED,
            reason=suppression.reason,
            lease_token=None,
            lease_until=None,
            ended_at=now,
        )
    earlier = Suppression.objects.filter(pk=suppression.pk, since__gt=since)
    if is_new:
        _audit(by, _ACTIONS.get(reason, "suppress address"), suppression, patient, now)
    if is_new or earlier.update(since=since):  # what comes goes to the call list and the tablet
        Course.objects.filter(patient=patient).touch(now)
    return is_new


def unsubscribe(patient: Patient, *, by: Actor, now: datetime) -> bool:
    """No more e-mail for this person, whatever the address. Open alerts stay open."""
    digest = address_digest(patient.email)
    return suppress(patient, digest, Reason.UNSUBSCRIBED, by=by, now=now)


@transaction.atomic
def lift(suppression: Suppression, *, by: Actor, now: datetime) -> None:
    """Write to this address again: staff know that it works, or that the patient wants it.

    Lifts one reason; another one may still stand. What was stopped stays stopped; what is planned
    from now on goes by e-mail again. Safe to repeat.
    """
    patient = Patient.objects.held(suppression.patient_id)
    demand(by, "edit patients", patient.clinic)
    if _lifted(suppression, "lift suppression", patient, by, now):
        Course.objects.filter(patient=patient).touch(now)


@transaction.atomic
def resubscribe(patient: Patient, *, by: Actor, now: datetime) -> bool:
    """The patient wants e-mail after all. Lifts that wish and no other reason. Safe to repeat."""
    patient = Patient.objects.held(patient.pk)
    wishes = Suppression.objects.in_force().filter(patient=patient, reason=Reason.UNSUBSCRIBED)
    lifted = [_lifted(wish, "resubscribe", patient, by, now) for wish in wishes.order_by("pk")]
    if any(lifted):
        Course.objects.filter(patient=patient).touch(now)
    return any(lifted)


def _lifted(
    suppression: Suppression, action: str, patient: Patient, by: Actor, now: datetime
) -> bool:
    in_force = Suppression.objects.in_force().filter(pk=suppression.pk)
    if not in_force.update(lifted_at=now):
        return False
    _audit(by, action, suppression, patient, now, ["lifted_at"])
    return True


def _audit(
    by: Actor,
    action: str,
    suppression: Suppression,
    patient: Patient,
    now: datetime,
    fields: Iterable[str] = (),
) -> None:
    audit.write(
        by, action, clinic=patient.clinic, patient=patient, subject=suppression, fields=fields,
        now=now,
    )  # fmt: skip
