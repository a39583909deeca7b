"""What was asked, what is to come, what went out: the tables below a patient's charts."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Asked:
    """One follow-up of the past or present, or a step that never became one."""

    at: datetime
    steps: tuple[str, ...]  # titles
    instruments: tuple[str, ...]  # titles
    state: str  # of its dues: the one that says most
    reasons: tuple[str, ...] = ()
    closes_at: datetime | None = None
    finished_at: datetime | None = None
    mode: str = ""  # how its answers came, where not all came through the link
    entered_by: str = ""  # the member's name


@dataclass(frozen=True, slots=True)
class Answerable:
    """A follow-up that takes answers now."""

    id: UUID
    instruments: tuple[str, ...]  # titles
    closes_at: datetime
    is_late: bool
    is_begun: bool


@dataclass(frozen=True, slots=True)
class Coming:
    """One follow-up that the protocol and the dates so far lead to."""

    at: datetime
    steps: tuple[str, ...]
    instruments: tuple[str, ...]
    mails: tuple[datetime, ...] = ()  # invitation and reminders; none: asked in the clinic
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Mail:
    """One message and what became of it."""

    id: UUID
    at: datetime  # when it went out or ended, else when it is due
    kind: str
    nth: int
    state: str
    delivery: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """One thing that the patient changed behind the link of an e-mail."""

    at: datetime
    what: str


@dataclass(frozen=True, slots=True)
class Given:
    """One infusion with what the table shows of it."""

    id: UUID
    at: datetime
    number: int | None
    status: str
    route: str
    dose: Decimal | None = None
    minutes: int | None = None
    stopped_early: bool = False
    complication: str = ""
    note: str = ""
    cancelled_reason: str = ""
    vitals: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One question, and the answer on each date. None was not answered."""

    key: str
    wording: str
    answers: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class ItemTable:
    title: str
    days: tuple[date, ...]  # newest first
    modes: tuple[str, ...]  # how the answers of each day came
    rows: tuple[ItemRow, ...] = field(default_factory=tuple)
    choices: tuple[tuple[int, str], ...] = ()

    @property
    def columns(self) -> tuple[tuple[date, str], ...]:
        return tuple(zip(self.days, self.modes, strict=True))
