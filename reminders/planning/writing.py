"""Plan -> rows. Writes only what differs, and nothing on what has left our hands."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from reminders.changes import appended, differences, entry, why_moved
from reminders.models import UNSENT, Message, State
from reminders.planning.gathering import Rows
from reminders.schedule import Due, Key, Plan, PlannedFollowUp
from reminders.schedule import Message as PlannedMessage
from reminders.schedule import State as DueState
from surveys.links import new_link
from surveys.models import FollowUp, StepDue

REASON_LENGTH = 200
TOLD = ("target_at", "send_at", "closes_at", "instruments", "state")  # each change has its line


@dataclass(slots=True)
class Changes:
    """How many rows of each kind were made, moved or ended."""

    dues_made: int = 0
    dues_changed: int = 0
    follow_ups_made: int = 0
    follow_ups_moved: int = 0
    follow_ups_withdrawn: int = 0
    messages_made: int = 0
    messages_moved: int = 0
    messages_ended: int = 0
    schedule: set[str] = field(default_factory=set)  # for the audit: what of the schedule changed

    @property
    def any(self) -> bool:
        counts = asdict(self)
        counts.pop("schedule")
        return any(counts.values())


def write(planned: Plan, rows: Rows, *, now: datetime) -> Changes:
    writer = _Writer(rows, now)
    writer.withdraw(planned.withdraw)
    ids = writer.follow_ups(planned.follow_ups)
    writer.dues(planned.dues, ids)
    states = {due.key: due for due in planned.dues}
    for each, row in zip(planned.follow_ups, writer.written, strict=True):
        writer.messages(each, row, [states[key] for key in each.dues])
    return writer.changes


class _Writer:
    def __init__(self, rows: Rows, now: datetime) -> None:
        self.rows = rows
        self.now = now
        self.changes = Changes()
        self.written: list[FollowUp] = []
        self.why: dict[Key, str] = {}  # of the dues that this plan moves

    def withdraw(self, reasons: Mapping[str, str]) -> None:
        """First, because a withdrawn follow-up frees its local day."""
        for pk, reason in reasons.items():
            row = self.rows.follow_ups[pk]
            row.withdrawn_at, row.reason = self.now, reason[:REASON_LENGTH]
            row.save(update_fields=["withdrawn_at", "reason"])
            self.changes.follow_ups_withdrawn += 1
            self.changes.schedule.add("withdrawn_at")
            for message in self.rows.messages[pk]:
                self._end(message, State.SUPERSEDED, reason)

    def follow_ups(self, planned: Iterable[PlannedFollowUp]) -> dict[Key, uuid.UUID]:
        ids: dict[Key, uuid.UUID] = {}
        for each in planned:
            row = self._new(each) if each.id is None else self._moved(each)
            self.written.append(row)
            ids |= dict.fromkeys(each.dues, row.pk)
        return ids

    def _new(self, planned: PlannedFollowUp) -> FollowUp:
        pk = uuid.uuid4()
        self.changes.follow_ups_made += 1
        self.changes.schedule.add("local_date")
        return FollowUp.objects.create(
            pk=pk,
            patient=self.rows.patient,
            local_date=planned.local_date,
            opens_at=planned.opens_at,
            send_at=planned.send_at,
            closes_at=planned.closes_at,
            **asdict(new_link(pk)),
        )

    def _moved(self, planned: PlannedFollowUp) -> FollowUp:
        row = self.rows.follow_ups[planned.id or ""]
        if row.finished_at is not None:
            return row
        wanted = {
            "local_date": planned.local_date,
            "opens_at": planned.opens_at,
            "closes_at": planned.closes_at,
            "send_at": _unless_due(row.send_at, planned.send_at, self.now),
        }
        if changed := _assign(row, wanted):
            row.save(update_fields=changed)
            self.changes.follow_ups_moved += 1
            self.changes.schedule.update(changed)
        return row

    def dues(self, planned: Iterable[Due], ids: Mapping[Key, uuid.UUID]) -> None:
        made, changed, fields = [], [], set()
        for due in planned:
            row = self.rows.dues.get(due.key)
            values = self._values(due, ids)
            if row is None:
                made.append(self._new_due(due, values))
            elif names := self._bring(row, due, values):
                changed.append(row)
                fields.update(names)
                self._note(names)
        StepDue.objects.bulk_create(made)
        if changed:
            StepDue.objects.bulk_update(changed, sorted(fields))
        self.changes.dues_made += len(made)
        self.changes.dues_changed += len(changed)
        if made:
            self.changes.schedule.add("target_at")

    def _bring(self, row: StepDue, due: Due, values: Mapping[str, Any]) -> list[str]:
        """Set what differs, and write a line about each thing its reader would ask about."""
        before = {name: getattr(row, name) for name in TOLD}
        changed = _assign(row, values)
        reason = why_moved(changed, row.state, row.reason)
        if lines := differences(self.now, before, values, reason):
            row.changes = appended(row.changes, *lines)
            self.why[due.key] = reason
            changed.append("changes")
        return changed

    def _note(self, names: Iterable[str]) -> None:
        """Being asked and answered is the course of things; being moved or ended is not."""
        moved = set(names) & {"target_at", "closes_at", "instruments", "anchor_at"}
        self.changes.schedule.update(moved)

    def _new_due(self, due: Due, values: Mapping[str, Any]) -> StepDue:
        return StepDue(
            course_id=due.key.course,
            step=due.key.step,
            anchor=str(due.anchor),
            infusion_id=due.key.infusion,
            occurrence=due.key.occurrence,
            **{"revision": self.rows.courses[due.key.course].revision, **values},
        )

    def _values(self, due: Due, ids: Mapping[Key, uuid.UUID]) -> dict[str, Any]:
        standing = due.follow_up and uuid.UUID(due.follow_up)
        values = {
            "anchor_at": due.anchor_at,
            "target_at": due.target_at,
            "send_at": due.send_at,
            "opens_at": due.opens_at,
            "closes_at": due.closes_at,
            "instruments": list(due.instruments),
            "state": str(due.state),
            "reason": due.reason[:REASON_LENGTH],
            "follow_up_id": ids.get(due.key, standing),
        }
        if due.state in (DueState.PLANNED, DueState.ASKED):
            values["revision"] = self.rows.courses[due.key.course].revision
        return values

    def messages(self, planned: PlannedFollowUp, row: FollowUp, dues: Iterable[Due]) -> None:
        """Only the next message has a row; what waits besides has lost its day.

        What a member has sent again is theirs: it ends with its follow-up, not with the plan.
        """
        existing = {(m.kind, m.nth): m for m in self.rows.messages.get(str(row.pk), [])}
        coming = planned.messages[0] if planned.messages else None
        wanted = None if coming is None else existing.pop((coming.kind, coming.nth), None)
        if coming is not None and wanted is None:
            self._new_message(coming, row)
        elif coming is not None and wanted is not None:
            self._bring_back(wanted, coming)
            self._move(wanted, coming, self._reason(planned))
        state, reason = _why_not_sent(row, dues)
        for message in existing.values():
            if message.requested_by_id is None or state != State.SKIPPED:
                self._end(message, state, reason)

    def _reason(self, planned: PlannedFollowUp) -> str:
        whys = [self.why[key] for key in planned.dues if key in self.why]
        return "; ".join(dict.fromkeys(whys)) or "planned again"

    def _new_message(self, coming: PlannedMessage, row: FollowUp) -> None:
        Message.objects.create(
            clinic_id=self.rows.patient.clinic_id,
            patient=self.rows.patient,
            follow_up=row,
            kind=coming.kind,
            nth=coming.nth,
            due_at=coming.send_at,
            not_after=coming.not_after,
            reason=coming.reason[:REASON_LENGTH],
            created_at=self.now,
        )
        self.changes.messages_made += 1

    def _bring_back(self, message: Message, coming: PlannedMessage) -> None:
        """What was left out, and never handed over, may go after all: a pause ended in time."""
        line = entry(self.now, "state", message.state, State.SCHEDULED, "it may go after all")
        left_out = Message.objects.filter(pk=message.pk, state=State.SKIPPED)
        if message.state == State.SKIPPED and left_out.update(
            state=State.SCHEDULED,
            reason=coming.reason[:REASON_LENGTH],
            changes=appended(message.changes, line),
            ended_at=None,
        ):
            message.refresh_from_db(fields=["state", "changes"])
            self.changes.messages_moved += 1

    def _move(self, message: Message, coming: PlannedMessage, why: str) -> None:
        """A row that already waits at or before now stays: the next drain takes it."""
        due_at = _unless_due(message.due_at, coming.send_at, self.now)
        if message.state not in UNSENT or _backing_off(message, coming, self.now):
            return
        before = {"due_at": message.due_at, "not_after": message.not_after}
        after = {"due_at": due_at, "not_after": coming.not_after}
        if before == after:
            return
        later = due_at > self.now  # a claimed row that must wait goes back
        unclaimed = {"state": State.SCHEDULED, "lease_token": None, "lease_until": None}
        self.changes.messages_moved += Message.objects.filter(
            pk=message.pk, state__in=UNSENT
        ).update(
            **after,
            reason=coming.reason[:REASON_LENGTH],
            changes=appended(message.changes, *differences(self.now, before, after, why)),
            **(unclaimed if later else {}),
        )

    def _end(self, message: Message, state: State, reason: str) -> None:
        if message.state in UNSENT:
            line = entry(self.now, "state", message.state, state, reason)
            self.changes.messages_ended += Message.objects.filter(
                pk=message.pk, state__in=UNSENT
            ).update(
                state=state,
                reason=reason[:REASON_LENGTH],
                changes=appended(message.changes, line),
                ended_at=self.now,
                lease_token=None,
                lease_until=None,
            )


def _why_not_sent(row: FollowUp, dues: Iterable[Due]) -> tuple[State, str]:
    states = {due.state for due in dues}
    if row.finished_at is not None or states == {DueState.SATISFIED}:
        return State.CANCELLED, "answered"
    if states and states <= {DueState.EXPIRED, DueState.SATISFIED}:
        return State.EXPIRED, "its window is over"
    return State.SKIPPED, "not to be sent any more"


def _backing_off(message: Message, coming: PlannedMessage, now: datetime) -> bool:
    """The engine put it off after a refused call; the plan would have it go at once."""
    waiting = message.due_at > now and message.attempts > 0
    return waiting and message.due_at <= coming.not_after and coming.send_at <= now


def _unless_due(before: datetime, after: datetime, now: datetime) -> datetime:
    """`after`, but what was due already and still is keeps its time."""
    return before if before <= now and after <= now else after


def _assign(row: Any, values: Mapping[str, Any]) -> list[str]:
    """Set what differs; the names of those fields."""
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    return changed
