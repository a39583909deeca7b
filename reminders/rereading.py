"""Bring the gate its facts, as they stand now, under the locks of the patient and the row.

The patient is locked before the message, as in every verb about a patient, so that a withdrawal
and a sending take turns and one of them sees the other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Q

from clinic.models import Infusion, Patient
from reminders.claiming import held
from reminders.gate import MessageFacts, NoticeFacts
from reminders.models import Message, Notice, State
from reminders.schedule.answered import key_of
from reminders.schedule.clock import DAY, MORNING, Hours, existing, instant, local_date
from reminders.schedule.questionnaires import instrument_facts
from reminders.suppression import why_not
from surveys.cover import cover_of
from surveys.models import Alert, FollowUp, StepDue

_HELD_AT_MOST = timedelta(days=3)  # an infusion holds mail until the next morning, in any zone
_ASKS = (StepDue.State.PLANNED, StepDue.State.ASKED)


@dataclass(frozen=True, slots=True)
class Reread:
    """A message as it is now. `instruments` is what its follow-up asks."""

    message: Message
    facts: MessageFacts
    instruments: tuple[str, ...]
    outdated: bool  # the facts have changed since, or the time to look again has come


def message(row: Message, *, now: datetime) -> Reread | None:
    """None: somebody else has decided about this row. Inside a transaction only."""
    patient = Patient.objects.held(row.patient_id)
    mine = Message.objects.filter(pk__in=held(row, State.CLAIMED).values("pk"))
    found = mine.select_for_update(of=("self",)).select_related("follow_up").first()
    if found is None:
        return None
    found.patient = patient
    dues = list(
        StepDue.objects.filter(follow_up=found.follow_up_id, state__in=_ASKS)
        .order_by("course", "step", "pk")
        .values_list("instruments", "revision", "course__revision", "course__replan_at")
    )
    instruments = merged(names for names, *_ in dues)
    behind = any(
        planned != current or (look_at is not None and look_at <= now)
        for _, planned, current, look_at in dues
    )
    return Reread(
        message=found,
        facts=_facts(found, patient, now),
        instruments=instruments,
        outdated=behind or _unanswered_for(found, patient, instruments, now),
    )


def notice(row: Notice) -> tuple[Notice, NoticeFacts] | None:
    mine = Notice.objects.filter(pk__in=held(row, State.CLAIMED).values("pk"))
    found = (
        mine.select_for_update(of=("self",))
        .select_related("alert", "clinic", "member__user")
        .first()
    )
    if found is None:
        return None
    alert, member = found.alert, found.member
    taken = alert.owner_id is not None or alert.closed_at is not None
    return found, NoticeFacts(taken, member.active and member.user.is_active)


def asking(follow_up: FollowUp) -> list[StepDue]:
    """The dues a follow-up still asks for, out of what was fetched with it."""
    return [due for due in follow_up.dues.all() if due.state in _ASKS]


def merged(lists: Iterable[list[str]]) -> tuple[str, ...]:
    """Each instrument once, in the order asked."""
    return tuple(dict.fromkeys(name for names in lists for name in names))


def _unanswered_for(
    found: Message, patient: Patient, instruments: Iterable[str], now: datetime
) -> bool:
    """Whether it newly asks about suicide while no responder has shown that alerts arrive.

    Cover ends with time and with the people who leave, not only by what staff do to a course.
    """
    if found.kind != Message.Kind.INVITATION:
        return False
    known = instrument_facts(patient.language)
    asks = any(key in known and known[key].suicide_item for key in map(key_of, instruments))
    return asks and cover_of(patient.clinic, now=now) == "none"


def _facts(found: Message, patient: Patient, now: datetime) -> MessageFacts:
    follow_up = found.follow_up
    reminder = found.kind == Message.Kind.REMINDER
    return MessageFacts(
        kind=found.kind,
        due_at=found.due_at,
        not_after=found.not_after,
        asked_for=found.asked_for,
        hours=_hours(patient, now),
        status=patient.status,
        paused_until=patient.paused_until,
        has_email=bool(patient.email),
        suppressed=why_not(patient) if patient.email else "",
        alert_open=reminder and Alert.objects.open().filter(patient=patient).exists(),
        send_at=follow_up.send_at,
        closes_at=follow_up.closes_at,
        answered=follow_up.finished_at is not None,
        withdrawn=follow_up.withdrawn_at is not None,
        days_taken=frozenset(_days_taken(found, now)),
    )


def _days_taken(found: Message, now: datetime) -> Iterable[date]:
    """Local days that other messages of this patient used up, around this moment in any zone."""
    days = (
        Message.objects.filter(patient=found.patient_id, capped_on__gte=now.date() - DAY)
        .exclude(pk=found.pk)
        .values_list("capped_on", flat=True)
    )
    return [day for day in days if day is not None]


def _hours(patient: Patient, now: datetime) -> Hours:
    """When this patient may be written to, in the zone the row has now."""
    clinic, zone = patient.clinic, patient.tz
    mornings = tuple(
        (start, instant(existing(local_date(start, zone) + DAY, zone), MORNING, zone))
        for start in _begun_infusions(patient, now)
    )
    allowed = frozenset(patient.allowed_days or range(7))
    return Hours(zone, clinic.quiet_from, clinic.quiet_until, mornings, allowed)


def _begun_infusions(patient: Patient, now: datetime) -> list[datetime]:
    """Starts of late; a planned one stops counting when its day at the clinic is over."""
    today = datetime.combine(local_date(now, patient.clinic.tz), time(0), patient.clinic.tz)
    counts = Q(status=Infusion.Status.COMPLETED, started_at__gt=now - _HELD_AT_MOST) | Q(
        status=Infusion.Status.PLANNED, started_at__gte=today
    )
    begun = Infusion.objects.filter(counts, course__patient=patient, started_at__lte=now)
    return list(begun.values_list("started_at", flat=True))
