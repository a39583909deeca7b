"""Plain records between queries and figures, tables and sentences.

Instants are aware; a chart, a table and a sentence all print them in the clinic's zone.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from surveys.change import Change

GapKind = Literal["missed", "unfinished", "no_score"]
LineKind = Literal["baseline", "response", "remission"]


@dataclass(frozen=True, slots=True)
class Mark:
    """One infusion on the time axis."""

    at: datetime
    number: int | None  # its place among the course's completed ones; None while planned
    stopped_early: bool = False
    course: str = ""  # id: numbers begin again in each course


@dataclass(frozen=True, slots=True)
class Point:
    """One score of one scale."""

    at: datetime
    value: Decimal  # as printed
    exact: Decimal  # before rounding: what thresholds compare
    band: str = ""
    missing: int = 0  # unanswered items the score was estimated without
    mode: str = "link"  # how the answers came; "phone" and "staff": entered by staff
    late: bool = False  # after its window: shown, never in an outcome

    @property
    def by_staff(self) -> bool:
        return self.mode in ("phone", "staff")


@dataclass(frozen=True, slots=True)
class Gap:
    """A follow-up that gave no score. Missing is drawn as missing."""

    at: datetime
    kind: GapKind
    answered: int = 0  # of `items`, when it was begun
    items: int = 0


@dataclass(frozen=True, slots=True)
class Series:
    """One scale over time, oldest first."""

    scale: str
    name: str
    points: tuple[Point, ...]

    @property
    def in_time(self) -> tuple[Point, ...]:
        return tuple(point for point in self.points if not point.late)


@dataclass(frozen=True, slots=True)
class Line:
    """A named level the score is read against."""

    kind: LineKind
    value: Decimal
    name: str


@dataclass(frozen=True, slots=True)
class Definitions:
    """What response, remission and a change that matters mean here: the instrument's thresholds."""

    response_percent: int | None
    remission_below: int | None
    minimal_change: Decimal | None

    def __bool__(self) -> bool:
        return any(
            threshold is not None
            for threshold in (self.response_percent, self.remission_below, self.minimal_change)
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """The latest score of an instrument against its baseline."""

    title: str
    latest: Point
    baseline: Point | None
    change: Change | None  # none without a baseline, or when the baseline is the latest
    definitions: Definitions
    best: Point | None = None  # since the baseline, when the latest is clearly worse than it


@dataclass(frozen=True, slots=True)
class Trend:
    """Everything one chart, its sentence and its table are made of."""

    key: str  # of the instrument; each has a chart of its own
    title: str
    minimum: Decimal
    maximum: Decimal
    higher_is: Literal["worse", "better"]
    bands: tuple[tuple[int, str], ...]
    series: tuple[Series, ...]
    gaps: tuple[Gap, ...]
    lines: tuple[Line, ...]
    definitions: Definitions
    baseline: Point | None = None
    standing: Standing | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """The time axis that every chart of a patient shares."""

    zone: ZoneInfo
    start: datetime
    end: datetime
    marks: tuple[Mark, ...]

    def local(self, at: datetime) -> datetime:
        """The wall clock of the clinic, without a zone: what an axis prints."""
        return at.astimezone(self.zone).replace(tzinfo=None)

    def day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def since_infusion(self, at: datetime) -> tuple[int, int] | None:
        """(number of the latest infusion before `at`, calendar days since it)."""
        given = [mark for mark in self.marks if mark.number is not None and mark.at <= at]
        if not given:
            return None
        last = max(given, key=lambda mark: mark.at)
        return last.number or 0, (self.day(at) - self.day(last.at)).days
