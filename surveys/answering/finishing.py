"""Send the answers: score them, judge the scores, and let the schedule look again."""

from datetime import datetime

from django.db import transaction

from clinic import audit
from clinic.actors import Actor
from clinic.models import Course
from surveys.answering.taking import Unanswered, begin, locked
from surveys.answering.worrying import worry_about_scores
from surveys.models import FollowUp, Response, Score
from surveys.questions import instrument_of_response
from surveys.scoring import ScaleScore, score


@transaction.atomic
def finish(follow_up: FollowUp, *, by: Actor, now: datetime, language: str | None = None) -> None:
    """Sent twice is sent once. Raises Unanswered while a question is open, NotTaken when shut."""
    follow_up = locked(follow_up)
    if follow_up.finished_at is not None:
        return
    asked = begin(follow_up, now=now, language=language)
    responses = list(follow_up.responses.select_related("instrument", "patient__clinic"))
    if asked.first_open() is not None or not responses:
        raise Unanswered
    for response in responses:
        finish_response(response, late=now >= follow_up.closes_at, by=by, now=now)
    follow_up.finished_at = now
    follow_up.save(update_fields=["finished_at"])
    patient = follow_up.patient
    Course.objects.filter(patient=patient).touch(now)
    audit.write(
        by, "send answers", clinic=patient.clinic, now=now, patient=patient, subject=follow_up
    )


def finish_response(response: Response, *, late: bool, by: Actor, now: datetime) -> None:
    """Close one response: its scores beside it, its alerts raised."""
    instrument = instrument_of_response(response)
    scores = score(instrument, response.answers)
    response.finished_at, response.late = now, late
    response.save(update_fields=["finished_at", "late"])
    Score.objects.bulk_create(_row(response, one) for one in scores)
    worry_about_scores(response, instrument, scores, by=by, now=now)


def _row(response: Response, one: ScaleScore) -> Score:
    return Score(
        response=response,
        scale=one.scale,
        value=one.value,
        exact=one.exact,
        band=one.band or "",
        missing=one.missing,
        prorated=one.prorated,
    )
