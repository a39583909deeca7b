"""Keep the answers of one screen.

Each screen is kept before the next one is drawn, and an answer that needs a person raises its
alert in the same transaction: many people close the page right after it. The row of the
follow-up is locked first, so that two tabs, a double tap and a replay come one after the other.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from clinic import audit
from clinic.actors import Actor
from surveys.answering.taking import NotAsked, NotTaken, locked, question
from surveys.answering.worrying import Recorded, is_worrying, worry_about
from surveys.doors import Door, door
from surveys.instruments import OffScale, completed
from surveys.instruments.shape import Answers
from surveys.models import FollowUp, Response
from surveys.questions import Part, Question

_NEAREST: list[str] = [Response.Mode.LINK, Response.Mode.TABLET, Response.Mode.PHONE]


@transaction.atomic
def record(
    follow_up: FollowUp,
    key: str,
    screen: str,
    values: Answers,
    *,
    by: Actor,
    now: datetime,
    language: str | None = None,
    mode: str = Response.Mode.LINK,
) -> Recorded:
    """Keep the answers of one screen. Raises OffScale, NotAsked or NotTaken, and keeps nothing.

    On a screen of ticks `values` may name only what was ticked. An answer of None is a skip.
    What is answered again after sending stands as it was sent, but a worrying answer is heard.
    So is one on a page drawn before its step was cancelled or its follow-up replaced; of such a
    page nothing else is kept.
    """
    follow_up = locked(follow_up)
    asked = question(follow_up, f"{key}/{screen}", now=now, language=language)
    given = completed(asked.part.instrument, asked.screen, _checked(asked, values))
    if not asked.stands and not is_worrying(asked, given):
        raise NotTaken(Door.OVER) if door(follow_up, now=now) is Door.OVER else NotAsked
    response = asked.part.response or _new_response(follow_up, asked.part, now)
    response.patient = follow_up.patient  # read already, with the clinic
    changed = [item for item in given if _is_new(response, item, given[item])]
    if changed and follow_up.finished_at is None:
        _mark(response, mode, by)
        _keep(response, asked.part, given, changed, now)
        _stamp(follow_up, asked.part.language, now)
        _write_audit(response, changed, by=by, now=now)
    return worry_about(response, asked, given, changed, by=by, now=now)


def _checked(asked: Question, values: Answers) -> Answers:
    """Only this screen's items, each with a value that the screen offers, or skipped."""
    screen = asked.screen
    if set(values) - set(screen.items) or (screen.kind != "ticks" and not values):
        raise OffScale("these are not the items of this screen")
    for item, value in values.items():
        asked.part.instrument.refuse(item, value)
        if value is not None and value not in screen.values:
            raise OffScale(f"the screen does not offer {value}")
    return values


def _new_response(follow_up: FollowUp, part: Part, now: datetime) -> Response:
    if follow_up.finished_at is not None:
        raise NotTaken(Door.SENT)
    return Response(
        patient=follow_up.patient,
        follow_up=follow_up,
        instrument=part.definition,
        started_at=now,
    )


def _is_new(response: Response, item: str, value: int | None) -> bool:
    return item not in response.answers or response.answers[item] != value


def _mark(response: Response, mode: str, by: Actor) -> None:
    """One answer taken down by staff, or given on the clinic's tablet, marks the whole response: a
    score says the most that came between the patient and it."""
    if _NEAREST.index(mode) >= _NEAREST.index(response.mode):
        response.mode, response.entered_by = mode, by.member


def _keep(
    response: Response,
    part: Part,
    given: Mapping[str, int | None],
    changed: Sequence[str],
    now: datetime,
) -> None:
    """Merge the answers. One that is replaced stays readable beside the new one."""
    response.replaced += [
        [item, response.answers[item], response.answered_at[item]]
        for item in changed
        if item in response.answers
    ]
    response.answers |= {item: given[item] for item in changed}
    response.answered_at |= dict.fromkeys(changed, now.isoformat())
    response.subset, response.language = part.subset, part.language
    response.wording_sha256 = part.wording_sha256
    response.save()


def _stamp(follow_up: FollowUp, language: str, now: datetime) -> None:
    """The first answer begins it, never a click; the language it is given in is remembered.
    What was withdrawn is not begun any more."""
    if follow_up.withdrawn_at is not None:
        return
    follow_up.started_at = follow_up.started_at or now
    follow_up.language = language
    follow_up.save(update_fields=["started_at", "language"])


def _write_audit(response: Response, changed: Sequence[str], *, by: Actor, now: datetime) -> None:
    replaced = {item for item, *_ in response.replaced}
    audit.write(
        by,
        "change answer" if replaced.intersection(changed) else "answer",
        clinic=response.patient.clinic,
        now=now,
        patient=response.patient,
        subject=response,
        fields=[f"item_{item.replace('-', '_').lower()}" for item in changed],
    )
