"""What a benchmark says: one line for each number, and whether its goal holds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

HEADINGS = ("name", "size", "value", "unit", "against", "ratio", "limit", "ok")
WIDTHS = (28, 22, 10, 18, 30, 20, 9, 6)


class Wrong(Exception):
    """The output of what was measured is not what it must be: a fast wrong answer fails."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A goal for a rate (at least) or for a cost (at most)."""

    bound: float
    at_least: bool

    def missed_by(self, numbers: Sequence[float]) -> bool:
        """Only when all of them miss it: one run says little on a machine that others use too."""
        return max(numbers) < self.bound if self.at_least else min(numbers) > self.bound

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.bound:g}"


def at_least(bound: float) -> Limit:
    return Limit(bound, True)


def at_most(bound: float) -> Limit:
    return Limit(bound, False)


@dataclass(frozen=True, slots=True)
class Line:
    """`ratios` are those of the pairs; the limit is on them, else on the value."""

    name: str
    size: str
    value: float
    unit: str
    against: str = ""
    ratios: tuple[float, ...] = ()
    limit: Limit | None = None

    @property
    def ratio(self) -> float | None:
        return median(self.ratios) if self.ratios else None

    @property
    def ok(self) -> bool:
        return self.limit is None or not self.limit.missed_by(self.ratios or (self.value,))

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "size": self.size,
            "value": self.value,
            "unit": self.unit,
            "against": self.against,
            "ratio": self.ratio,
            "ratios": list(self.ratios),
            "limit": str(self.limit or ""),
            "ok": self.ok,
        }

    def __str__(self) -> str:
        cells = (self.name, self.size, shown(self.value), self.unit, self.against)
        return _row(
            (*cells, self._interval(), str(self.limit or ""), "ok" if self.ok else "MISSED")
        )

    def _interval(self) -> str:
        if not self.ratios:
            return ""
        low, high = min(self.ratios), max(self.ratios)
        spread = f" ({low:.2f} to {high:.2f})" if len(self.ratios) > 1 else ""
        return f"{median(self.ratios):.2f}{spread}"


def middle(numbers: Iterable[float]) -> float:
    return median(list(numbers))


def headings() -> str:
    return _row(HEADINGS)


def shown(value: float) -> str:
    """Three significant digits, without an exponent."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _row(cells: Sequence[str]) -> str:
    padded = [cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)]
    return " ".join(padded).rstrip()
