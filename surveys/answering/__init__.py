"""Answer, skip and send: the writes of answering."""

from surveys.answering.finishing import finish
from surveys.answering.recording import record, skip
from surveys.answering.taking import NotAsked, NotTaken, Unanswered, begin
from surveys.answering.worrying import Recorded

__all__ = ["NotAsked", "NotTaken", "Recorded", "Unanswered", "begin", "finish", "record", "skip"]
