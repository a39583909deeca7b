"""Answers that a member takes down on the telephone, asking as the patient's own page asks.

They are kept, judged and sent by the verbs that keep a patient's own, under the same lock: both may
answer at the same time. What is apart is who may, and what the response says of how it came.
"""

from datetime import datetime

from django.db import transaction

from clinic.access import demand
from clinic.actors import Actor
from surveys import alerts
from surveys.answering.finishing import finish
from surveys.answering.recording import record
from surveys.answering.safe_now import say_how_safe
from surveys.answering.worrying import Recorded
from surveys.instruments.shape import Answers
from surveys.models import Alert, FollowUp, Response
from surveys.questions import Question


@transaction.atomic
def enter(
    follow_up: FollowUp, asked: Question, values: Answers, *, by: Actor, now: datetime
) -> Recorded:
    """Keep the answers of one screen, like `record`."""
    _demand(follow_up, by)
    return record(
        follow_up,
        asked.part.key,
        asked.screen.key,
        values,
        by=by,
        now=now,
        language=asked.part.language,
        mode=Response.Mode.PHONE,
    )


@transaction.atomic
def send(follow_up: FollowUp, *, by: Actor, now: datetime, language: str | None = None) -> None:
    _demand(follow_up, by)
    finish(follow_up, by=by, now=now, language=language)


@transaction.atomic
def hear_how_safe(follow_up: FollowUp, safe: str, phone: str, *, by: Actor, now: datetime) -> None:
    """What the patient says to the safety question, and a number for today."""
    _demand(follow_up, by)
    say_how_safe(follow_up, safe, phone, by=by, now=now)


@transaction.atomic
def call_for_help(follow_up: FollowUp, *, by: Actor, now: datetime) -> Alert:
    """The patient needs help now, whatever was asked."""
    _demand(follow_up, by)
    return alerts.help_now(follow_up, by=by, now=now)


def _demand(follow_up: FollowUp, by: Actor) -> None:
    demand(by, "enter answers", follow_up.patient.clinic)
