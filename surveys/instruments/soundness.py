"""Refuse a definition that contradicts itself."""

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction

from surveys.instruments.reading import InvalidInstrument
from surveys.instruments.rules import RULES, raw
from surveys.instruments.shape import (
    Finding,
    Instrument,
    Item,
    Level,
    SafetyRule,
    Scale,
    Watch,
)
from surveys.instruments.wording import gaps

RANK: Mapping[Level, int] = {"review": 1, "urgent": 2, "critical": 3}
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_LOINC = re.compile(r"\d{3,7}-\d")


def refuse_contradictions(instrument: Instrument) -> None:
    for complaint in _complaints(instrument):
        raise InvalidInstrument(f"{instrument.key}: {complaint}")


def _complaints(instrument: Instrument) -> Iterator[str]:
    yield from _keys(instrument)
    yield from _numbers(instrument)
    for item in instrument.items:
        yield from _item(item)
    for scale in instrument.scales:
        yield from (f"scale {scale.key}: {text}" for text in _scale(scale, instrument))
    yield from gaps(instrument)
    yield from _references(instrument)
    yield from _screens(instrument)
    yield from _loinc(instrument)


def _keys(instrument: Instrument) -> Iterator[str]:
    for what, keys in (
        ("item", [item.key for item in instrument.items]),
        ("scale", [scale.key for scale in instrument.scales]),
        ("screen", [screen.key for screen in instrument.screens]),
        ("finding", _finding_keys(instrument)),
        ("watch", [watch.name for watch in instrument.watches]),
    ):
        for key in _repeated(keys):
            yield f"two {what}s are called {key}"
        for key in keys:
            if not _KEY.fullmatch(key.replace("_", "-")):
                yield f"{what} key {key!r} is not safe in an address"
    if not instrument.items:
        yield "no items"


def _finding_keys(instrument: Instrument) -> list[str]:
    counts = [count.key for count in instrument.symptom_counts]
    return [finding.key for finding in instrument.findings] + counts


def _repeated(keys: list[str]) -> list[str]:
    return sorted({key for key in keys if keys.count(key) > 1})


def _numbers(instrument: Instrument) -> Iterator[str]:
    if instrument.recall_days is not None and instrument.recall_days < 1:
        yield "recall_days must be at least 1"
    if instrument.min_interval is not None and instrument.min_interval.total_seconds() <= 0:
        yield "min_interval_hours must be above 0"
    if instrument.minimal_change is not None and instrument.minimal_change <= 0:
        yield "minimal_change must be above 0"
    if instrument.response_percent is not None and not 0 < instrument.response_percent <= 100:
        yield "response_percent must be from 1 to 100"
    if instrument.remission_below is not None:
        for scale in instrument.scales[:1]:
            if not scale.minimum < instrument.remission_below <= scale.maximum:
                yield "remission_below is off the scale"


def _item(item: Item) -> Iterator[str]:
    values = set(item.values)
    if len(values) < 2 or len(values) != len(item.values):
        yield f"item {item.key}: needs two or more different values"
    if item.answer_loinc and set(item.answer_loinc) != values:
        yield f"item {item.key}: answer_loinc must name each value once"
    if item.not_applicable is not None and item.not_applicable not in values:
        yield f"item {item.key}: not_applicable is not one of its values"
    if item.safety is not None:
        yield from (f"item {item.key}: safety {text}" for text in _safety(item.safety, values))


def _safety(rule: SafetyRule, values: set[int]) -> Iterator[str]:
    if not rule.levels:
        yield "has no levels"
    if unknown := (set(rule.levels) | set(rule.later_levels)) - values:
        yield f"names values the item does not have: {sorted(unknown)}"
    ranks = [RANK[rule.levels[value]] for value in sorted(rule.levels)]
    if ranks != sorted(ranks):
        yield "levels fall while the answer rises"
    if rule.levels and any(
        value not in rule.levels for value in values if value > min(rule.levels)
    ):
        yield "leaves out a value above one it names"
    if bool(rule.later_levels) != (rule.later_from is not None):
        yield "later_levels and later_from_hours go together"
    if (rule.repeated is None) != (rule.repeated_from is None):
        yield "repeated and repeated_from go together"


def _scale(scale: Scale, instrument: Instrument) -> Iterator[str]:
    known = {item.key for item in instrument.items}
    named = [*scale.items, *scale.needs, *(key for group in scale.groups for key in group)]
    if unknown := set(named) - known:
        yield f"unknown items {', '.join(sorted(unknown))}"
        return
    if not scale.items or _repeated(list(scale.items)):
        yield "its items must be some, each once"
        return
    if scale.rule not in RULES:
        yield f"unknown rule {scale.rule!r}"
        return
    if not 0 <= scale.max_missing < len(scale.items):
        yield "max_missing must leave at least one answer"
    if scale.decimals not in (0, 1, 2):
        yield "decimals must be 0, 1 or 2"
    yield from _structure(scale)
    yield from _range(scale, instrument)
    yield from _bands(scale)


def _structure(scale: Scale) -> Iterator[str]:
    grouped = [key for group in scale.groups for key in group]
    if (scale.rule in ("group_maxima", "domains")) != bool(grouped):
        yield "groups belong to the rules group_maxima and domains"
    elif grouped and sorted(grouped) != sorted(scale.items):
        yield "groups must hold each item once"
    if (scale.rule == "domains") != bool(scale.weights) or (
        scale.weights and len(scale.weights) != len(scale.groups)
    ):
        yield "the rule domains needs one weight for each group"
    if (scale.rule == "lookup") != bool(scale.table):
        yield "a table belongs to the rule lookup"
    if set().union(*scale.alternatives) - set(scale.items):
        yield "alternatives must be items of the scale"


def _range(scale: Scale, instrument: Instrument) -> Iterator[str]:
    """The printed range must be the one that the items and the rule produce."""
    items = [instrument.item(key) for key in scale.items]
    low = {item.key: min(_counted(item)) for item in items}
    high = {item.key: max(_counted(item)) for item in items}
    sums = range(sum(low.values()), sum(high.values()) + 1)
    if scale.rule == "lookup" and set(scale.table) != set(sums):
        yield f"the table must hold each raw sum from {sums[0]} to {sums[-1]}"
        return
    if scale.rule == "group_maxima" and not all(scale.groups):
        yield "a group is empty"
        return
    expected = {raw(scale, low, scale.items), raw(scale, high, scale.items)}
    if expected != {Fraction(scale.minimum), Fraction(scale.maximum)}:
        yield f"its items do not run from {scale.minimum} to {scale.maximum}"
    elif scale.minimum >= scale.maximum:
        yield "minimum must be below maximum"


def _counted(item: Item) -> list[int]:
    return [value for value in item.values if value != item.not_applicable]


def _bands(scale: Scale) -> Iterator[str]:
    starts = [start for start, _ in scale.bands]
    if starts != sorted(set(starts)):
        yield "bands must ascend"
    if starts and starts[0] != scale.minimum:
        yield "the first band must start at the minimum"
    if starts and starts[-1] > scale.maximum:
        yield "a band starts above the maximum"


def _references(instrument: Instrument) -> Iterator[str]:
    items = {item.key for item in instrument.items}
    scales = {scale.key: scale for scale in instrument.scales}
    for finding in instrument.findings:
        yield from _finding(finding, scales)
    for count in instrument.symptom_counts:
        named = {item for group, _ in count.groups for item in group}
        if count.scale not in scales or named - items:
            yield f"finding {count.key} names an unknown scale or item"
        if any(not 0 < needed <= len(group) for group, needed in count.groups):
            yield f"finding {count.key} asks for more symptoms than its group has"
    for watch in instrument.watches:
        yield from _watch(watch, items, scales)
    for gate in instrument.gates:
        if unknown := {gate.item, *gate.items} - items:
            yield f"a gate names unknown items {', '.join(sorted(unknown))}"
        elif gate.item in gate.items or 0 not in instrument.item(gate.item).values:
            yield f"gate {gate.item} must be another item with a 0"


def _finding(finding: Finding, scales: Mapping[str, Scale]) -> Iterator[str]:
    scale = scales.get(finding.scale)
    if scale is None:
        yield f"finding {finding.key} names an unknown scale"
        return
    limits = [limit for limit in (finding.at_least, finding.at_most) if limit is not None]
    if len(limits) != 1:
        yield f"finding {finding.key} needs at_least or at_most"
    elif not scale.minimum < limits[0] + (finding.at_most is not None) <= scale.maximum:
        yield f"finding {finding.key} is always or never true"


def _watch(watch: Watch, items: set[str], scales: Mapping[str, Scale]) -> Iterator[str]:
    scale = scales.get(watch.scale)
    if scale is None or (watch.with_item is not None and watch.with_item not in items):
        yield f"watch {watch.name} names an unknown scale or item"
        return
    if watch.at_least is None and watch.rise is None:
        yield f"watch {watch.name} has no condition"
    if (watch.rise is None) != (watch.since is None):
        yield f"watch {watch.name}: rise and since go together"
    if watch.rise is not None and scale.higher_is != "worse":
        yield f"watch {watch.name}: a rise is no worry where higher is better"
    if (watch.with_item is None) != (watch.with_level is None):
        yield f"watch {watch.name}: with_item and with_level go together"
    elif watch.with_level is not None and RANK[watch.with_level] < RANK[watch.level]:
        yield f"watch {watch.name}: with_level lowers the level"
    if watch.at_least is not None and not scale.minimum < watch.at_least <= scale.maximum:
        yield f"watch {watch.name} is always or never true"


def _screens(instrument: Instrument) -> Iterator[str]:
    """Each item is asked exactly once, and after the items its screen depends on."""
    items = [item.key for item in instrument.items]
    asked = [key for screen in instrument.screens for key in screen.items]
    if sorted(asked) != sorted(items):
        yield "each item must stand on exactly one screen"
        return
    seen: set[str] = set()
    for screen in instrument.screens:
        needs = {*screen.shown_if_any, *([screen.shown_if] if screen.shown_if else [])}
        if not screen.items or needs - seen:
            yield f"screen {screen.key} is empty or depends on a later question"
        if screen.kind != "ticks" and len(screen.items) != 1:
            yield f"screen {screen.key} must hold one item"
        for key in screen.items:
            if set(screen.values) - set(instrument.item(key).values):
                yield f"screen {screen.key} offers what item {key} does not have"
        seen |= set(screen.items)
    yield from _ticks(instrument)


def _ticks(instrument: Instrument) -> Iterator[str]:
    ticks = [screen.key for screen in instrument.screens if screen.kind == "ticks"]
    for wording in instrument.wording.values():
        if ticks and not wording.none_of_these:
            yield f"wording {wording.language}: none_of_these is missing"
        if set(wording.screens) != set(ticks):
            yield f"wording {wording.language}: screens must name {', '.join(ticks) or 'none'}"


def _loinc(instrument: Instrument) -> Iterator[str]:
    """LOINC codes carry a check digit; a slip of the pen does not pass."""
    codes = [instrument.loinc_panel]
    codes += [item.loinc for item in instrument.items]
    codes += [scale.loinc for scale in instrument.scales]
    for code in codes:
        if code is not None and not (_LOINC.fullmatch(code) and _check_digit(code)):
            yield f"{code!r} is not a LOINC code"


def _check_digit(code: str) -> bool:
    """Mod 10 with every second digit doubled, from the right."""
    digits = [int(digit) for digit in code.replace("-", "")][::-1]
    doubled = [sum(divmod(digit * 2, 10)) for digit in digits[1::2]]
    return (sum(digits[0::2]) + sum(doubled)) % 10 == 0
