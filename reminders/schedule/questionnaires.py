"""The built-in questionnaires, as the schedule sees them."""

from collections.abc import Iterator, Mapping
from functools import cache

from reminders.schedule.facts import InstrumentFacts
from surveys import instruments


@cache
def instrument_facts(
    language: str, switched_on: frozenset[str] = frozenset()
) -> Mapping[str, InstrumentFacts]:
    """By key, as offered in this language. `switched_on`: texts a clinic uses knowingly."""
    return {
        key: _facts(instruments.latest(key), language, switched_on)
        for key in sorted({key for key, _ in instruments.available()})
    }


def _facts(
    instrument: instruments.Instrument, language: str, switched_on: frozenset[str]
) -> InstrumentFacts:
    return InstrumentFacts(
        offered=instruments.offered(instrument, language, switched_on=switched_on),
        offered_parts=frozenset(_parts(instrument, language, switched_on)),
        min_interval=instrument.min_interval,
        suicide_item=any(i.safety and i.safety.kind == "suicide" for i in instrument.items),
    )


def _parts(
    instrument: instruments.Instrument, language: str, switched_on: frozenset[str]
) -> Iterator[str]:
    """Items that are a scale of their own and have this language's words: weekly pain in
    Spanish has its average and its worst, but not its least."""
    for scale in instrument.scales:
        if len(scale.needs) == 1:
            part = instruments.select(instrument, scale.needs)
            if instruments.offered(part, language, switched_on=switched_on):
                yield scale.needs[0]
