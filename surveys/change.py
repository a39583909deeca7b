"""Two scores -> did it get better, and does the change matter? Pure and exact.

The baseline is chosen by the caller, by name: there is no change without one.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from surveys.instruments import Instrument, OffScale, Scale


@dataclass(frozen=True, slots=True)
class Change:
    improvement: Decimal  # points for the better; negative is worse
    percent: Decimal | None  # of the baseline, one decimal; undefined at baseline 0
    minimal: bool | None  # improvement reaches the smallest change that matters
    deteriorated: bool | None  # as far in the other direction
    response: bool | None
    remission: bool | None


def change(
    instrument: Instrument, baseline: Decimal, current: Decimal, *, scale: str | None = None
) -> Change:
    """Thresholds are those of the instrument's first scale; each compares exact values."""
    measured = instrument.scales[0] if scale is None else instrument.scale(scale)
    for value in (baseline, current):
        _refuse(instrument, measured, value)
    gain = _improvement(measured, Fraction(baseline), Fraction(current))
    percent = None if baseline == 0 else gain * 100 / Fraction(baseline)
    least, response = instrument.minimal_change, instrument.response_percent
    below = instrument.remission_below
    return Change(
        improvement=baseline - current if measured.higher_is == "worse" else current - baseline,
        percent=None if percent is None else _one_decimal(percent),
        minimal=None if least is None else gain >= Fraction(least),
        deteriorated=None if least is None else -gain >= Fraction(least),
        response=None if percent is None or response is None else percent >= response,
        remission=None if below is None else current < below,
    )


def _refuse(instrument: Instrument, scale: Scale, value: Decimal) -> None:
    if not (value.is_finite() and scale.minimum <= value <= scale.maximum):
        raise OffScale(f"{instrument.key}: {value} is not a score of this scale")


def _improvement(scale: Scale, baseline: Fraction, current: Fraction) -> Fraction:
    return baseline - current if scale.higher_is == "worse" else current - baseline


def _one_decimal(percent: Fraction) -> Decimal:
    """Half goes away from zero, so that a gain and an equal loss print alike."""
    tenths = int(abs(percent) * 10 + Fraction(1, 2))
    return Decimal(tenths if percent > 0 else -tenths).scaleb(-1)
