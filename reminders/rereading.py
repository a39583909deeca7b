"""Bring the gate its facts as they stand now: for a whole batch, or for one row under its locks.

The patient is locked before the message, as in every verb about a patient, so that a withdrawal
and a sending take turns and one of them sees the other.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import F, Q

from clinic.models import Clinic, Infusion, Patient
from reminders.claiming import held
from reminders.gate import MessageFacts, NoticeFacts
from reminders.models import Message, Notice, State, Suppression
from reminders.schedule.answered import key_of
from reminders.schedule.clock import (
    DAY,
    MORNING,
    Hours,
    allowed_days,
    existing,
    instant,
    local_date,
)
from reminders.schedule.questionnaires import instrument_facts
from reminders.statements import Among
from reminders.suppression import in_the_way
from surveys.cover import cover_of
from surveys.models import Alert, FollowUp, StepDue

_HELD_AT_MOST = timedelta(days=3)  # an infusion holds mail until the next morning, in any zone
_ASKS = (StepDue.State.PLANNED, StepDue.State.ASKED)
_DUE = ("follow_up", "instruments", "revision", "course__revision", "course__replan_at")


@dataclass(frozen=True, slots=True)
class Reread:
    """A message as it is now. `instruments` is what its follow-up asks."""

    message: Message
    facts: MessageFacts
    instruments: tuple[str, ...]
    behind: bool  # planned from older facts, or asking what may not be asked now
    look_at: datetime | None  # when the schedule is to be looked at again

    def outdated(self, now: datetime) -> bool:
        """Whether the schedule must be brought up to date before anything goes."""
        return self.behind or (self.look_at is not None and self.look_at <= now)


def message(row: Message, *, state: State = State.CLAIMED, now: datetime) -> Reread | None:
    """None: somebody else has decided about this row. Inside a transaction only."""
    patient = Patient.objects.held(row.patient_id)
    mine = Message.objects.filter(pk__in=held(row, state).values("pk"))
    both = mine.select_for_update(of=("self", "follow_up"), no_key=True)  # answers lock the latter
    found = both.select_related("follow_up").first()
    if found is None:
        return None
    found.patient = patient
    return messages([found], now=now)[found.pk]


def messages(rows: Sequence[Message], *, now: datetime) -> dict[uuid.UUID, Reread]:
    """The facts about each, in a bounded number of queries, however many rows there are."""
    around = _Around(rows, now)
    return {row.pk: around.reread(row) for row in rows}


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
    owner = alert.owner
    theirs = owner is None or alert.offered_to_id == member.pk or not owner.may_take_alerts
    taken = alert.closed_at is not None or not theirs
    return found, NoticeFacts(taken, member.active and member.user.is_active)


def merged(lists: Iterable[list[str]]) -> tuple[str, ...]:
    """Each instrument once, in the order asked."""
    return tuple(dict.fromkeys(name for names in lists for name in names))


class _Around:
    """What stands around these messages in other tables."""

    def __init__(self, rows: Sequence[Message], now: datetime) -> None:
        self.now = now
        self.clinics = {row.patient.clinic_id: row.patient.clinic for row in rows}
        patients = [row.patient_id for row in rows]
        self.dues = _dues([row.follow_up_id for row in rows])
        self.held = _suppressions(patients)
        self.alerted = _alerted([row.patient_id for row in rows if _is_reminder(row)])
        self.days = _days_taken(patients, now)
        self.infusions = _begun_infusions(patients, now)
        self.uncovered: dict[uuid.UUID, bool] = {}

    def reread(self, row: Message) -> Reread:
        dues = self.dues[row.follow_up_id]
        instruments = merged(names for _, names, *_ in dues)
        behind = any(planned != current for _, _, planned, current, _ in dues)
        looks = [look_at for *_, look_at in dues if look_at is not None]
        return Reread(
            message=row,
            facts=self._facts(row),
            instruments=instruments,
            behind=behind or self._unanswered_for(row, instruments),
            look_at=min(looks, default=None),
        )

    def _unanswered_for(self, row: Message, instruments: Iterable[str]) -> bool:
        """Whether it newly asks about suicide while no responder has shown that alerts arrive.

        Cover ends with time and with the people who leave, not only by what staff do to a course.
        """
        if row.kind != Message.Kind.INVITATION:
            return False
        known = instrument_facts(row.patient.language)
        asks = any(key in known and known[key].suicide_item for key in map(key_of, instruments))
        return asks and self._has_no_cover(row.patient.clinic)

    def _has_no_cover(self, clinic: Clinic) -> bool:
        if clinic.pk not in self.uncovered:
            self.uncovered[clinic.pk] = cover_of(clinic, now=self.now) == "none"
        return self.uncovered[clinic.pk]

    def _facts(self, row: Message) -> MessageFacts:
        follow_up, patient = row.follow_up, row.patient
        return MessageFacts(
            kind=row.kind,
            due_at=row.due_at,
            not_after=row.not_after,
            asked_for=row.asked_for,
            hours=self._hours(patient),
            status=patient.status,
            paused_until=patient.paused_until,
            has_email=bool(patient.email),
            suppressed=in_the_way(patient.email, self.held[patient.pk]) if patient.email else "",
            alert_open=patient.pk in self.alerted,
            send_at=follow_up.send_at,
            closes_at=follow_up.closes_at,
            answered=follow_up.finished_at is not None,
            withdrawn=follow_up.withdrawn_at is not None,
            days_taken=frozenset(
                day for day, taken_by in self.days[patient.pk] if taken_by != row.pk
            ),
        )

    def _hours(self, patient: Patient) -> Hours:
        """When this patient may be written to, in the zone the row has now."""
        clinic, zone = patient.clinic, patient.tz
        mornings = tuple(
            (start, instant(existing(local_date(start, zone) + DAY, zone), MORNING, zone))
            for start, planned in self.infusions[patient.pk]
            if not planned or start >= _clinics_today(clinic, self.now)
        )
        days = allowed_days(clinic.allowed_days, patient.allowed_days)
        return Hours(zone, clinic.quiet_from, clinic.quiet_until, mornings, days)


_DueRow = tuple[uuid.UUID, list[str], int, int, datetime | None]


def _dues(follow_ups: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, list[_DueRow]]:
    found: dict[uuid.UUID, list[_DueRow]] = defaultdict(list)
    asking = StepDue.objects.filter(Among(F("follow_up"), follow_ups), state__in=_ASKS)
    for due in asking.order_by("course", "step", "pk").values_list(*_DUE):
        found[due[0]].append(due)
    return found


def _suppressions(patients: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, list[tuple[str, str]]]:
    found: dict[uuid.UUID, list[tuple[str, str]]] = defaultdict(list)
    held = Suppression.objects.in_force().filter(Among(F("patient"), patients))
    for patient, reason, digest in held.values_list("patient", "reason", "address_digest"):
        found[patient].append((reason, digest))
    return found


def _alerted(patients: Sequence[uuid.UUID]) -> set[uuid.UUID | None]:
    """Of patients who are to be reminded, those with an open alert."""
    if not patients:
        return set()
    alerts = Alert.objects.open().filter(Among(F("patient"), patients))
    return set(alerts.values_list("patient", flat=True))


def _days_taken(
    patients: Sequence[uuid.UUID], now: datetime
) -> Mapping[uuid.UUID, list[tuple[date, uuid.UUID]]]:
    """Local days that messages of a patient used up, around this moment in any zone."""
    found: dict[uuid.UUID, list[tuple[date, uuid.UUID]]] = defaultdict(list)
    lately = Message.objects.filter(capped_on__gte=now.date() - DAY)
    used = lately.filter(Among(F("patient"), patients))
    for patient, day, pk in used.values_list("patient", "capped_on", "pk"):
        if day is not None:
            found[patient].append((day, pk))
    return found


def _begun_infusions(
    patients: Sequence[uuid.UUID], now: datetime
) -> Mapping[uuid.UUID, list[tuple[datetime, bool]]]:
    """Starts of late, and whether each is still a planned one."""
    found: dict[uuid.UUID, list[tuple[datetime, bool]]] = defaultdict(list)
    standing = Q(status__in=[Infusion.Status.COMPLETED, Infusion.Status.PLANNED])
    lately = Infusion.objects.filter(started_at__gt=now - _HELD_AT_MOST, started_at__lte=now)
    begun = lately.filter(standing, Among(F("course__patient"), patients))
    for patient, start, status in begun.values_list("course__patient", "started_at", "status"):
        found[patient].append((start, status == Infusion.Status.PLANNED))
    return found


def _clinics_today(clinic: Clinic, now: datetime) -> datetime:
    """A planned infusion stops counting when its day at the clinic is over."""
    return datetime.combine(local_date(now, clinic.tz), time(0), clinic.tz)


def _is_reminder(row: Message) -> bool:
    return row.kind == Message.Kind.REMINDER


def asking(follow_up: FollowUp) -> list[StepDue]:
    """The dues a follow-up still asks for, out of what was fetched with it."""
    return [due for due in follow_up.dues.all() if due.state in _ASKS]
