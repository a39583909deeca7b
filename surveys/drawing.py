"""The line of one own trend, as numbers for an SVG. Pure.

Every number is a text with a point: a template would print 12.5 as "12,5" in another language.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from surveys.own_trend import OwnPoint, OwnTrend

# Of the drawing, in its own units: on the smallest phone one is one pixel.
WIDTH, HEIGHT = 288, 184
LEFT, RIGHT, TOP, BOTTOM = 44, 268, 20, 148
_ABOVE, _BELOW = 12, 26  # from a dot to the foot of its number


@dataclass(frozen=True, slots=True)
class Dot:
    x: str
    y: str
    text_y: str
    text: str  # empty but at both ends


@dataclass(frozen=True, slots=True)
class Drawing:
    lines: tuple[str, ...]  # of a polyline; a new one after each gap
    dots: tuple[Dot, ...]
    start_y: str
    highest: str  # the ends of the whole scale: no axis is cut
    lowest: str


def drawing(trend: OwnTrend) -> Drawing:
    """Time to the right, the scale upwards, whichever direction is the better one."""
    dots = tuple(_dot(trend, point) for point in trend.points)
    return Drawing(
        lines=tuple(_lines(trend)),
        dots=dots,
        start_y=dots[0].y,
        highest=trend.printed(trend.scale.maximum),
        lowest=trend.printed(trend.scale.minimum),
    )


def _dot(trend: OwnTrend, point: OwnPoint) -> Dot:
    y = _y(trend, point.value)
    is_end = point in (trend.start, trend.today)
    return Dot(
        x=_text(_x(trend, point.at)),
        y=_text(y),
        text_y=_text(y - _ABOVE if y - TOP >= _ABOVE else y + _BELOW),
        text=trend.printed(point.value) if is_end else "",
    )


def _lines(trend: OwnTrend) -> Iterator[str]:
    """Nothing is drawn across a time at which there was no answer."""
    line = [trend.start]
    for before, after in pairwise(trend.points):
        if any(before.at < gap < after.at for gap in trend.gaps):
            yield _joined(trend, line)
            line = []
        line.append(after)
    yield _joined(trend, line)


def _joined(trend: OwnTrend, points: list[OwnPoint]) -> str:
    return " ".join(
        f"{_text(_x(trend, point.at))},{_text(_y(trend, point.value))}" for point in points
    )


def _x(trend: OwnTrend, at: datetime) -> float:
    whole = trend.today.at - trend.start.at
    return LEFT + (RIGHT - LEFT) * ((at - trend.start.at) / whole)


def _y(trend: OwnTrend, value: Decimal) -> float:
    scale = trend.scale
    share = (value - scale.minimum) / (scale.maximum - scale.minimum)
    return BOTTOM - (BOTTOM - TOP) * float(share)


def _text(number: float) -> str:
    return f"{number:.1f}"
