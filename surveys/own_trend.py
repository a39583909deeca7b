"""How one patient's score moved since the start, as that patient may see it. Pure.

A number against its own start, and nothing else: no band, no severity, nobody else's scores.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from surveys.instruments import Instrument, Scale

WORSE_BY = Decimal(5)  # points; after a worsening of as many nothing is shown

Direction = Literal["lower", "higher", "same"]


@dataclass(frozen=True, slots=True)
class OwnPoint:
    at: datetime
    value: Decimal  # as printed
    exact: Decimal  # before rounding: what thresholds compare


@dataclass(frozen=True, slots=True)
class OwnTrend:
    """One scale from its baseline to today."""

    key: str  # of the instrument
    title: str
    scale: Scale
    points: tuple[OwnPoint, ...]  # in order: the start, any between, today
    gaps: tuple[datetime, ...]  # asked between them, without a score

    @property
    def start(self) -> OwnPoint:
        return self.points[0]

    @property
    def today(self) -> OwnPoint:
        return self.points[-1]

    @property
    def direction(self) -> Direction:
        """Of the numbers as they are printed, because those stand beside the word."""
        if self.today.value == self.start.value:
            return "same"
        return "lower" if self.today.value < self.start.value else "higher"

    def printed(self, value: Decimal) -> str:
        """With the decimals of its scale, whatever the language: 9, but 4.0."""
        return f"{value:.{self.scale.decimals}f}"


def is_worse(instrument: Instrument, scale: Scale, points: Sequence[OwnPoint]) -> bool:
    """Whether the last of `points` is worse than the best one before it, the start among them, by
    five points, or by the change that matters on this instrument where that is less."""
    if len(points) < 2:
        return False
    *earlier, today = (point.exact for point in points)
    lost = today - min(earlier) if scale.higher_is == "worse" else max(earlier) - today
    least = instrument.minimal_change
    return lost >= (WORSE_BY if least is None else min(WORSE_BY, least))
