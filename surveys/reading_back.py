"""What a patient may read back: the own trend, after sending, and when there is none. Reads only.

One reason is enough to show nothing, and no page says which it was.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from django.db.models import Q

from clinic.models import Course
from surveys.baseline import baseline
from surveys.doors import Door, door
from surveys.earlier import course_of, first_infusion_at
from surveys.instruments import Instrument, Scale, split_name
from surveys.models import Alert, FollowUp, Response, Score, StepDue
from surveys.own_trend import OwnPoint, OwnTrend, is_worse
from surveys.questions import instrument_of_response

# Of one scale: when it was finished, the score as printed and exact; none of both is "no score".
_Row = tuple[datetime, Decimal | None, Decimal | None]
_AS_ASKED = ("started_at", "instrument__key")
_History = Mapping[tuple[str, str], Sequence[_Row]]


def own_trends(follow_up: FollowUp, *, now: datetime) -> tuple[OwnTrend, ...]:
    """Of each instrument answered on this follow-up, its way from the baseline to here.

    Empty where the clinic does not show it; without two scores to compare; after late answers;
    beside an alert; after a thought of suicide; and, for all of them, when one has become worse.
    """
    if not _may_be_shown(follow_up, now):
        return ()
    responses = list(follow_up.responses.select_related("instrument").order_by(*_AS_ASKED))
    course = course_of(responses[0]) if responses else None
    begun = first_infusion_at(course) if course else None
    if course is None or begun is None or any(map(_told_of_thoughts, responses)):
        return ()
    history, asked = _history(follow_up, responses), _asked_in_vain(follow_up)
    found: list[OwnTrend] = []
    for instrument in map(instrument_of_response, responses):
        if _has_become_worse(instrument, history, course, begun):
            return ()
        found += _trend(instrument, history, asked, course, begun, follow_up)
    return tuple(found)


def _may_be_shown(follow_up: FollowUp, now: datetime) -> bool:
    sent_at = follow_up.finished_at
    if not follow_up.patient.clinic.shows_own_trend or door(follow_up, now=now) is not Door.SENT:
        return False
    if sent_at is None or sent_at >= follow_up.closes_at:
        return False
    of_this_or_open = Q(follow_up=follow_up) | Q(closed_at=None)
    return not Alert.objects.filter(of_this_or_open, patient=follow_up.patient_id).exists()


def _told_of_thoughts(response: Response) -> bool:
    """Whether a suicide item has, or had before it was changed, any answer but 0; or none."""
    items = {
        item.key
        for item in instrument_of_response(response).items
        if item.safety is not None and item.safety.kind == "suicide"
    }
    earlier = [value for key, value, _ in response.replaced if key in items]
    return any(value != 0 for value in [*earlier, *map(response.answers.get, items)])


def _history(follow_up: FollowUp, responses: Iterable[Response]) -> _History:
    """Scores answered in time, up to now, by instrument and scale, in order."""
    counted = Response.objects.for_outcomes().filter(
        patient=follow_up.patient_id,
        instrument__key__in={response.instrument.key for response in responses},
        finished_at__lte=follow_up.finished_at,
    )
    rows = Score.objects.filter(response__in=counted).order_by("response__finished_at")
    found: dict[tuple[str, str], list[_Row]] = defaultdict(list)
    for key, scale, at, value, exact in rows.values_list(
        "response__instrument__key", "scale", "response__finished_at", "value", "exact"
    ):
        if at is not None:
            found[key, scale].append((at, value, exact))
    return found


def _asked_in_vain(follow_up: FollowUp) -> list[tuple[datetime, frozenset[str]]]:
    """When a step passed without an answer, and the instruments it asked."""
    passed = StepDue.objects.filter(
        course__patient=follow_up.patient_id,
        state=StepDue.State.EXPIRED,
        target_at__lt=follow_up.finished_at,
    )
    return [
        (at, frozenset(split_name(name)[0] for name in names))
        for at, names in passed.values_list("target_at", "instruments")
    ]


def _has_become_worse(
    instrument: Instrument, history: _History, course: Course, begun: datetime
) -> bool:
    return any(
        is_worse(instrument, scale, _of_course(_points(history, instrument, scale), course, begun))
        for scale in instrument.drawn_scales
    )


def _trend(
    instrument: Instrument,
    history: _History,
    asked: Iterable[tuple[datetime, frozenset[str]]],
    course: Course,
    begun: datetime,
    follow_up: FollowUp,
) -> Iterator[OwnTrend]:
    """What has no change that matters is compared with nothing: mood, and change as one sees it."""
    scale, key = instrument.drawn_scales[0], instrument.key
    points = _points(history, instrument, scale)
    start = baseline(points, first_infusion=begun, enrolled_at=course.enrolled_at)
    if instrument.minimal_change is None or start is None:
        return
    shown = tuple(point for point in points if point.at >= start.at)
    if shown[-1].at == start.at or shown[-1].at != follow_up.finished_at:
        return
    without = [at for at, value, _ in history[key, scale.key] if value is None]
    without += [at for at, keys in asked if key in keys]
    yield OwnTrend(
        key=key,
        title=instrument.wording["en"].title,
        scale=scale,
        points=shown,
        gaps=tuple(sorted(at for at in without if start.at < at < shown[-1].at)),
    )


def _points(history: _History, instrument: Instrument, scale: Scale) -> list[OwnPoint]:
    return [
        OwnPoint(at, value, exact)
        for at, value, exact in history.get((instrument.key, scale.key), ())
        if value is not None and exact is not None
    ]


def _of_course(points: list[OwnPoint], course: Course, begun: datetime) -> list[OwnPoint]:
    """Since enrolment, or since a baseline that an earlier course has left."""
    start = baseline(points, first_infusion=begun, enrolled_at=course.enrolled_at)
    since = min(course.enrolled_at, start.at) if start else course.enrolled_at
    return [point for point in points if point.at >= since]
