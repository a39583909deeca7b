"""A person decides about a message of which nobody knows whether it arrived (decision 0018).

"It was sent" ends it. "Send again" gives up the call that nobody can vouch for and has the message
wait once more: the gate asks every question again, so that what was answered meanwhile, or ended,
is not mailed. Of two who press at once, or a person and the provider's report, the first decides.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from clinic import audit
from clinic.access import demand
from clinic.actors import Actor
from clinic.models import Patient
from clinic.refusals import Refused
from reminders import planning, settling, suppression
from reminders.changes import appended, entry
from reminders.models import Attempt, Message, State
from reminders.schedule.plan import hours_of

_UNKNOWN = Attempt.Outcome.UNKNOWN


class Decided(Refused):
    """Somebody else, or the provider, was faster."""


class Obstacle(StrEnum):
    """What would hold the message back now; a member may decide to pass it, knowingly."""

    PAUSED = "paused"
    QUIET = "quiet"
    DAY = "day"
    CAP = "cap"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Obstacles:
    """`until` is when quiet hours end."""

    found: tuple[Obstacle, ...]
    until: datetime | None = None


@transaction.atomic
def confirm_sent(message: Message, *, by: Actor, now: datetime) -> None:
    """ "It was sent": somebody knows, because the patient said so or the mail server's log does.

    It counts as accepted when the call was made. What the provider reports still follows.
    """
    unresolved = _unresolved(message, by)
    call = unresolved.attempt_rows.filter(outcome=_UNKNOWN).last()
    settling.accept_on_evidence(
        unresolved,
        provider_message_id=unresolved.provider_message_id,
        now=call.started_at if call else now,
    )
    _note(unresolved, State.ACCEPTED, _("a member says that it was sent"), now)
    _audit(unresolved, "confirm sent", ["state"], by=by, now=now)


@transaction.atomic
def send_again(message: Message, *, by: Actor, now: datetime, at_once: bool = False) -> None:
    """Try once more, at the risk that the patient has it twice.

    The day on which it may have gone stays used up until it goes. `at_once` is a member's word,
    given after they were shown what is in the way, that quiet hours, the clinic's days, the limit
    of one message a day and half a window do not hold it back.
    """
    unresolved = _unresolved(message, by)
    if why := pointless(unresolved, now=now):
        raise Refused(why)
    if not at_once and Obstacle.LATE in in_the_way(unresolved, now=now).found:
        raise Refused(_("Too little of its time is left to send it again without asking."))
    unresolved.attempt_rows.filter(outcome=_UNKNOWN).update(outcome=Attempt.Outcome.ABANDONED)
    changes = {"asked_for": True, "not_after": unresolved.follow_up.closes_at} if at_once else {}
    Message.objects.filter(pk=unresolved.pk).update(
        state=State.SCHEDULED, due_at=now, reason="", requested_by=by.member, **changes
    )
    _note(unresolved, State.SCHEDULED, _("a member has it sent again"), now)
    _audit(unresolved, "send again", ["state", "due_at", *changes], by=by, now=now)


def pointless(message: Message, *, now: datetime) -> str:
    """Why sending it again would do nothing, in a sentence; empty if it would."""
    patient, follow_up = message.patient, message.follow_up
    if follow_up.finished_at is not None:
        return _("The check-in has been answered: there is nothing to send.")
    if follow_up.started_at is not None:
        return _("The patient has begun to answer, so the link has arrived.")
    if patient.status in (Patient.Status.WITHDRAWN, Patient.Status.DECEASED):
        return _("Follow-up has ended: nothing is sent any more.")
    if follow_up.withdrawn_at is not None or follow_up.closes_at <= now:
        return _("The check-in is closed: the link leads nowhere any more.")
    if not patient.email:
        return _("There is no e-mail address to send it to.")
    if suppression.why_not(patient):
        return _("This address is not written to. Correct it, or allow e-mail to it again, first.")
    return ""


def in_the_way(message: Message, *, now: datetime) -> Obstacles:
    """What would make the engine wait, or not send it at all, were it due now.

    Mail that was asked for before has nothing in its way but the end of its time.
    """
    if message.asked_for:
        return Obstacles((Obstacle.LATE,) if now > message.not_after else ())
    facts = planning.facts_of(message.patient, now=now)
    hours = hours_of(facts, now)
    today, clear = hours.day(now), hours.clear(now)
    until = facts.paused_until
    own_day = message.kind != Message.Kind.REMINDER or today == hours.day(message.due_at)
    same_day = Message.objects.filter(patient=message.patient_id, capped_on=today)
    checks = {
        Obstacle.PAUSED: facts.status == "paused" and (until is None or until > now),
        Obstacle.QUIET: clear > now,
        Obstacle.DAY: today.weekday() not in facts.allowed_days,
        Obstacle.CAP: same_day.exclude(pk=message.pk).exists(),
        Obstacle.LATE: now > message.not_after or not own_day,
    }
    found = tuple(obstacle for obstacle, stands in checks.items() if stands)
    return Obstacles(found, clear if clear > now else None)


def _unresolved(message: Message, by: Actor) -> Message:
    """The message as it is now, under the locks of its patient and its own."""
    demand(by, "send messages", message.clinic)
    if by.member is None:
        raise PermissionDenied("only a person may vouch for a message")
    patient = Patient.objects.held(message.patient_id)
    rows = Message.objects.filter(pk=message.pk).select_related("follow_up", "clinic")
    found = rows.filter(state=State.UNKNOWN).select_for_update(of=("self",)).first()
    if found is None:
        raise Decided(_decided(rows.get()))
    found.patient = patient
    return found


def _decided(found: Message) -> str:
    if found.state == State.ACCEPTED:
        return _("Nothing was changed: it is known by now that this e-mail was sent.")
    if found.state == State.REJECTED:
        return _("Nothing was changed: the provider says that it refused this e-mail.")
    if found.requested_by_id is not None:
        return _("Nothing was changed: a colleague has this e-mail sent again already.")
    return _("Nothing was changed: this e-mail is not unclear any more.")


def _note(message: Message, state: State, reason: str, now: datetime) -> None:
    line = entry(now, "state", State.UNKNOWN, state, reason)
    Message.objects.filter(pk=message.pk).update(changes=appended(message.changes, line))


def _audit(message: Message, action: str, fields: list[str], *, by: Actor, now: datetime) -> None:
    audit.write(
        by, action, clinic=message.clinic, now=now, patient=message.patient, subject=message,
        fields=fields,
    )  # fmt: skip
    settling.look_again(message, now=now)
