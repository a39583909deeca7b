"""The words of one screen, as a patient page shows them. Wording is shown as recorded."""

from dataclasses import dataclass
from datetime import date, datetime, time

from django.utils import formats
from django.utils.translation import pgettext

from surveys.passes import Pass
from surveys.questions import Question


@dataclass(frozen=True, slots=True)
class Words:
    intro: str
    stem: str  # the recall stem, repeated on every screen
    text: str
    low: str
    high: str
    attribution: str


@dataclass(frozen=True, slots=True)
class ReviewLine:
    place: int
    text: str
    answers: tuple[str, ...]  # none: skipped
    is_ours: bool  # given in this browser; others are not shown


def day_words(day: date) -> str:
    """Formatted here, not in a template: a template would turn it to the server's clock."""
    return formats.date_format(day, pgettext("a day", "l, F j"))


def time_words(at: datetime | time) -> str:
    return formats.time_format(at, pgettext("a time of day", "g:i A"))


def words(question: Question) -> Words:
    wording, screen = question.part.wording, question.screen
    is_first = question.part.instrument.screens[0] is screen
    item = screen.items[0]
    return Words(
        intro=(wording.intro or "") if is_first else "",
        stem="" if screen.kind == "ticks" else wording.stems.get(item, ""),
        text=wording.question(screen),
        low=wording.low.get(item, ""),
        high=wording.high.get(item, ""),
        attribution=wording.attribution,
    )


def review_line(question: Question, held: Pass) -> ReviewLine:
    is_ours = held.has(question.name)
    return ReviewLine(
        place=question.place,
        text=words(question).text,
        answers=given(question) if is_ours else (),
        is_ours=is_ours,
    )


def given(question: Question) -> tuple[str, ...]:
    """The chosen words; none where it was skipped."""
    wording, answers = question.part.wording, question.part.answers
    items = question.screen.items
    if all(answers.get(item) is None for item in items):
        return ()
    if question.screen.kind == "ticks":
        ticked = tuple(wording.items[item] for item in items if answers.get(item))
        return ticked or (wording.none_of_these,)
    value = answers[items[0]]
    return () if value is None else (wording.choices[items[0]][value],)
