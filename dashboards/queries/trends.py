"""One patient's scores over time, as rows for charts, tables and sentences."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from clinic.models import Course, Infusion, Patient
from dashboards import words
from dashboards.queries.definitions import instrument_of
from dashboards.queries.gaps import gaps
from dashboards.queries.series import series_of
from dashboards.queries.timelines import timeline_of, took_place
from dashboards.rows import (
    Definitions,
    Gap,
    Line,
    Point,
    Series,
    Standing,
    Timeline,
    Trend,
    lost_again,
    newest,
    reference_lines,
)
from surveys.baseline import baseline
from surveys.change import change
from surveys.instruments import Instrument
from surveys.models import Response

MOOD_FIRST = (
    "phq9", "phq8", "gad7", "phq2", "gad2", "pcl5", "mood", "peg", "nrs7", "nrs24", "pgic"
)  # fmt: skip
PAIN_FIRST = (
    "peg", "nrs7", "nrs24", "pgic", "phq9", "phq8", "gad7", "phq2", "gad2", "pcl5", "mood"
)  # fmt: skip
MOOD = frozenset({"depression", "ptsd"})


@dataclass(frozen=True, slots=True)
class Trends:
    """Every chart of a patient, on one time axis."""

    timeline: Timeline
    charts: tuple[Trend, ...]  # the first is the one that answers "is it working?"

    @property
    def headline(self) -> Standing | None:
        return self.charts[0].standing if self.charts else None


def trends(patient: Patient, courses: Sequence[Course], *, now: datetime) -> Trends:
    """Four queries, however long the history."""
    current = current_course(courses)
    infusions = list(_standing_infusions(patient))
    responses = list(_responses(patient))
    missing = gaps(patient, responses, now)
    by_key: dict[str, list[Response]] = defaultdict(list)
    for response in responses:
        if response.finished_at is not None:
            by_key[response.instrument.key].append(response)
    order = _order(current)
    charts = [
        _trend(key, by_key[key], missing.get(key, []), current, infusions)
        for key in sorted(by_key, key=lambda key: order.get(key, 99))
        if key in order
    ]
    return Trends(timeline_of(patient, charts, infusions, now), tuple(filter(None, charts)))


def current_course(courses: Iterable[Course]) -> Course | None:
    """The latest open course, else the latest."""
    known = sorted(courses, key=lambda course: (course.closed_at is None, course.enrolled_at))
    return known[-1] if known else None


def _order(course: Course | None) -> dict[str, int]:
    is_mood = course is None or course.indication in MOOD
    return {key: place for place, key in enumerate(MOOD_FIRST if is_mood else PAIN_FIRST)}


def _standing_infusions(patient: Patient) -> Iterable[Infusion]:
    return Infusion.objects.standing().filter(course__patient=patient).order_by("started_at")


def _responses(patient: Patient) -> Iterable[Response]:
    return (
        Response.objects.filter(patient=patient)
        .select_related("instrument", "follow_up")
        .defer("instrument__text")
        .prefetch_related("scores")
        .order_by("started_at")
    )


def _trend(
    key: str,
    responses: Sequence[Response],
    missing: Sequence[Gap],
    course: Course | None,
    infusions: Sequence[Infusion],
) -> Trend | None:
    instrument = instrument_of(responses[-1].instrument)
    series = [found for scale in instrument.drawn_scales if (found := series_of(responses, scale))]
    if not series:
        return None
    measured = instrument.scale(series[0].scale)
    defined = Definitions(
        instrument.response_percent, instrument.remission_below, instrument.minimal_change
    )
    # What has no thresholds is compared with nothing: mood, and change as the patient sees it.
    start = _baseline(series[0], course, infusions) if defined else None
    title = instrument.wording["en"].title
    return Trend(
        key=key,
        title=title,
        minimum=measured.minimum,
        maximum=measured.maximum,
        higher_is=measured.higher_is,
        bands=measured.bands,
        series=tuple(series),
        gaps=tuple(missing),
        lines=tuple(
            Line(kind, value, words.line_name(kind, value))
            for kind, value in reference_lines(start, defined)
        ),
        definitions=defined,
        baseline=start,
        standing=_standing(title, instrument, series[0], start, defined),
    )


def _baseline(series: Series, course: Course | None, infusions: Sequence[Infusion]) -> Point | None:
    if course is None:
        return None
    given = [i.started_at for i in infusions if i.course_id == course.pk and took_place(i)]
    if not given:
        return None
    return baseline(series.in_time, first_infusion=min(given), enrolled_at=course.enrolled_at)


def _standing(
    title: str, instrument: Instrument, series: Series, start: Point | None, defined: Definitions
) -> Standing | None:
    latest = newest(series.in_time)
    if latest is None:
        return None
    since = None
    if start is not None and latest.at > start.at:
        since = change(instrument, start.exact, latest.exact, scale=series.scale)
    best = lost_again(series.in_time, start, defined)
    return Standing(title, latest, start, since, defined, best)
