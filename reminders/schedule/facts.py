"""What the schedule is computed from, and what comes out: frozen records.

Everything is about one patient, because the dues of one local day merge across courses and the
limit of one message is per patient and local day. Instants are aware; dates are local.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Literal
from zoneinfo import ZoneInfo

from reminders.protocols import Anchor, Protocol, Step

HORIZON = timedelta(days=35)  # how far ahead a plan is stored; what is later is only shown

Cover = Literal["always", "weekdays", "none"]  # none: nobody answers for item 9 yet
Status = Literal["active", "paused", "withdrawn", "deceased"]
Channel = Literal["email", "none", "unsubscribed", "suspended"]
InfusionStatus = Literal["planned", "completed", "cancelled"]
MessageKind = Literal["invitation", "reminder"]
InvitationState = Literal["", "scheduled", "sent", "dead", "undeliverable"]


class State(StrEnum):
    PLANNED = "planned"
    ASKED = "asked"
    SATISFIED = "satisfied"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    SKIPPED = "skipped"
    NOT_OFFERED = "not_offered"


LIVE = (State.PLANNED, State.ASKED)


@dataclass(frozen=True, slots=True)
class InstrumentFacts:
    """What the schedule needs to know of a questionnaire."""

    offered: bool = True  # as a whole, in this patient's language
    offered_parts: frozenset[str] = frozenset()  # where it is not: the items that may be asked
    min_interval: timedelta | None = None
    suicide_item: bool = False


@dataclass(frozen=True, slots=True)
class InfusionFacts:
    id: str
    started_at: datetime
    status: InfusionStatus
    recorded_at: datetime  # when staff entered it


@dataclass(frozen=True, slots=True)
class CourseFacts:
    id: str
    protocol: Protocol
    indication: str
    enrolled_at: datetime
    planned_count: int | None = None
    closed_at: datetime | None = None
    infusions: tuple[InfusionFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class AnswerFacts:
    """One finished response."""

    instrument: str  # key
    finished_at: datetime
    follow_up: str | None = None
    scores: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SentFacts:
    """One message that was accepted, is `unknown` or is on its way: it uses up its local day."""

    follow_up: str
    kind: MessageKind
    nth: int
    on: date  # the patient's local day


@dataclass(frozen=True, slots=True)
class FollowUpFacts:
    id: str
    local_date: date
    invitation: InvitationState = ""
    begun_at: datetime | None = None
    finished_at: datetime | None = None
    withdrawn: bool = False
    spent: frozenset[int] = frozenset()  # reminders that ended without being sent

    @property
    def asked(self) -> bool:
        return self.invitation == "sent" or self.begun_at is not None


@dataclass(frozen=True, slots=True)
class Key:
    """What makes a due the same due when the schedule is computed again."""

    course: str
    step: str
    infusion: str | None = None
    occurrence: int = 0  # of a step that repeats: 1, 2, 3 …, and 0 when its course has ended


@dataclass(frozen=True, slots=True)
class Due:
    """One step for one anchor of one course."""

    key: Key
    anchor: Anchor
    anchor_at: datetime
    target_at: datetime
    send_at: datetime
    opens_at: datetime
    closes_at: datetime
    instruments: tuple[str, ...]
    state: State
    reason: str = ""
    follow_up: str | None = None
    number: int | None = None  # of its infusion, in the course


@dataclass(frozen=True, slots=True)
class PatientFacts:
    zone: ZoneInfo
    clinic_zone: ZoneInfo
    courses: tuple[CourseFacts, ...]
    instruments: Mapping[str, InstrumentFacts]
    cover: Cover = "always"
    status: Status = "active"
    paused_until: datetime | None = None  # none while paused: until resumed
    channel: Channel = "email"
    suspended_since: datetime | None = None
    alert_open: bool = False
    send_hour: int | None = None
    allowed_days: frozenset[int] = frozenset(range(7))  # 0 is Monday
    closed_on: frozenset[date] = frozenset()  # days on which the clinic is closed, on its calendar
    quiet_from: time = time(21)
    quiet_until: time = time(8)
    answers: tuple[AnswerFacts, ...] = ()
    sent: tuple[SentFacts, ...] = ()
    follow_ups: Mapping[str, FollowUpFacts] = field(default_factory=dict)
    known: Mapping[Key, Due] = field(default_factory=dict)  # the dues as they were last planned

    @property
    def gone(self) -> bool:
        return self.status in ("withdrawn", "deceased")

    def follow_up_of(self, due: Due | None) -> FollowUpFacts | None:
        if due is None or due.follow_up is None:
            return None
        found = self.follow_ups.get(due.follow_up)
        return None if found is None or found.withdrawn else found


@dataclass(frozen=True, slots=True)
class Occasion:
    """One due while it is being worked out."""

    facts: PatientFacts
    course: CourseFacts
    step: Step
    key: Key
    anchor_at: datetime
    target_at: datetime
    opens_at: datetime
    closes_at: datetime
    now: datetime
    infusion: InfusionFacts | None = None
    number: int | None = None

    @property
    def known(self) -> Due | None:
        return self.facts.known.get(self.key)


@dataclass(frozen=True, slots=True)
class Message:
    kind: MessageKind
    nth: int  # 0 is the invitation; a reminder has the number of its day
    send_at: datetime
    not_after: datetime  # the last instant at which it may still go
    steps: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class PlannedFollowUp:
    """The dues of one local day. `id` is none when there is no row for it yet."""

    id: str | None
    local_date: date
    opens_at: datetime
    send_at: datetime
    closes_at: datetime
    dues: tuple[Key, ...]
    instruments: tuple[str, ...]
    messages: tuple[Message, ...]  # what is still to go, soonest first; only the first is stored


@dataclass(frozen=True, slots=True)
class Plan:
    dues: tuple[Due, ...]
    follow_ups: tuple[PlannedFollowUp, ...]
    withdraw: Mapping[str, str]  # follow-ups that no due needs any more, and why
    replan_at: datetime | None  # when time alone may change something
