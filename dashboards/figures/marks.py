"""What stands behind and beside the scores: bands, named levels, numbered infusions."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from dashboards.figures.style import INK, MUTED, RULE, text
from dashboards.rows import Line, Mark, Timeline, Trend

LABEL_ROOM = 0.04  # of the axis: two infusion numbers closer than this share one label
LINE_ROOM = 0.075  # of the scale: two named lines closer than this share one label
DASHES = {"baseline": "dash", "response": "dot", "remission": "dashdot"}
BAND_STEP = 0.035  # opacity added from one band to the next worse one


def bands(trend: Trend) -> Iterator[dict[str, object]]:
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


def band_words(trend: Trend) -> Iterator[dict[str, object]]:
    for low, high, word in _steps(trend):
        two_lines = word.replace(" ", "<br>")  # a line break is the one tag without a style
        yield text(two_lines, x=1, y=(low + high) / 2, xanchor="left", xshift=6, align="left")


def _steps(trend: Trend) -> list[tuple[float, float, str]]:
    """(from, to, word) of each severity band; each ends where the next one begins."""
    starts = [float(start) for start, _ in trend.bands]
    ends = [*starts, float(trend.maximum)][1:]
    return [
        (start, end, word) for start, end, (_, word) in zip(starts, ends, trend.bands, strict=True)
    ]


def levels(lines: Sequence[Line]) -> Iterator[dict[str, object]]:
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


def level_names(trend: Trend) -> Iterator[dict[str, object]]:
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
        yield text(name, x=1, y=top, xanchor="right", yanchor="bottom", xshift=-4)


def infusions(timeline: Timeline) -> Iterator[dict[str, object]]:
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


def infusion_numbers(timeline: Timeline) -> Iterator[dict[str, object]]:
    """Numbers above the plot. Infusions too close for a label each share one: "1–6"."""
    room = (timeline.end - timeline.start) * LABEL_ROOM
    for group in _close(timeline.marks, room):
        first, last = group[0], group[-1]
        middle = first.at + (last.at - first.at) / 2
        name = str(first.number) if first is last else f"{first.number}–{last.number}"
        at = timeline.local(middle).isoformat()
        yield text(name, x=at, y=1, xref="x", yref="paper", yanchor="bottom", colour=INK)


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
