"""The score before treatment, with which every later one is compared. Pure; the only definition.

The last valid score in the 30 days before the course's first infusion (McInnes 2022 used one
month). An answer from before the course's enrolment belongs to an earlier course: it may serve
again while it is at most 14 days old.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

WINDOW = timedelta(days=30)
REUSE = timedelta(days=14)


class Dated(Protocol):
    @property
    def at(self) -> datetime: ...


DatedT = TypeVar("DatedT", bound=Dated)


def baseline(
    valid: Iterable[DatedT],
    *,
    first_infusion: datetime,
    enrolled_at: datetime,
    window: timedelta = WINDOW,
    reuse: timedelta = REUSE,
) -> DatedT | None:
    """Of valid scores answered in time, the baseline of one course; None is "no baseline"."""
    candidates = [
        score
        for score in valid
        if first_infusion - window <= score.at < first_infusion
        and (score.at >= enrolled_at or score.at >= first_infusion - reuse)
    ]
    return max(candidates, key=lambda score: score.at, default=None)
