"""How answers become one number, exactly. A definition names a rule; there are no expressions.

Each rule gets the answers that were given (codes, never option positions) and the items that
apply, and returns None where the rule itself cannot be met.
"""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from surveys.instruments.shape import Scale

Given = Mapping[str, int]
Rule = Callable[[Scale, Given, Sequence[str]], Fraction | None]


def raw(scale: Scale, given: Given, items: Sequence[str]) -> Fraction | None:
    """The exact score of the answers given; None without any."""
    value = RULES[scale.rule](scale, given, items) if given else None
    return None if value is None else value * scale.multiplier


def _sum(scale: Scale, given: Given, items: Sequence[str]) -> Fraction:
    """Missing answers take the mean of the others; `max_missing` says how many may."""
    return Fraction(sum(given.values()) * len(items), len(given))


def _mean(scale: Scale, given: Given, items: Sequence[str]) -> Fraction:
    return Fraction(sum(given.values()), len(given))


def _group_maxima(scale: Scale, given: Given, items: Sequence[str]) -> Fraction | None:
    """The worst answer of each group, added up (QIDS)."""
    groups = [[given[item] for item in group if item in given] for group in scale.groups]
    return Fraction(sum(map(max, groups))) if all(groups) else None


def _domains(scale: Scale, given: Given, items: Sequence[str]) -> Fraction | None:
    """Each domain's sum times its weight, spread over its unanswered items (FIQR)."""
    total = Fraction(0)
    for group, weight in zip(scale.groups, scale.weights, strict=True):
        values = [given[item] for item in group if item in given]
        if not values:
            return None
        total += weight * Fraction(sum(values) * len(group), len(values))
    return total


def _lookup(scale: Scale, given: Given, items: Sequence[str]) -> Fraction | None:
    """The published score for a raw sum (PROMIS)."""
    found = scale.table.get(sum(given.values()))
    return None if found is None else Fraction(found)


RULES: Mapping[str, Rule] = {
    "sum": _sum,
    "mean": _mean,
    "group_maxima": _group_maxima,
    "domains": _domains,
    "lookup": _lookup,
}
