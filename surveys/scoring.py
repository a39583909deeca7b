"""Turn answers into scores. Pure: no database, no clock, no settings.

Values are exact until the end and rounded half up once; bands and findings read the printed
value. An answer off the scale is refused, never clamped.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor

from surveys.instruments import Finding, Instrument, Scale, SymptomCount
from surveys.instruments.rules import raw
from surveys.instruments.shape import Answers, implied

EXACT_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class ScaleScore:
    scale: str
    value: Decimal | None  # as printed; None is "no score", which is not 0
    exact: Decimal | None  # before rounding, to four decimals
    band: str | None
    missing: int  # scored items without an answer
    prorated: bool
    maximum: Decimal | None = None  # lower than the scale's when an item does not apply


def score(instrument: Instrument, answers: Answers) -> tuple[ScaleScore, ...]:
    """One score per scale, in the definition's order."""
    known = _known(instrument, answers)
    return tuple(_score_scale(instrument, scale, known) for scale in instrument.scales)


def findings(instrument: Instrument, answers: Answers) -> dict[str, bool | None]:
    """What the scores say, yes or no; None when they cannot say."""
    known = _known(instrument, answers)
    values = {s.scale: s.value for s in score(instrument, answers)}
    found = {f.key: _finding(instrument, f, values[f.scale], known) for f in instrument.findings}
    counted = {
        count.key: None if values[count.scale] is None else _has_symptoms(count, known)
        for count in instrument.symptom_counts
    }
    return found | counted


def _known(instrument: Instrument, answers: Answers) -> dict[str, int]:
    """The answers that count: checked, with a closed gate's zeros in place of what is behind."""
    for item, value in answers.items():
        instrument.refuse(item, value)
    with_zeros = {**answers, **implied(instrument, answers)}
    return {item: value for item, value in with_zeros.items() if value is not None}


def _score_scale(instrument: Instrument, scale: Scale, known: Mapping[str, int]) -> ScaleScore:
    left_out = {item for item in scale.items if _does_not_apply(instrument, item, known)}
    items = [item for item in scale.items if item not in left_out]
    given = {item: known[item] for item in items if item in known}
    missing = _missing(scale, items, given)
    needed = [item for item in scale.needs if item not in left_out]
    lacking = missing + sum(item not in known for item in needed if item not in scale.items)
    exact = None if lacking > scale.max_missing else raw(scale, given, items)
    if exact is None:
        return ScaleScore(scale.key, None, None, None, missing, False)
    value = round_half_up(exact, scale.decimals)
    return ScaleScore(
        scale=scale.key,
        value=value,
        exact=round_half_up(exact, EXACT_DECIMALS),
        band=_band(scale, value),
        missing=missing,
        prorated=missing > 0,
        maximum=_maximum(instrument, scale, items),
    )


def _does_not_apply(instrument: Instrument, item: str, known: Mapping[str, int]) -> bool:
    code = instrument.item(item).not_applicable
    return code is not None and known.get(item) == code


def _missing(scale: Scale, items: list[str], given: Mapping[str, int]) -> int:
    """Unanswered items; of alternatives ("either this or that") one answer is enough."""
    unanswered = {item for item in items if item not in given}
    spared = 0
    for group in scale.alternatives:
        silent = len(unanswered.intersection(group))
        spared += silent if silent < len(group) else silent - 1
    return len(unanswered) - spared


def _maximum(instrument: Instrument, scale: Scale, items: list[str]) -> Decimal:
    if len(items) == len(scale.items):
        return scale.maximum
    highest = raw(scale, {key: max(_counted(instrument, key)) for key in items}, items)
    return scale.maximum if highest is None else round_half_up(highest, scale.decimals)


def _counted(instrument: Instrument, key: str) -> list[int]:
    item = instrument.item(key)
    return [value for value in item.values if value != item.not_applicable]


def round_half_up(value: Fraction, decimals: int) -> Decimal:
    """2.5 becomes 3. Scores are not negative; half goes up, towards the higher number."""
    return Decimal(floor(value * 10**decimals + Fraction(1, 2))).scaleb(-decimals)


def _band(scale: Scale, value: Decimal) -> str | None:
    words = [word for start, word in scale.bands if start <= value]
    return words[-1] if words else None


def _finding(
    instrument: Instrument, finding: Finding, value: Decimal | None, known: Mapping[str, int]
) -> bool | None:
    if value is not None:
        return _holds(finding, value)
    if not finding.by_bounds:
        return None
    low, high = (_holds(finding, bound) for bound in _bounds(instrument, finding.scale, known))
    return low if low == high else None


def _holds(finding: Finding, value: Decimal) -> bool:
    if finding.at_least is not None:
        return value >= finding.at_least
    return finding.at_most is not None and value <= finding.at_most


def _bounds(
    instrument: Instrument, scale_key: str, known: Mapping[str, int]
) -> tuple[Decimal, Decimal]:
    """The lowest and highest score that the unanswered items still allow."""
    scale = instrument.scale(scale_key)
    bounds = []
    for pick in (min, max):
        guess: dict[str, int | None] = {
            key: known.get(key, pick(instrument.item(key).values)) for key in scale.needs
        }
        value = _score_scale(instrument, scale, _known(instrument, guess)).value
        bounds.append(scale.minimum if value is None else value)
    return bounds[0], bounds[1]


def _has_symptoms(count: SymptomCount, known: Mapping[str, int]) -> bool:
    return all(
        sum(known.get(item, 0) >= count.symptom_from for item in items) >= needed
        for items, needed in count.groups
    )
