"""What an answer means that could not be kept: read off the built-in catalogue, no database."""

from collections.abc import Sequence
from contextlib import suppress

from surveys.instruments import InvalidInstrument, OffScale, SafetyKind, Screen, latest
from surveys.instruments.shape import Answers
from surveys.safety import worries


def unsaved_kinds(name: str, answers: Sequence[str]) -> frozenset[SafetyKind]:
    """What is worrying in `answers` to the question `name`, as its form sends them.

    None for a question that only a clinic's own definition has: its page shows the numbers anyway.
    """
    key, _, screen_key = name.partition("/")
    with suppress(InvalidInstrument, OffScale, StopIteration):
        instrument = latest(key)
        screen = next(screen for screen in instrument.screens if screen.key == screen_key)
        found = worries(instrument, _given(screen, answers))
        return frozenset(worry.kind for worry in found if worry.value is not None)
    return frozenset()


def _given(screen: Screen, answers: Sequence[str]) -> Answers:
    if screen.kind == "ticks":
        return {item: 1 for item in screen.items if item in answers}
    values = [int(answer) for answer in answers if answer.isdecimal()]
    return dict.fromkeys(screen.items, values[0]) if values else {}
