"""Follow-ups for tests, and a patient who answers them through the verbs."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from clinic.actors import patient_link
from clinic.models import Course
from surveys import answering, links
from surveys.models import FollowUp, Response, StepDue
from surveys.questions import paper

HOURS = timedelta(hours=1)


def make_follow_up(
    course: Course,
    instruments: Sequence[str],
    *,
    now: datetime,
    opens: timedelta = -1 * HOURS,
    closes: timedelta = 48 * HOURS,
) -> FollowUp:
    """An open follow-up with one due that asks `instruments`."""
    follow_up_id = uuid.uuid4()
    follow_up = FollowUp.objects.create(
        id=follow_up_id,
        patient=course.patient,
        local_date=(now + opens).date(),
        opens_at=now + opens,
        send_at=now + opens,
        closes_at=now + closes,
        **vars_of(links.new_link(follow_up_id)),
    )
    add_due(follow_up, course, instruments)
    return follow_up


def vars_of(link: links.Link) -> dict[str, object]:
    return {name: getattr(link, name) for name in link.__slots__}


def add_due(follow_up: FollowUp, course: Course, instruments: Sequence[str]) -> StepDue:
    return StepDue.objects.create(
        course=course,
        step=f"T{course.dues.count()}",
        anchor="enrolment",
        target_at=follow_up.opens_at,
        send_at=follow_up.send_at,
        opens_at=follow_up.opens_at,
        closes_at=follow_up.closes_at,
        instruments=list(instruments),
        state=StepDue.State.ASKED,
        follow_up=follow_up,
        revision=course.revision,
    )


def answer(follow_up: FollowUp, name: str, value: int | None, *, now: datetime):
    """Answer one screen `instrument/screen` that has one item."""
    key, _, screen = name.partition("/")
    return answering.record(
        follow_up, key, screen, {screen: value}, by=patient_link(follow_up.pk), now=now
    )


def answer_all(
    follow_up: FollowUp, *, now: datetime, value: int = 0, send: bool = True, **given: int | None
) -> None:
    """Answer every screen with `value`, or what `given` says for an item, then send."""
    by = patient_link(follow_up.pk)
    while (question := paper(follow_up, now=now).first_open()) is not None:
        screen = question.screen
        values = {
            item: given.get(f"i{item}", value if value in screen.values else screen.values[0])
            for item in screen.items
        }
        if screen.kind == "ticks":
            values = {item: 1 for item in screen.items if given.get(f"i{item}") == 1}
        answering.record(follow_up, question.part.key, screen.key, values, by=by, now=now)
    if send:
        answering.finish(follow_up, by=by, now=now)


def the_response(follow_up: FollowUp, key: str) -> Response:
    return follow_up.responses.get(instrument__key=key)
