"""One patient's scores over time, as rows for charts, tables and sentences."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from clinic.models import Course, Infusion, Patient
from dashboards import figures, words
from dashboards.queries.definitions import drawn_scales, instrument_of, printed
from dashboards.queries.gaps import gaps
from dashboards.rows import (
    Definitions,
    Gap,
    Line,
    Mark,
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
from surveys.instruments import Instrument, Scale
from surveys.models import Response, Score

MOOD_FIRST = (
    "phq9", "phq8", "gad7", "phq2", "gad2", "pcl5", "mood", "peg", "nrs7", "nrs24", "pgic"
)  # fmt: skip
PAIN_FIRST = (
    "peg", "nrs7", "nrs24", "pgic", "phq9", "phq8", "gad7", "phq2", "gad2", "pcl5", "mood"
)  # fmt: skip
MOOD = frozenset({"depression", "ptsd"})
STAFF_ENTERED = (Response.Mode.STAFF, Response.Mode.PHONE)


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
    return Trends(_timeline(patient, charts, infusions, now), tuple(filter(None, charts)))


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
    series = [found for scale in drawn_scales(instrument) if (found := _series(responses, scale))]
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


def _series(responses: Sequence[Response], scale: Scale) -> Series | None:
    points = [
        point
        for response in responses
        for score in response.scores.all()
        if score.scale == scale.key and (point := _point(response, score, scale))
    ]
    return Series(scale.key, scale.key, tuple(points)) if points else None


def _point(response: Response, score: Score, scale: Scale) -> Point | None:
    if response.finished_at is None or score.value is None or score.exact is None:
        return None
    return Point(
        at=response.finished_at,
        value=printed(score.value, scale),
        exact=score.exact,
        band=score.band or _chosen_words(response, scale),
        missing=score.missing,
        by_staff=response.mode in STAFF_ENTERED,
        late=response.late,
    )


def _chosen_words(response: Response, scale: Scale) -> str:
    """One question with a word for each answer says what its number means (PGIC)."""
    if len(scale.items) != 1:
        return ""
    item = scale.items[0]
    choices = instrument_of(response.instrument).wording["en"].choices.get(item, {})
    answer = response.answers.get(item)
    chosen = choices.get(answer, "") if answer is not None else ""
    return "" if chosen.isdigit() else chosen.lower()


def _baseline(series: Series, course: Course | None, infusions: Sequence[Infusion]) -> Point | None:
    if course is None:
        return None
    given = [i.started_at for i in infusions if i.course_id == course.pk and _took_place(i)]
    if not given:
        return None
    return baseline(series.in_time, first_infusion=min(given), enrolled_at=course.enrolled_at)


def _took_place(infusion: Infusion) -> bool:
    return infusion.status == Infusion.Status.COMPLETED


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


def _timeline(
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
        given = _took_place(infusion)
        numbers[infusion.course_id] += given
        yield Mark(
            at=infusion.started_at,
            number=numbers[infusion.course_id] if given else None,
            stopped_early=infusion.stopped_early,
            course=str(infusion.course_id),
        )
