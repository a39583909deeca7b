"""One JSON line in, one JSON line out: our scoring for comparison with somebody else's. Pure.

A line either is scored or becomes `{"error": ...}`; no input can raise.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any, NoReturn

from surveys import instruments
from surveys.change import change
from surveys.instruments import Instrument, InvalidInstrument, OffScale
from surveys.safety import worries
from surveys.scoring import ScaleScore, findings, score

# Calculations with more digits than any score has would only serve to exhaust memory.
MAX_DIGITS = 50
_CATALOGUE = ("phq9", "phq8", "phq2", "gad7", "gad2", "peg", "pgic", "pcptsd5", "pcl5")


class Refused(ValueError):
    """This line cannot be scored; the message says why."""


def score_line(line: bytes) -> tuple[str, bool] | None:
    """The answer to one line and whether it was scored. None: a blank line."""
    if not line.strip():
        return None
    try:
        return json.dumps(_answer(_parsed(line))), True
    except (Refused, OffScale, InvalidInstrument) as error:
        return json.dumps({"error": str(error)}), False


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        request = json.loads(
            line.decode("utf-8"),
            parse_float=Decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_without_repeats,
        )
    except Refused:
        raise
    except (ValueError, RecursionError, ArithmeticError) as error:
        raise Refused("not JSON") from error
    if not isinstance(request, dict):
        raise Refused("not a JSON object")
    return request


def _refuse_constant(name: str) -> NoReturn:
    raise Refused(f"{name} is not JSON")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two answers to one item are a contradiction, not the last one."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refused("a key stands twice")
    return found


def _answer(request: Mapping[str, Any]) -> dict[str, Any]:
    if unknown := set(request) - {"instrument", "answers", "baseline", "current"}:
        raise Refused(f"unknown key {_shortened(min(unknown))}")
    name = request.get("instrument")
    instrument = _instrument(name)
    wants_change = bool({"baseline", "current"} & set(request))
    if wants_change == ("answers" in request):
        raise Refused("give either answers, or baseline and current")
    shape = _changed if wants_change else _scored
    return {"instrument": name, **shape(instrument, request)}


def _instrument(name: object) -> Instrument:
    if name is None:
        raise Refused("no instrument")
    if name == "nrs":
        return _one_rating(instruments.named("nrs7:average"))
    if not isinstance(name, str) or name not in _CATALOGUE:
        raise Refused(f"unknown instrument {_shortened(name)}")
    return instruments.latest(name)


def _one_rating(instrument: Instrument) -> Instrument:
    """A rating whose recall does not matter to its score: item 1 of a scale called total."""
    (item,), (scale,) = instrument.items, instrument.scales
    return replace(
        instrument,
        key="nrs",
        items=(replace(item, key="1"),),
        scales=(replace(scale, key="total", items=("1",), needs=("1",)),),
    )


def _scored(instrument: Instrument, request: Mapping[str, Any]) -> dict[str, Any]:
    answers = request["answers"]
    if not isinstance(answers, dict):
        raise Refused("answers must be an object")
    known = {item.key for item in instrument.items}
    if unknown := set(answers) - known:
        raise Refused(f"{instrument.key} has no item {_shortened(min(unknown))}")
    for item, value in answers.items():
        if value is not None and type(value) is not int:
            raise Refused(f"item {item}: an answer is a JSON integer or null")
        instrument.refuse(item, value)
    return {
        "version": instrument.version,
        "scales": {
            one.scale: _scale(one, instrument.scale(one.scale).decimals)
            for one in score(instrument, answers)
        },
        "findings": findings(instrument, answers),
        "safety": [
            {"item": worry.item, "value": worry.value, "level": worry.level}
            for worry in worries(instrument, answers, asked=known)
            if worry.kind == "suicide"
        ],
    }


def _scale(one: ScaleScore, decimals: int) -> dict[str, Any]:
    printed: Callable[[Decimal], float] = float if decimals else int
    return {
        "value": None if one.value is None else printed(one.value),
        "exact": _number(one.exact),
        "band": one.band,
        "missing": one.missing,
        "prorated": one.prorated,
    }


def _changed(instrument: Instrument, request: Mapping[str, Any]) -> dict[str, Any]:
    baseline, current = (_total(request, name) for name in ("baseline", "current"))
    found = asdict(change(instrument, baseline, current))
    numbers = {name: _number(found[name]) for name in ("improvement", "percent")}
    return {"change": found | numbers}


def _total(request: Mapping[str, Any], name: str) -> Decimal:
    value = request.get(name)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Refused(f"{name} must be a number")
    total = Decimal(value)
    if len(total.as_tuple().digits) > MAX_DIGITS or abs(total.adjusted()) > MAX_DIGITS:
        raise Refused(f"{name} has too many digits")
    return total


def _number(value: Decimal | None) -> float | None:
    """JSON writes whole numbers without a point."""
    if value is None:
        return None
    return int(value) if value == int(value) else float(value)


def _shortened(value: object) -> str:
    text = repr(value) if isinstance(value, str) else type(value).__name__
    return text if len(text) <= 40 else text[:37] + "..."
