"""Which single answers, and which finished scores, need a person. Pure.

An answer is judged as it was given, whatever the total says and also when there is none. An
unanswered safety item is a state of its own, never 0. Nothing here ever means "safe".
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from surveys.instruments import Instrument, Level, SafetyKind, SafetyRule, Watch
from surveys.instruments.shape import Answers
from surveys.instruments.soundness import RANK
from surveys.scoring import ScaleScore

WorryLevel = Literal["review", "urgent", "critical", "not_answered"]
NO_SCORES: Mapping[str, Decimal] = {}


@dataclass(frozen=True, slots=True)
class Worry:
    item: str  # the item; for a finished score its scale
    value: int | None
    level: WorryLevel  # the floor: history may raise it, nothing lowers it
    rule: str
    kind: SafetyKind = "other"
    because: SafetyRule | None = None  # None for a finished score


def worries(
    instrument: Instrument,
    answers: Answers,
    *,
    asked: Collection[str] | None = None,
    since_infusion: timedelta | None = None,
) -> tuple[Worry, ...]:
    """The answers that need a person, at their item's floor.

    `asked` names items that stood before the patient: without an answer they count as skipped.
    `since_infusion`: None, not known, is treated as long enough.
    """
    for item, value in answers.items():
        instrument.refuse(item, value)
    looked_at = set(answers) | set(asked or ())
    found = (
        _worry(item.key, item.safety, answers.get(item.key), since_infusion)
        for item in instrument.items
        if item.safety is not None and item.key in looked_at
    )
    return tuple(worry for worry in found if worry is not None)


def _worry(
    item: str, rule: SafetyRule, value: int | None, since_infusion: timedelta | None
) -> Worry | None:
    if value is None:
        if not rule.skipped:
            return None
        return Worry(item, None, "not_answered", rule.name, rule.kind, rule)
    floors = [floor for floor in _floors(rule, value, since_infusion) if floor is not None]
    if not floors:
        return None
    return Worry(item, value, highest(*floors), rule.name, rule.kind, rule)


def _floors(
    rule: SafetyRule, value: int, since_infusion: timedelta | None
) -> tuple[Level | None, ...]:
    is_later = rule.later_from is not None and (
        since_infusion is None or since_infusion >= rule.later_from
    )
    return rule.levels.get(value), rule.later_levels.get(value) if is_later else None


def highest(*levels: Level) -> Level:
    return max(levels, key=RANK.__getitem__)


def level(worry: Worry, *, history: Sequence[int]) -> Level:
    """The floor raised by what this patient answered before, oldest first; never lowered.

    A deliberate skip is reviewed. A first ever positive answer, or a rise since the last one,
    and a symptom that stays, are what the item's rule says.
    """
    if worry.level == "not_answered" or worry.value is None:
        return "review"
    return highest(worry.level, *_raised(worry.because, worry.value, history))


def _raised(rule: SafetyRule | None, value: int, history: Sequence[int]) -> Iterator[Level]:
    if rule is None:
        return
    if rule.rise is not None and (not history or value > history[-1]):
        yield rule.rise
    if rule.repeated is not None and _stays(rule, value, history):
        yield rule.repeated


def _stays(rule: SafetyRule, value: int, history: Sequence[int]) -> bool:
    """This high now and the time before."""
    if rule.repeated_from is None or not history:
        return False
    return min(value, history[-1]) >= rule.repeated_from


def finished_worries(
    instrument: Instrument,
    answers: Answers,
    scores: Sequence[ScaleScore],
    *,
    baseline: Mapping[str, Decimal] = NO_SCORES,
    best: Mapping[str, Decimal] = NO_SCORES,
) -> tuple[Worry, ...]:
    """The scores that need a person once an instrument is finished.

    `baseline` and `best` are earlier exact scores by scale; best is the lowest so far. One score is
    one worry: of several rules that hold, the one with the highest level.
    """
    by_scale = {score.scale: score for score in scores}
    holding = [
        watch
        for watch in instrument.watches
        if _holds(watch, by_scale.get(watch.scale), baseline, best)
    ]
    mildest_first = sorted(holding, key=lambda watch: RANK[_reached(watch, answers)])
    worst = {watch.scale: watch for watch in mildest_first}
    return tuple(_watched(watch, answers, by_scale[scale]) for scale, watch in worst.items())


def _holds(
    watch: Watch,
    score: ScaleScore | None,
    baseline: Mapping[str, Decimal],
    best: Mapping[str, Decimal],
) -> bool:
    if score is None or score.value is None or score.exact is None:
        return False
    if watch.at_least is not None and score.value < watch.at_least:
        return False
    if watch.rise is None:
        return True
    earlier = [baseline.get(watch.scale)]
    if watch.since == "best":
        earlier.append(best.get(watch.scale))
    known = [value for value in earlier if value is not None]
    return bool(known) and score.exact - min(known) >= watch.rise


def _watched(watch: Watch, answers: Answers, score: ScaleScore) -> Worry:
    value = None if score.value is None else int(score.value)
    return Worry(watch.scale, value, _reached(watch, answers), watch.name)


def _reached(watch: Watch, answers: Answers) -> Level:
    """With ideation the same rise is more than a reason to review."""
    with_ideation = watch.with_item is not None and bool(answers.get(watch.with_item))
    return watch.with_level if with_ideation and watch.with_level is not None else watch.level
