"""The time axis that a patient's charts share, with the infusions on it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from clinic.models import Infusion, Patient
from dashboards import figures
from dashboards.rows import (
    Mark,
    Timeline,
    Trend,
)


def timeline_of(
    patient: Patient, charts: Sequence[Trend | None], infusions: Sequence[Infusion], now: datetime
) -> Timeline:
    drawn = [chart for chart in charts if chart is not None]
    moments = [point.at for chart in drawn for series in chart.series for point in series.points]
    moments += [gap.at for chart in drawn for gap in chart.gaps]
    moments += [infusion.started_at for infusion in infusions]
    start, end = figures.span(moments or [patient.enrolled_at], now=now)
    return Timeline(patient.clinic.tz, start, end, tuple(_marks(infusions)))


def _marks(infusions: Sequence[Infusion]) -> Iterable[Mark]:
    numbers: dict[UUID, int] = defaultdict(int)
    for infusion in infusions:
        given = took_place(infusion)
        numbers[infusion.course_id] += given
        yield Mark(
            at=infusion.started_at,
            number=numbers[infusion.course_id] if given else None,
            stopped_early=infusion.stopped_early,
            course=str(infusion.course_id),
        )


def took_place(infusion: Infusion) -> bool:
    return infusion.status == Infusion.Status.COMPLETED
