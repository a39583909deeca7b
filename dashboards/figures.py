"""Rows to Plotly figures. Pure: a figure never knows where its rows came from.

Colours are names of the page's tokens, `var(--ink)`; charts.js puts in what the page shows, light
or dark. Text holds no tags: Plotly would style them inline, which the page forbids.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import plotly.graph_objects as go

from dashboards.rows import Gap, Line, Mark, Point, Series, Timeline, Trend

HEIGHT = 260  # pixels; every chart of a patient has the same, so that steps compare by eye
LABEL_ROOM = 0.04  # of the axis: two infusion numbers closer than this share one label
TICK_ROOM = 0.12  # of the scale: a tick closer than this to 0 is left out
LINE_ROOM = 0.075  # of the scale: two named lines closer than this share one label
INK, MUTED, SURFACE, RULE = "var(--ink)", "var(--muted)", "var(--surface)", "var(--line-strong)"
DASHES = {"baseline": "dash", "response": "dot", "remission": "dashdot"}
MONTHS_FROM = timedelta(days=150)  # a longer axis is told in months
BAND_STEP = 0.035  # opacity added from one band to the next worse one


@dataclass(frozen=True, slots=True)
class Style:
    """Series are told apart by colour, symbol and dash, never by colour alone."""

    colour: str
    symbol: str
    dash: str


STYLES = (
    Style("var(--series-1)", "circle", "solid"),
    Style("var(--series-2)", "diamond", "dash"),
    Style("var(--series-3)", "triangle-up", "dot"),
    Style("var(--series-4)", "cross", "dashdot"),
)


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
        shapes=[*_bands(trend), *_levels(trend.lines), *_infusions(timeline)],
        annotations=[
            *_band_words(trend),
            *_level_names(trend),
            *_infusion_numbers(timeline),
        ],
    )
    figure.update_xaxes(
        range=[timeline.local(timeline.start), timeline.local(timeline.end)],
        nticks=6,
        tickangle=0,
        tickformat="%-d %b" if timeline.end - timeline.start < MONTHS_FROM else "%b %Y",
    )
    figure.update_yaxes(range=_padded(trend), tickvals=_ticks(trend))
    return _house_style(figure, legend=len(trend.series) > 1)


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


def _bands(trend: Trend) -> Iterator[dict[str, object]]:
    for place, (low, high, _) in enumerate(_steps(trend)):
        yield {
            "type": "rect",
            "layer": "below",
            "xref": "paper",
            "x0": 0,
            "x1": 1,
            "y0": low,
            "y1": high,
            "line": {"width": 0},
            "fillcolor": INK,
            "opacity": BAND_STEP * place,
        }


def _band_words(trend: Trend) -> Iterator[dict[str, object]]:
    for low, high, word in _steps(trend):
        two_lines = word.replace(" ", "<br>")  # a line break is the one tag without a style
        yield _text(two_lines, x=1, y=(low + high) / 2, xanchor="left", xshift=6, align="left")


def _steps(trend: Trend) -> list[tuple[float, float, str]]:
    """(from, to, word) of each severity band; each ends where the next one begins."""
    starts = [float(start) for start, _ in trend.bands]
    ends = [*starts, float(trend.maximum)][1:]
    return [
        (start, end, word) for start, end, (_, word) in zip(starts, ends, trend.bands, strict=True)
    ]


def _levels(lines: Sequence[Line]) -> Iterator[dict[str, object]]:
    for line in lines:
        yield {
            "type": "line",
            "layer": "below",
            "xref": "paper",
            "x0": 0,
            "x1": 1,
            "y0": float(line.value),
            "y1": float(line.value),
            "line": {"color": MUTED, "width": 1.25, "dash": DASHES[line.kind]},
        }


def _level_names(trend: Trend) -> Iterator[dict[str, object]]:
    """Each line's name at its right end; lines that almost touch share one label."""
    room = float(trend.maximum - trend.minimum) * LINE_ROOM
    groups: list[list[Line]] = []
    for line in sorted(trend.lines, key=lambda line: -line.value):
        if groups and float(groups[-1][0].value - line.value) < room:
            groups[-1].append(line)
        else:
            groups.append([line])
    for group in groups:
        name = " · ".join(line.name for line in group)
        top = float(group[0].value)
        # Without a background: a name may stand over a score, and must not hide it.
        yield _text(name, x=1, y=top, xanchor="right", yanchor="bottom", xshift=-4)


def _infusions(timeline: Timeline) -> Iterator[dict[str, object]]:
    for mark in timeline.marks:
        at = timeline.local(mark.at).isoformat()
        yield {
            "type": "line",
            "yref": "paper",
            "x0": at,
            "x1": at,
            "y0": 0,
            "y1": 1,
            "line": {"color": RULE, "width": 1, "dash": "solid" if mark.number else "dot"},
        }


def _infusion_numbers(timeline: Timeline) -> Iterator[dict[str, object]]:
    """Numbers above the plot. Infusions too close for a label each share one: "1–6"."""
    room = (timeline.end - timeline.start) * LABEL_ROOM
    for group in _close(timeline.marks, room):
        first, last = group[0], group[-1]
        middle = first.at + (last.at - first.at) / 2
        name = str(first.number) if first is last else f"{first.number}–{last.number}"
        at = timeline.local(middle).isoformat()
        yield _text(name, x=at, y=1, xref="x", yref="paper", yanchor="bottom", colour=INK)


def _close(marks: Sequence[Mark], room: timedelta) -> list[list[Mark]]:
    groups: list[list[Mark]] = []
    for mark in marks:
        if mark.number is None:
            continue
        beside = groups and groups[-1][-1].course == mark.course
        if beside and mark.at - groups[-1][-1].at < room:
            groups[-1].append(mark)
        else:
            groups.append([mark])
    return groups


def _text(
    text: str, *, x: object, y: float, colour: str = MUTED, **more: object
) -> dict[str, object]:
    return {
        "text": text,
        "x": x,
        "y": y,
        "xref": "paper",
        "showarrow": False,
        "font": {"size": 12, "color": colour},
        **more,
    }


def _said(point: Point, timeline: Timeline) -> str:
    band = f" ({point.band})" if point.band else ""
    return f"{_day(point.at, timeline)}: {point.value}{band}"


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


def _house_style(figure: go.Figure, *, legend: bool) -> go.Figure:
    figure.update_layout(
        template="none",
        height=HEIGHT + (24 if legend else 0),
        margin={"l": 32, "r": 84, "t": 24, "b": 32},
        font={"size": 12, "color": MUTED},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        hoverlabel={"bgcolor": SURFACE, "bordercolor": RULE, "font": {"color": INK, "size": 13}},
        hovermode="closest",
        dragmode=False,
        showlegend=legend,
        legend={"orientation": "h", "x": 0, "y": -0.14, "yanchor": "top"},
    )
    axis = {"fixedrange": True, "zeroline": False, "showgrid": False, "ticks": "outside"}
    figure.update_xaxes(
        **axis, linecolor=RULE, tickcolor=RULE, showline=True, nticks=6, tickangle=0
    )
    figure.update_yaxes(**axis, tickcolor=RULE, ticklen=3)
    return figure


def span(
    moments: Sequence[datetime], *, now: datetime, room: float = 0.15
) -> tuple[datetime, datetime]:
    """The shared axis: from the first event to now or what comes next, with room for names."""
    first, last = min([*moments, now]), max([*moments, now])
    length = max(last - first, timedelta(days=14))
    return first - length * 0.03, last + length * room
