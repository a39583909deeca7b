"""Answers and scores that need a person become alerts here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from clinic.actors import Actor
from surveys import alerts
from surveys.earlier import answers_before, baseline_before, best_before, last_infusion_at
from surveys.instruments import Instrument, SafetyKind
from surveys.models import Response
from surveys.questions import Question
from surveys.safety import Worry, finished_worries, level, worries
from surveys.scoring import ScaleScore


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was worrying in the answers just given, whether or not it was new."""

    worries: tuple[Worry, ...] = ()

    def gave(self, kind: SafetyKind) -> bool:
        """Whether an answer of this kind was given, as opposed to skipped."""
        return any(worry.kind == kind and worry.value is not None for worry in self.worries)


def is_worrying(asked: Question, given: Mapping[str, int | None]) -> bool:
    """Whether an answer, as opposed to a skip, needs a person by itself."""
    return any(worry.value is not None for worry in worries(asked.part.instrument, given))


def worry_about(
    response: Response,
    asked: Question,
    given: Mapping[str, int | None],
    changed: Sequence[str],
    *,
    by: Actor,
    now: datetime,
) -> Recorded:
    """Raise what needs a person. An answer that only came again is worrying, but not news."""
    instrument = asked.part.instrument
    infused_at = last_infusion_at(response.patient, now)
    found = worries(
        instrument,
        given,
        asked=asked.screen.items,
        since_infusion=None if infused_at is None else now - infused_at,
    )
    if response.alerts.exists():
        for item in changed:
            alerts.note_change(response, item, given[item], now=now)
    for worry in found:
        if worry.item in changed:
            _raise(response, instrument, worry, by=by, now=now)
    return Recorded(found)


def worry_about_scores(
    response: Response,
    instrument: Instrument,
    scores: Sequence[ScaleScore],
    *,
    by: Actor,
    now: datetime,
) -> None:
    """A high or a worse total; a safety item that was asked and has no answer."""
    silent = worries(instrument, response.answers, asked=instrument.asked(response.answers))
    found = finished_worries(
        instrument,
        response.answers,
        scores,
        baseline=baseline_before(response) if instrument.watches else {},
        best=best_before(response) if instrument.watches else {},
    )
    heard = {alert.trigger.partition("=")[0] for alert in response.alerts.all()}
    unheard = (worry for worry in silent if worry.value is None and worry.item not in heard)
    for worry in (*found, *unheard):
        _raise(response, instrument, worry, by=by, now=now)


def _raise(
    response: Response, instrument: Instrument, worry: Worry, *, by: Actor, now: datetime
) -> None:
    alerts.raise_for(
        response,
        worry,
        level=level(worry, history=answers_before(response, worry.item)),
        version=instrument.version,
        by=by,
        now=now,
    )
