"""Rows for figures and tables, made by hand: no database."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from dashboards import words
from dashboards.rows import (
    Definitions,
    Gap,
    Line,
    Mark,
    Point,
    Series,
    Timeline,
    Trend,
    reference_lines,
)

CHICAGO = ZoneInfo("America/Chicago")
START = datetime(2026, 1, 5, 15, tzinfo=UTC)
BANDS = (
    (0, "minimal"),
    (5, "mild"),
    (10, "moderate"),
    (15, "moderately severe"),
    (20, "severe"),
)
HALF = Definitions(response_percent=50, remission_below=5, minimal_change=Decimal(5))


def on_day(days: float) -> datetime:
    return START + timedelta(days=days)


def point(days: float, value: str, band: str = "", **more: object) -> Point:
    return Point(on_day(days), Decimal(value), Decimal(value), band, **more)  # type: ignore[arg-type]


def timeline(*infusion_days: float, until: float = 90) -> Timeline:
    marks = tuple(Mark(on_day(days), n) for n, days in enumerate(infusion_days, start=1))
    return Timeline(CHICAGO, on_day(-1), on_day(until), marks)


def phq9(*points: Point, gaps: tuple[Gap, ...] = (), baseline: Point | None = None) -> Trend:
    return Trend(
        key="phq9",
        title="PHQ-9",
        minimum=Decimal(0),
        maximum=Decimal(27),
        higher_is="worse",
        bands=BANDS,
        series=(Series("total", "total", points),),
        gaps=gaps,
        lines=tuple(
            Line(kind, value, words.line_name(kind, value))
            for kind, value in reference_lines(baseline, HALF)
        ),
        definitions=HALF,
        baseline=baseline,
    )
