"""A chart as a page carries it: a sentence, the drawing, and the same facts as a table."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dashboards import figures, tables, words
from dashboards.queries import Trends
from dashboards.rows import Timeline, Trend


@dataclass(frozen=True, slots=True)
class Chart:
    id: str
    trend: Trend
    sentence: str
    definitions: Sequence[str]
    table: Sequence[tables.TrendRow]
    figure: dict[str, Any]

    @property
    def answers(self) -> int:
        """n: how many scores are drawn."""
        return sum(len(series.points) for series in self.trend.series)


def charts(found: Trends) -> list[Chart]:
    return [_chart(trend, found.timeline) for trend in found.charts]


def _chart(trend: Trend, timeline: Timeline) -> Chart:
    standing = trend.standing
    return Chart(
        id=f"chart-{trend.key}",
        trend=trend,
        sentence=words.standing(standing, timeline.zone) if standing else "",
        definitions=words.definitions(trend.definitions),
        table=tables.trend(trend, timeline),
        figure=json.loads(figures.trend(trend, timeline).to_json()),
    )
