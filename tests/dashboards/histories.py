"""A patient's history for the pages: infusions, answers, silence, e-mails."""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta

from clinic import infusions
from clinic.infusions import InfusionDetails
from clinic.models import Course, Definition, Infusion, Patient
from reminders import planning
from surveys.answering.finishing import finish_response
from surveys.links import new_link
from surveys.models import FollowUp, Response, StepDue
from tests.builders import BY_TEST


def make_infusion(course: Course, at: datetime, *, now: datetime | None = None) -> Infusion:
    status = Infusion.Status.PLANNED if now and at > now else Infusion.Status.COMPLETED
    details = InfusionDetails(started_at=at, status=status)
    return infusions.log(course, details, by=BY_TEST, now=now or at)


def make_answer(
    patient: Patient,
    key: str,
    answers: Mapping[str, int | None],
    at: datetime,
    *,
    mode: str = "link",
    late: bool = False,
) -> Response:
    """Finished and scored by production's own rule."""
    response = Response.objects.create(
        patient=patient,
        instrument=Definition.objects.built_in().get(kind="instrument", key=key),
        language="en",
        wording_sha256="0" * 64,
        mode=mode,
        answers=dict(answers),
        answered_at=dict.fromkeys(answers, at.isoformat()),
        started_at=at - timedelta(minutes=3),
    )
    finish_response(response, late=late, by=BY_TEST, now=at)
    return response


def phq9(total: int, item9: int = 0) -> dict[str, int | None]:
    """Answers that add up to `total`, with question 9 as given."""
    left, answers = total - item9, {}
    for key in "12345678":
        answers[key] = min(3, left)
        left -= answers[key]
    assert left == 0
    return {**answers, "9": item9, "10": 1}


def spread(total: int, items: int, most: int) -> dict[str, int | None]:
    left, answers = total, {}
    for number in range(1, items + 1):
        answers[str(number)] = min(most, left)
        left -= answers[str(number)]
    return answers


def make_missed(
    course: Course, step: str, names: list[str], at: datetime, *, state: str = "expired"
) -> StepDue:
    """A follow-up whose window passed in silence."""
    pk = uuid.uuid4()
    link = new_link(pk)
    follow_up = FollowUp.objects.create(
        pk=pk,
        patient=course.patient,
        local_date=at.date(),
        opens_at=at,
        send_at=at,
        closes_at=at + timedelta(days=3),
        link_nonce=link.link_nonce,
        link_key_id=link.link_key_id,
        link_digest=link.link_digest,
        unsubscribe_digest=link.unsubscribe_digest,
    )
    return StepDue.objects.create(
        course=course,
        step=step,
        anchor="last_infusion",
        occurrence=StepDue.objects.filter(course=course).count() + 1,
        target_at=at,
        send_at=at,
        opens_at=at,
        closes_at=at + timedelta(days=3),
        instruments=names,
        state=state,
        reason="missed",
        follow_up=follow_up,
        revision=1,
    )


def planned(patient: Patient, now: datetime) -> None:
    planning.reconcile(patient, now=now, by=BY_TEST)
