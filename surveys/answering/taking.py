"""May this be answered now, and does it stand before this patient?"""

from dataclasses import replace
from datetime import datetime

from surveys.doors import Door, door
from surveys.models import FollowUp
from surveys.questions import Paper, Question, paper


class NotTaken(Exception):
    """This follow-up takes no answers now."""

    def __init__(self, state: Door) -> None:
        super().__init__(state.value)
        self.door = state


class NotAsked(Exception):
    """This question does not stand before this patient."""


class Unanswered(Exception):
    """Something asked has neither an answer nor a deliberate skip."""


def begin(follow_up: FollowUp, *, now: datetime, language: str | None = None) -> Paper:
    """What is to be answered now. Writes nothing: only an answer shows that somebody is there."""
    state = door(follow_up, now=now)
    if state not in (Door.OPEN, Door.LATE):
        raise NotTaken(state)
    return paper(follow_up, now=now, language=language)


def locked(follow_up: FollowUp) -> FollowUp:
    """The follow-up as it is now. Only its own row is locked, not the patient's.

    Two reads: what PostgreSQL joins to a row it waited for may be older than the row.
    """
    FollowUp.objects.select_for_update(no_key=True).get(pk=follow_up.pk)
    return FollowUp.objects.select_related("patient__clinic").get(pk=follow_up.pk)


def question(follow_up: FollowUp, name: str, *, now: datetime, language: str | None) -> Question:
    """A question by name, if it stands before this patient, or stood there when the page was
    drawn: its step may have been cancelled or replaced since."""
    state = door(follow_up, now=now)
    if state is Door.SHUT:
        raise NotTaken(state)
    found = paper(follow_up, now=now, language=language).named(name)
    if found is not None:
        return replace(found, stands=state is not Door.OVER)
    gone = paper(follow_up, now=now, language=language, gone_too=True).named(name)
    if gone is None:
        raise NotAsked
    return replace(gone, stands=False)
