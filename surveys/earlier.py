"""What a patient answered and scored before, as the safety rules need it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from clinic.models import Course, Infusion, Patient
from surveys.baseline import baseline
from surveys.models import Response, Score


@dataclass(frozen=True, slots=True)
class EarlierScore:
    at: datetime
    exact: Decimal


def last_infusion_at(patient: Patient, now: datetime) -> datetime | None:
    given = Infusion.objects.completed().filter(course__patient=patient, started_at__lte=now)
    return given.order_by("-started_at").values_list("started_at", flat=True).first()


def answers_before(response: Response, item: str) -> list[int]:
    """This patient's earlier answers to one item, in the order in which they were given.

    Late and unsent ones count: they were said. Skipped ones are not answers.
    """
    others = Response.objects.filter(
        patient=response.patient, instrument__key=response.instrument.key
    ).exclude(pk=response.pk)
    return [value for _, value in in_order(others.only("answers", "answered_at"), item)]


def in_order(responses: Iterable[Response], item: str) -> list[tuple[datetime, int]]:
    """When one item was answered and how, in that order. Skipped ones are left out."""
    return sorted(
        (datetime.fromisoformat(response.answered_at[item]), response.answers[item])
        for response in responses
        if response.answers.get(item) is not None and item in response.answered_at
    )


def baseline_before(response: Response) -> dict[str, Decimal]:
    """By scale, what this course's scores are compared with."""
    course = course_of(response)
    first = first_infusion_at(course) if course else None
    if course is None or first is None:
        return {}
    found = {
        scale: baseline(scores, first_infusion=first, enrolled_at=course.enrolled_at)
        for scale, scores in _scores_before(response).items()
    }
    return {scale: score.exact for scale, score in found.items() if score is not None}


def best_before(response: Response) -> dict[str, Decimal]:
    """By scale, the lowest score of this course so far."""
    course = course_of(response)
    since = course.enrolled_at if course else response.patient.enrolled_at
    of_course = {
        scale: [score.exact for score in scores if score.at >= since]
        for scale, scores in _scores_before(response).items()
    }
    return {scale: min(values) for scale, values in of_course.items() if values}


def course_of(response: Response) -> Course | None:
    """The course this answer belongs to: the newest of those its follow-up serves."""
    asking = Course.objects.filter(dues__follow_up=response.follow_up_id).distinct()
    if response.follow_up_id is None:
        asking = Course.objects.filter(patient=response.patient)
    return asking.order_by("-enrolled_at").first()


def first_infusion_at(course: Course) -> datetime | None:
    given = course.infusions.filter(status=Infusion.Status.COMPLETED).order_by("started_at")
    return given.values_list("started_at", flat=True).first()


def _scores_before(response: Response) -> dict[str, list[EarlierScore]]:
    """Valid scores of the same instrument, answered in time, by scale."""
    responses = Response.objects.for_outcomes().filter(
        patient=response.patient, instrument__key=response.instrument.key
    )
    scores = Score.objects.filter(response__in=responses.exclude(pk=response.pk))
    by_scale: dict[str, list[EarlierScore]] = {}
    for score in scores.select_related("response"):
        at = score.response.finished_at
        if score.exact is not None and at is not None:
            by_scale.setdefault(score.scale, []).append(EarlierScore(at, score.exact))
    return by_scale
