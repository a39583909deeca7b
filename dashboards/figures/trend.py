"""One patient's scores over time."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import plotly.graph_objects as go

from dashboards.figures import marks
from dashboards.figures.style import MUTED, STYLES, Style, house_style
from dashboards.rows import Gap, Point, Series, Timeline, Trend

TICK_ROOM = 0.12  # of the scale: a tick closer than this to 0 is left out
MONTHS_FROM = timedelta(days=150)  # a longer axis is told in months


def trend(trend: Trend, timeline: Timeline) -> go.Figure:
    """One instrument over time: scores, gaps, infusions, bands and the lines they are read by."""
    figure = go.Figure()
    for style, series in zip(STYLES, trend.series, strict=False):
        figure.add_trace(_line(series, style, trend, timeline))
        if late := [point for point in series.points if point.late]:
            figure.add_trace(_late(late, style, timeline))
    if trend.gaps:
        figure.add_trace(_missing(trend, timeline))
    figure.update_layout(
        shapes=[*marks.bands(trend), *marks.levels(trend.lines), *marks.infusions(timeline)],
        annotations=[
            *marks.band_words(trend),
            *marks.level_names(trend),
            *marks.infusion_numbers(timeline),
        ],
    )
    figure.update_xaxes(
        range=[timeline.local(timeline.start), timeline.local(timeline.end)],
        nticks=6,
        tickangle=0,
        tickformat="%-d %b" if timeline.end - timeline.start < MONTHS_FROM else "%b %Y",
    )
    figure.update_yaxes(range=_padded(trend), tickvals=_ticks(trend))
    return house_style(figure, legend=len(trend.series) > 1)


def _line(series: Series, style: Style, trend: Trend, timeline: Timeline) -> go.Scatter:
    """The scores in order, with a hole at every gap: no line is drawn over what was not said."""
    steps = list(_with_holes(series.in_time, trend.gaps))
    return go.Scatter(
        name=series.name,
        x=[timeline.local(at) for at, _ in steps],
        y=[None if point is None else float(point.value) for _, point in steps],
        customdata=["" if point is None else _said(point, timeline) for _, point in steps],
        mode="lines+markers",
        connectgaps=False,
        line={"color": style.colour, "width": 2, "dash": style.dash},
        marker={
            "color": style.colour,
            "size": 10,
            "symbol": ["circle" if point is None else symbol(point, style) for _, point in steps],
            "line": {"width": 2, "color": style.colour},
        },
        hovertemplate="%{customdata}<extra></extra>",
        cliponaxis=False,
    )


def symbol(point: Point, style: Style = STYLES[0]) -> str:
    """Square: entered by staff. Open: estimated, because answers were missing."""
    shape = "square" if point.by_staff else style.symbol
    return f"{shape}-open" if point.missing else shape


def _with_holes(
    points: Sequence[Point], gaps: Sequence[Gap]
) -> Iterator[tuple[datetime, Point | None]]:
    steps: list[tuple[datetime, Point | None]] = [(point.at, point) for point in points]
    steps += [(gap.at, None) for gap in gaps]
    yield from sorted(steps, key=lambda step: step[0])


def _late(points: Sequence[Point], style: Style, timeline: Timeline) -> go.Scatter:
    """Answers that came after their window stand alone."""
    return go.Scatter(
        name="late",
        x=[timeline.local(point.at) for point in points],
        y=[float(point.value) for point in points],
        customdata=[_said(point, timeline) for point in points],
        mode="markers",
        marker={"color": style.colour, "size": 9, "symbol": "x-thin-open", "line": {"width": 2}},
        hovertemplate="%{customdata}<extra></extra>",
        showlegend=False,
    )


def _missing(trend: Trend, timeline: Timeline) -> go.Scatter:
    """A hollow tick on the axis for every follow-up without a score."""
    return go.Scatter(
        name="missed",
        x=[timeline.local(gap.at) for gap in trend.gaps],
        y=[float(trend.minimum)] * len(trend.gaps),
        customdata=[f"{_day(gap.at, timeline)}: {_GAPS[gap.kind]}" for gap in trend.gaps],
        mode="markers",
        marker={
            "color": MUTED,
            "size": 10,
            "symbol": "triangle-up-open",
            "line": {"width": 1.5, "color": MUTED},
        },
        hovertemplate="%{customdata}<extra></extra>",
        cliponaxis=False,
        showlegend=False,
    )


_GAPS = {"missed": "missed", "unfinished": "partly answered, no score", "no_score": "no score"}

_MODES = {"phone": ", by telephone", "tablet": ", on the tablet", "staff": ", entered by staff"}


def _said(point: Point, timeline: Timeline) -> str:
    band = f" ({point.band})" if point.band else ""
    return f"{_day(point.at, timeline)}: {point.value}{band}{_MODES.get(point.mode, '')}"


def _day(at: datetime, timeline: Timeline) -> str:
    day = timeline.day(at)
    return f"{day.day} {day:%b %Y}"


def _padded(trend: Trend) -> list[float]:
    """The whole scale, never cut, with a little room so that 0 and the highest score show."""
    low, high = float(trend.minimum), float(trend.maximum)
    pad = (high - low) * 0.03
    return [low - pad, high + pad]


def _ticks(trend: Trend) -> list[float]:
    starts = [float(start) for start, _ in trend.bands]
    if starts:
        room = float(trend.maximum - trend.minimum) * TICK_ROOM
        first, *others = [*starts, float(trend.maximum)]
        return [first, *(tick for tick in others if tick - first >= room)]
    middle = (trend.minimum + trend.maximum) / 2
    return [float(tick) for tick in (trend.minimum, middle, trend.maximum)]


def span(
    moments: Sequence[datetime], *, now: datetime, room: float = 0.15
) -> tuple[datetime, datetime]:
    """The shared axis: from the first event to now or what comes next, with room for names."""
    first, last = min([*moments, now]), max([*moments, now])
    length = max(last - first, timedelta(days=14))
    return first - length * 0.03, last + length * room
