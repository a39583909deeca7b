"""What one follow-up asks now: the instruments of its dues, each once, screen by screen.

Reads only. An instrument is pinned to its Definition by the first answer; until then the newest
one counts.
"""

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from math import ceil

from clinic.definitions import precedence
from clinic.models import Clinic, Definition
from surveys.instruments import Instrument, Screen, Wording, offered, parse, select, split_name
from surveys.instruments.shape import Answers
from surveys.models import FollowUp, Response, StepDue

SECONDS = {"ticks": 30}  # a list takes longer to read than one question
SECONDS_A_QUESTION = 10  # for a tired person on a phone
LATE_FOR = timedelta(days=7)  # how long after closing answers are still taken, as late
_LIVE = (StepDue.State.PLANNED, StepDue.State.ASKED)


@dataclass(frozen=True, slots=True)
class Part:
    """One instrument of one follow-up, cut to the items asked."""

    definition: Definition
    instrument: Instrument
    subset: str
    language: str
    response: Response | None = None

    @property
    def key(self) -> str:
        return self.instrument.key

    @property
    def answers(self) -> Answers:
        return self.response.answers if self.response else {}

    @property
    def wording(self) -> Wording:
        return self.instrument.wording[self.language]

    @property
    def wording_sha256(self) -> str:
        """Names the exact words: the text as recorded, and the language read."""
        words = json.dumps(asdict(self.wording), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(f"{self.definition.sha256}\n{words}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Question:
    part: Part
    screen: Screen
    place: int  # among all screens from 1, hidden ones too, so that it stays when answers change
    stands: bool = True  # still asked: its step was not cancelled or replaced since

    @property
    def name(self) -> str:
        return f"{self.part.key}/{self.screen.key}"

    @property
    def seal(self) -> str:
        """In its form: an answer is taken for the very words that stood on the page."""
        return self.part.wording_sha256[:12]

    @property
    def is_shown(self) -> bool:
        return self.screen.shown(self.part.answers)

    @property
    def is_answered(self) -> bool:
        return self.screen.answered(self.part.answers)


@dataclass(frozen=True, slots=True)
class Paper:
    """Everything one follow-up asks, in order."""

    parts: tuple[Part, ...]
    untranslated: bool = False  # some instruments are not offered in this language
    every: tuple[Question, ...] = field(init=False)

    def __post_init__(self) -> None:
        pairs = [(part, screen) for part in self.parts for screen in part.instrument.screens]
        every = tuple(Question(part, screen, n) for n, (part, screen) in enumerate(pairs, start=1))
        object.__setattr__(self, "every", every)

    @property
    def shown(self) -> tuple[Question, ...]:
        return tuple(question for question in self.every if question.is_shown)

    def at(self, place: int) -> Question | None:
        return next((question for question in self.shown if question.place == place), None)

    def named(self, name: str) -> Question | None:
        """Only what stands before the patient can be answered."""
        return next((question for question in self.shown if question.name == name), None)

    def first_open(self) -> Question | None:
        """The first question without an answer; None when the patient is through."""
        return next((question for question in self.shown if not question.is_answered), None)

    def before(self, question: Question) -> Question | None:
        earlier = [other for other in self.shown if other.place < question.place]
        return earlier[-1] if earlier else None

    def number(self, question: Question) -> int:
        """Its number as the patient counts."""
        return 1 + sum(other.place < question.place for other in self.shown)

    @property
    def minutes(self) -> int:
        return minutes_for(question.screen for question in self.shown)


def minutes_for(screens: Iterable[Screen]) -> int:
    """An honest guess at how long they take, at least one minute: the e-mail and the page agree."""
    seconds = sum(SECONDS.get(screen.kind, SECONDS_A_QUESTION) for screen in screens)
    return max(1, ceil(seconds / 60))


def language_of(follow_up: FollowUp) -> str:
    """Chosen on the page, else the patient's."""
    return follow_up.language or follow_up.patient.language


def paper(
    follow_up: FollowUp, *, now: datetime, language: str | None = None, gone_too: bool = False
) -> Paper:
    """What `follow_up` asks in one language: languages are never mixed.

    `gone_too`: also what it asked until its step was cancelled, replaced or past.
    """
    chosen = language or language_of(follow_up)
    clinic = follow_up.patient.clinic
    begun = {r.instrument.key: r for r in _responses(follow_up)}
    asked = _asked(follow_up, begun, now, gone_too)
    definitions = _definitions(clinic, [key for key in asked if key not in begun])
    parts = [
        _part(begun[key].instrument if key in begun else definitions[key], items, begun.get(key))
        for key, items in asked.items()
    ]
    switched_on = frozenset(
        name.partition(":")[0] for name in clinic.switched_on if name.endswith(f":{chosen}")
    )
    ready = [part for part in parts if offered(part[1], chosen, switched_on=switched_on)]
    made = tuple(Part(row, cut, subset, chosen, r) for row, cut, subset, r in ready)
    return Paper(made, untranslated=len(ready) < len(parts))


def instrument_of(definition: Definition) -> Instrument:
    return _parsed(definition.text)


def instrument_of_response(response: Response) -> Instrument:
    """As this patient was asked: the pinned version, cut to the items asked."""
    whole = instrument_of(response.instrument)
    return select(whole, response.subset.split(",")) if response.subset else whole


@lru_cache(maxsize=256)
def _parsed(text: str) -> Instrument:
    return parse(text)


def _responses(follow_up: FollowUp) -> Iterable[Response]:
    return follow_up.responses.select_related("instrument").order_by("started_at", "pk")


def _asked(
    follow_up: FollowUp, begun: Mapping[str, Response], now: datetime, gone_too: bool
) -> dict[str, frozenset[str]]:
    """Instrument key -> items; no items means all. What was begun stays, whatever was cancelled."""
    dues = follow_up.dues.order_by("target_at", "step", "pk")
    if not gone_too:
        past = () if now < follow_up.closes_at else (StepDue.State.EXPIRED,)
        dues = dues.filter(state__in=(*_LIVE, *past))
    names = [name for due in dues for name in due.instruments]
    names += [f"{r.instrument.key}:{r.subset}" if r.subset else key for key, r in begun.items()]
    asked: dict[str, frozenset[str]] = {}
    for key, items in map(split_name, names):
        together = asked.get(key, frozenset(items)) | frozenset(items)
        is_whole = not items or not asked.get(key, items)
        asked[key] = frozenset() if is_whole else together
    return asked


def _definitions(clinic: Clinic, keys: Sequence[str]) -> dict[str, Definition]:
    """The newest definition of each key; a clinic's own stands before the built-in one."""
    rows = Definition.objects.usable_by(clinic).filter(
        kind=Definition.Kind.INSTRUMENT, key__in=keys
    )
    return {row.key: row for row in sorted(rows, key=precedence)}


def _part(
    definition: Definition, items: frozenset[str], response: Response | None
) -> tuple[Definition, Instrument, str, Response | None]:
    whole = instrument_of(definition)
    order = [item.key for item in whole.items if item.key in items]
    cut = select(whole, order) if items else whole
    return definition, cut, ",".join(order), response


def follow_up_of_digest(digest: str) -> FollowUp | None:
    found = FollowUp.objects.select_related("patient__clinic").filter(link_digest=digest)
    return found.first()


def follow_up_of_id(follow_up_id: uuid.UUID) -> FollowUp | None:
    found = FollowUp.objects.select_related("patient__clinic").filter(pk=follow_up_id)
    return found.first()
