"""The patient list: one row per patient, grouped by what needs a person."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

GroupKey = Literal["alerting", "silent", "due", "others"]
GROUPS: tuple[GroupKey, ...] = ("alerting", "silent", "due", "others")
Unreachable = Literal[
    "", "no_email", "unsubscribed", "bounced", "complained", "refused", "stopped_by_staff"
]
URGENCY = {"critical": 0, "urgent": 1, "review": 2}


@dataclass(frozen=True, slots=True)
class OpenAlert:
    id: UUID
    level: str
    raised_at: datetime
    owner: str = ""  # empty: nobody has taken it


@dataclass(frozen=True, slots=True)
class LastScore:
    title: str
    value: Decimal
    band: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PatientRow:
    id: UUID
    name: str
    status: str
    indications: tuple[str, ...] = ()
    score: LastScore | None = None
    infusions: int = 0  # completed, in the current course
    planned: int | None = None  # the course's planned count
    days_since: int | None = None  # calendar days since the last completed infusion
    alerts: tuple[OpenAlert, ...] = ()
    unreachable: Unreachable = ""
    missed: int = 0  # follow-ups in a row without an answer
    due_until: datetime | None = None  # asked now and still open
    next_send: datetime | None = None
    next_infusion: datetime | None = None
    unlogged: datetime | None = None  # planned for a time that is over: did it take place?
    unknown: int = 0  # messages of which nobody knows whether they went out
    maybe_over: bool = False  # "is this course over?"

    @property
    def group(self) -> GroupKey:
        """The first thing that needs a person decides."""
        if self.alerts:
            return "alerting"
        if self.ended:
            return "others"
        if self.unreachable or self.missed or self.unknown:
            return "silent"
        return "due" if self.due_until else "others"

    @property
    def ended(self) -> bool:
        return self.status in ("withdrawn", "deceased")


@dataclass(frozen=True, slots=True)
class Group:
    key: GroupKey
    rows: tuple[PatientRow, ...]


def grouped(rows: Iterable[PatientRow]) -> list[Group]:
    """Every group, empty ones too; within one, the most pressing first, then by name. Of alerts as
    urgent as each other, the one that nobody has taken."""
    known = list(rows)
    return [
        Group(key, tuple(sorted((row for row in known if row.group == key), key=_pressing)))
        for key in GROUPS
    ]


def _pressing(row: PatientRow) -> tuple[int, bool, float, int, str]:
    alerts = ((URGENCY.get(alert.level, 9), bool(alert.owner)) for alert in row.alerts)
    level, taken = min(alerts, default=(9, False))
    waiting = min((alert.raised_at.timestamp() for alert in row.alerts), default=0.0)
    missed = -row.missed if row.group == "silent" else 0
    return level, taken, waiting, missed, row.name.casefold()


def missed_in_a_row(closed: Iterable[tuple[datetime, bool]]) -> int:
    """Of follow-ups whose window is over, (when, answered?): how many were silent since the last
    answer."""
    missed = 0
    for _, answered in sorted(closed):
        missed = 0 if answered else missed + 1
    return missed


def maybe_over(
    given: Iterable[date], *, today: date, planned: int | None, more_planned: bool
) -> bool:
    """From the second day on, while the planned count is not reached and nothing is planned."""
    days = sorted(given)
    if not days or more_planned or planned is None or len(days) >= planned:
        return False
    return (today - days[-1]).days >= 2
