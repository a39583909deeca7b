"""What staff see of e-mail: what needs a person, and one message's whole story."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

Moot = Literal["", "answered", "begun", "ended", "closed", "followed"]
Kind = Literal["planned", "call", "sent", "report", "begun", "finished", "ended", "waits"]


@dataclass(frozen=True, slots=True)
class Unclear:
    """A message of which nobody knows whether it arrived."""

    id: UUID
    patient_id: UUID
    name: str
    kind: str
    nth: int
    at: datetime
    said: str  # what the provider answered, in words
    moot: Moot = ""  # why nothing hangs on it any more


@dataclass(frozen=True, slots=True)
class DeadAddress:
    """A patient whom e-mail does not reach, for the front desk to call."""

    patient_id: UUID
    name: str
    email: str
    phone: str
    why: str  # bounced, soft_bounces, complained, refused
    since: datetime
    missed: tuple[str, ...] = ()  # check-ins that closed without an answer since

    @property
    def mailbox(self) -> str:
        """The address is broken before its @, where a reader expects it."""
        return self.email.rpartition("@")[0]

    @property
    def domain(self) -> str:
        return f"@{self.email.rpartition('@')[2]}"


@dataclass(frozen=True, slots=True)
class Stopped:
    """A patient who wants no more e-mail."""

    patient_id: UUID
    name: str
    since: datetime


@dataclass(frozen=True, slots=True)
class NotSent:
    """A message that came to nothing of late."""

    id: UUID
    patient_id: UUID
    name: str
    kind: str
    nth: int
    state: str
    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class WayOut:
    """A way out of the building that does not work at the moment."""

    name: str
    why: str
    until: datetime | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a message's life."""

    at: datetime
    kind: Kind
    what: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Why:
    """One step a message asks for: the rule, what it is counted from, and when it may be asked."""

    title: str
    protocol: str
    rule: str
    anchor: str
    anchor_at: datetime | None
    target_at: datetime
    send_at: datetime
    opens_at: datetime
    closes_at: datetime
    instruments: tuple[str, ...]
    state: str
    moved: str = ""  # what the plan says about its day


@dataclass(frozen=True, slots=True)
class Moved:
    """One thing that changed after the message was planned."""

    at: datetime
    what: str
    before: str | datetime = ""
    after: str | datetime = ""
    why: str = ""
    by: str = ""
    is_instant: bool = False


@dataclass(frozen=True, slots=True)
class Story:
    """One message from the plan to its end."""

    id: UUID
    kind: str
    nth: int
    state: str
    delivery: str
    reason: str
    due_at: datetime
    not_after: datetime
    asked_for: bool
    requested_by: str
    sent_at: datetime | None
    delivered_at: datetime | None
    opens_at: datetime
    closes_at: datetime
    begun_at: datetime | None
    finished_at: datetime | None
    zone: ZoneInfo  # the patient's
    quiet: str
    hour: int | None  # the patient's own
    days: str  # on which this patient is written to
    life: tuple[Happening, ...] = ()
    steps: tuple[Why, ...] = ()
    moves: tuple[Moved, ...] = ()
