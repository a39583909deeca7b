"""What an instrument is: frozen records, and which screen comes next.

Answers are always `{item key: value or None}`. None is deliberately skipped; a missing key is
not asked or not yet answered.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Literal

Answers = Mapping[str, int | None]
Kind = Literal["choice", "scale", "ticks", "severity"]
Level = Literal["review", "urgent", "critical"]
SafetyKind = Literal["suicide", "emergency", "other"]


class OffScale(ValueError):
    """A value the item does not offer. Refused, never clamped."""


@dataclass(frozen=True, slots=True)
class SafetyRule:
    """When one answer needs a person, whatever the total says."""

    name: str
    kind: SafetyKind  # "suicide" interrupts with the crisis page, "emergency" with 911
    levels: Mapping[int, Level]  # the item's floor
    later_levels: Mapping[int, Level] = field(default_factory=dict)
    later_from: timedelta | None = None  # later_levels hold this long after the infusion
    skipped: bool = False  # a deliberate skip is itself a reason to look
    rise: Level | None = None  # first ever positive answer, or a rise since the last answer
    repeated_from: int | None = None  # this value or above, twice in a row, is `repeated`
    repeated: Level | None = None


@dataclass(frozen=True, slots=True)
class Item:
    key: str  # the number as printed, or a short name
    values: tuple[int, ...]  # codes, which need not run in order or start at 0
    scored: bool = True
    loinc: str | None = None
    answer_loinc: Mapping[int, str] = field(default_factory=dict)
    safety: SafetyRule | None = None
    may_decline: bool = False  # "prefer not to answer" is offered at once, stored as skipped
    not_applicable: int | None = None  # this code leaves the item out and lowers the maximum


@dataclass(frozen=True, slots=True)
class Scale:
    key: str
    items: tuple[str, ...]
    rule: str  # a function in surveys/scoring.py
    max_missing: int
    minimum: Decimal
    maximum: Decimal
    higher_is: Literal["worse", "better"]
    bands: tuple[tuple[int, str], ...] = ()  # (from this printed value, word), ascending
    cut: int | None = None  # where the finding `positive` begins
    loinc: str | None = None
    decimals: int = 0
    needs: tuple[str, ...] = ()  # items without which there is no score; default: `items`
    multiplier: int = 1
    groups: tuple[tuple[str, ...], ...] = ()  # for group_maxima and domains
    weights: tuple[Fraction, ...] = ()  # for domains: one per group
    alternatives: tuple[tuple[str, ...], ...] = ()  # one answer of each is enough
    table: Mapping[int, Decimal] = field(default_factory=dict)  # for lookup: raw sum -> score


@dataclass(frozen=True, slots=True)
class Gate:
    """An item whose 0 means 0 for others, which are then not asked."""

    item: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """A yes or no read off a printed score."""

    key: str
    scale: str
    at_least: int | None = None
    at_most: int | None = None
    by_bounds: bool = False  # answer also without a total, when no missing item could change it


@dataclass(frozen=True, slots=True)
class SymptomCount:
    """A yes or no read off how many items of each group count as a symptom."""

    key: str
    scale: str  # null when this scale is null
    symptom_from: int
    groups: tuple[tuple[tuple[str, ...], int], ...]  # (items, how many must be symptoms)


@dataclass(frozen=True, slots=True)
class Watch:
    """A finished score that needs a person: all of the conditions given must hold."""

    name: str
    scale: str
    level: Level
    at_least: int | None = None
    rise: Decimal | None = None
    since: Literal["baseline", "best"] | None = None
    with_item: str | None = None  # answered above 0: `with_level` instead of `level`
    with_level: Level | None = None


@dataclass(frozen=True, slots=True)
class Substitution:
    """A change to the printed words that the form's owner or its medium permits."""

    original: str
    replacement: str
    reason: str


@dataclass(frozen=True, slots=True)
class Screen:
    key: str  # safe in a URL
    kind: Kind
    items: tuple[str, ...]
    values: tuple[int, ...]  # what this screen offers; a severity screen leaves 0 out
    shown_if: str | None = None  # only when this item was answered above 0
    shown_if_any: tuple[str, ...] = ()  # only when one of these was answered above 0

    def shown(self, answers: Answers) -> bool:
        if self.shown_if is not None and not answers.get(self.shown_if):
            return False
        return not self.shown_if_any or any(answers.get(item) for item in self.shown_if_any)

    def answered(self, answers: Answers) -> bool:
        """A 0 implied by an earlier, since corrected, "no" is not an answer to this screen."""
        return all(
            item in answers and (answers[item] is None or answers[item] in self.values)
            for item in self.items
        )


@dataclass(frozen=True, slots=True)
class Wording:
    """One language's words. A validated translation is a clinical document: shown as it is."""

    language: str
    source: str
    reviewed: bool  # False: a clinician has not signed it, or it is only partly verified
    title: str
    attribution: str
    intro: str | None
    stem: str  # the recall stem; empty where each item carries its own
    items: Mapping[str, str]
    stems: Mapping[str, str]  # the stem of each item, resolved
    choices: Mapping[str, Mapping[int, str]]  # per item, in the printed order
    low: Mapping[str, str]  # anchors of 0-10 items
    high: Mapping[str, str]
    screens: Mapping[str, str]  # questions above ticks
    declines: Mapping[str, str]  # "prefer not to answer", for items that offer it
    none_of_these: str
    partial: bool  # knows that it lacks items; only a subset can be offered

    def question(self, screen: Screen) -> str:
        """What a screen asks: above ticks a text of its own, else its item."""
        is_ticks = screen.kind == "ticks"
        return self.screens.get(screen.key, "") if is_ticks else self.items[screen.items[0]]


@dataclass(frozen=True, slots=True)
class Instrument:
    key: str
    version: str
    licence: str
    source: str
    items: tuple[Item, ...]
    scales: tuple[Scale, ...]
    screens: tuple[Screen, ...]
    gates: tuple[Gate, ...]
    findings: tuple[Finding, ...]
    symptom_counts: tuple[SymptomCount, ...]
    watches: tuple[Watch, ...]
    substitutions: tuple[Substitution, ...]
    wording: Mapping[str, Wording]
    form: str | None
    project_text: bool  # our own words, not a validated scale
    recall_days: int | None
    min_interval: timedelta | None
    minimal_change: Decimal | None  # smallest change that matters, in points
    response_percent: int | None
    remission_below: int | None
    loinc_panel: str | None
    sha256: str
    text: str

    @property
    def drawn_scales(self) -> tuple[Scale, ...]:
        """The total, where there is one; else every scale (pain: average, worst, least, now)."""
        return tuple(scale for scale in self.scales if scale.key == "total") or self.scales

    def item(self, key: str) -> Item:
        for item in self.items:
            if item.key == key:
                return item
        raise OffScale(f"{self.key} has no item {key!r}")

    def scale(self, key: str) -> Scale:
        return next(scale for scale in self.scales if scale.key == key)

    def screen(self, key: str) -> Screen | None:
        return next((screen for screen in self.screens if screen.key == key), None)

    def refuse(self, item: str, value: int | None) -> None:
        """Raise OffScale for anything but an offered code or None. True is not 1."""
        known = self.item(item)
        if value is not None and (type(value) is not int or value not in known.values):
            raise OffScale(f"{self.key} item {item}: {value!r} is not on the scale")

    def visible(self, answers: Answers) -> tuple[Screen, ...]:
        return tuple(screen for screen in self.screens if screen.shown(answers))

    def next_screen(self, answers: Answers) -> Screen | None:
        """The first screen still to be answered; None when the patient is through."""
        return next((s for s in self.visible(answers) if not s.answered(answers)), None)

    def asked(self, answers: Answers) -> frozenset[str]:
        """Every item that stands on a visible screen."""
        return frozenset(item for screen in self.visible(answers) for item in screen.items)


def completed(instrument: Instrument, screen: Screen, answers: Answers) -> dict[str, int | None]:
    """The answers a screen's submission means, with what an unticked box implies.

    On a screen of ticks, what was not ticked is 0, and so is its severity. A screen skipped
    as a whole (every item None) implies nothing.
    """
    if screen.kind != "ticks" or any(answers.get(key, 0) is None for key in screen.items):
        return dict(answers)
    given = {**dict.fromkeys(screen.items, 0), **answers}
    return {**given, **implied(instrument, given)}


def implied(instrument: Instrument, answers: Answers) -> dict[str, int | None]:
    """The zeros that follow from a gate answered 0."""
    return {
        item: 0 for gate in instrument.gates if answers.get(gate.item) == 0 for item in gate.items
    }


def offered(
    instrument: Instrument, language: str, *, switched_on: frozenset[str] = frozenset()
) -> bool:
    """Whether a patient may be asked in this language.

    All items need wording: languages are never mixed. A published text that is only partly
    verified waits until the clinic switches it on knowingly; our own texts do not.
    """
    wording = instrument.wording.get(language)
    if wording is None or any(item.key not in wording.items for item in instrument.items):
        return False
    return wording.reviewed or instrument.project_text or instrument.key in switched_on
