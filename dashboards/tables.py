"""Rows to the data table under every figure: the same facts, in the same order, as words. Pure."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from dashboards.rows import Gap, GapKind, Point, Timeline, Trend


@dataclass(frozen=True, slots=True)
class TrendRow:
    """One line: a score with its band and its distance from the baseline, or why there is none."""

    on: date
    scale: str
    infusion: int | None = None  # the latest one before it
    days: int | None = None  # calendar days since then
    value: Decimal | None = None
    band: str = ""
    change: Decimal | None = None  # from baseline; positive is a higher score
    gap: GapKind | None = None
    answered: int = 0
    items: int = 0
    missing: int = 0
    mode: str = "link"
    late: bool = False
    is_baseline: bool = False


def trend(trend: Trend, timeline: Timeline) -> list[TrendRow]:
    """Newest first, as a reader wants it."""
    scored = [
        (point.at, _score(trend, series.name, point, timeline))
        for series in trend.series
        for point in series.points
    ]
    silent = [(gap.at, _gap(gap, timeline)) for gap in trend.gaps]
    return [row for _, row in sorted([*scored, *silent], key=lambda pair: pair[0], reverse=True)]


def _score(trend: Trend, scale: str, point: Point, timeline: Timeline) -> TrendRow:
    infusion, days = timeline.since_infusion(point.at) or (None, None)
    baseline = trend.baseline
    is_first = bool(trend.series) and scale == trend.series[0].name
    compared = baseline is not None and is_first and point.at > baseline.at
    return TrendRow(
        on=timeline.day(point.at),
        scale=scale,
        infusion=infusion,
        days=days,
        value=point.value,
        band=point.band,
        change=point.value - baseline.value if compared and baseline else None,
        missing=point.missing,
        mode=point.mode,
        late=point.late,
        is_baseline=is_first and point == baseline,
    )


def _gap(gap: Gap, timeline: Timeline) -> TrendRow:
    infusion, days = timeline.since_infusion(gap.at) or (None, None)
    return TrendRow(
        on=timeline.day(gap.at),
        scale="",
        infusion=infusion,
        days=days,
        gap=gap.kind,
        answered=gap.answered,
        items=gap.items,
    )
