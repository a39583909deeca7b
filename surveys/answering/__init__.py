"""Answer and send: the writes of answering."""

from surveys.answering.finishing import finish
from surveys.answering.recording import record
from surveys.answering.safe_now import say_how_safe
from surveys.answering.taking import NotAsked, NotTaken, Unanswered, begin, question
from surveys.answering.worrying import Recorded

__all__ = [
    "NotAsked",
    "NotTaken",
    "Recorded",
    "Unanswered",
    "begin",
    "finish",
    "question",
    "record",
    "say_how_safe",
]
