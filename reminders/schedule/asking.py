"""Which questionnaires a due asks, and at which instant it is sent.

A suicide item is asked only where somebody reads the answer: in a clinic without cover at the
weekend it goes Monday to Thursday, and PHQ-8 takes PHQ-9's place where no such day fits.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from reminders.protocols import Ask
from reminders.schedule.answered import key_of
from reminders.schedule.clock import DAY, Hours, local_date
from reminders.schedule.conditions import holds
from reminders.schedule.facts import Occasion, PatientFacts, State
from reminders.schedule.occasions import wall_time
from surveys.instruments import split_name

SAFE_DAYS = frozenset({0, 1, 2, 3})  # Monday to Thursday
WITHOUT_SUICIDE_ITEM = {"phq9": "phq8"}

NOT_IN_THIS_LANGUAGE = "not available in this language"
NO_DAY = "no day in its window may be used"

# Answering one of these is answering the other for the purpose of the minimum interval: they
# contain the same questions over the same two weeks.
CONTAINED_IN = {
    "phq9": ("phq9", "phq8"),
    "phq8": ("phq8", "phq9"),
    "phq2": ("phq2", "phq8", "phq9"),
    "gad2": ("gad2", "gad7"),
}


@dataclass(frozen=True, slots=True)
class Asking:
    """What a due asks and its send instant; or the state it ends in instead, and why."""

    instruments: tuple[str, ...]
    send_at: datetime | None = None
    safe_days: bool = False  # it asks a suicide item and must keep to the safety days
    ends: State | None = None
    reason: str = ""


def asking(occasion: Occasion, hours: Hours) -> Asking:
    """The send instant by the rules alone, whatever the time is now."""
    asks = _applicable(occasion)
    if not asks:
        return Asking((), ends=State.SKIPPED, reason="nothing to ask for this indication")
    if occasion.facts.cover == "none":
        asks = _without_suicide_item(asks, occasion.facts)
    offered = _offered(asks, occasion.facts)
    if not offered:
        return Asking(nominal(occasion), ends=State.NOT_OFFERED, reason=NOT_IN_THIS_LANGUAGE)
    return _asked(offered, occasion, hours)


def without_suicide_item(occasion: Occasion, hours: Hours) -> Asking:
    """The same due on its own day, with PHQ-8 in PHQ-9's place."""
    asks = _offered(_without_suicide_item(_applicable(occasion), occasion.facts), occasion.facts)
    if not asks:
        return Asking(nominal(occasion), ends=State.SKIPPED, reason="no safety day fits")
    return _asked(asks, occasion, hours, "PHQ-8 for PHQ-9: no day from Monday to Thursday fits")


def _applicable(occasion: Occasion) -> list[Ask]:
    return [ask for ask in occasion.step.asks if holds(ask.conditions, occasion)]


def nominal(occasion: Occasion) -> tuple[str, ...]:
    """What the step asks as written, before languages, cover and intervals have their say."""
    return tuple(ask.one_of[0] for ask in _applicable(occasion))


def _asked(asks: list[Ask], occasion: Occasion, hours: Hours, reason: str = "") -> Asking:
    facts = occasion.facts
    anywhen = _moments(occasion, hours, own_hour=True)
    if not anywhen:
        return Asking(nominal(occasion), reason=NO_DAY)
    names = [_first_free(ask, anywhen[0], occasion) for ask in asks]
    if facts.cover == "always" or not any(_is_risky(name, facts) for name in names):
        return _spaced(names, occasion, anywhen, reason)
    own = _moments(occasion, hours, own_hour=False)
    safe = [moment for moment in own if is_safe(moment, hours, facts)]
    if not safe:
        return without_suicide_item(occasion, hours)
    moved = "" if safe[0] == own[0] else "moved to the next day on which answers are read"
    found = _spaced(names, occasion, safe, moved)
    harmless = [name for name in names if not _is_risky(name, facts)]
    if found.ends or set(found.instruments) - set(harmless):
        return replace(found, safe_days=True)
    return _spaced(harmless, occasion, anywhen, found.reason)


def is_safe(moment: datetime, hours: Hours, facts: PatientFacts) -> bool:
    """Whether somebody is at work that day and the next: a day from Monday to Thursday, on which
    the clinic is not closed, nor on the day after."""
    there = local_date(moment, facts.clinic_zone)
    is_closed = not facts.closed_on.isdisjoint((there, there + DAY))
    return hours.day(moment).weekday() in SAFE_DAYS and not is_closed


def _moments(occasion: Occasion, hours: Hours, *, own_hour: bool) -> list[datetime]:
    """Every moment of the window at which this due may be sent, one for each day."""
    wall = wall_time(occasion, own_hour)
    return list(hours.moments(occasion.target_at, wall, occasion.closes_at))


def _is_risky(name: str, facts: PatientFacts) -> bool:
    return facts.instruments[key_of(name)].suicide_item


def _spaced(names: list[str], occasion: Occasion, moments: list[datetime], reason: str) -> Asking:
    """Move past the minimum intervals; what no moment in the window can take is left out."""
    free = {name: free_at(name, occasion) for name in names}
    late = [name for name in names if (at := free[name]) and at > moments[-1]]
    kept = tuple(name for name in names if name not in late)
    dropped = ", ".join(f"{key_of(name)} was answered too recently" for name in late)
    if not kept:
        return Asking(tuple(names), None, False, State.SKIPPED, dropped)
    ready = max((at for name in kept if (at := free[name])), default=moments[0])
    send_at = next(moment for moment in moments if moment >= ready)
    waited = "" if send_at == moments[0] else "moved past the minimum interval"
    return Asking(kept, send_at, reason="; ".join(filter(None, [reason, waited, dropped])))


def _first_free(ask: Ask, moment: datetime, occasion: Occasion) -> str:
    """The first alternative that may be asked then; the last one if none may."""
    free = (n for n in ask.one_of if (at := free_at(n, occasion)) is None or at <= moment)
    return next(free, ask.one_of[-1])


def free_at(name: str, occasion: Occasion) -> datetime | None:
    """When the minimum interval since the last answer is over; none: at any time."""
    key = key_of(name)
    interval = occasion.facts.instruments[key].min_interval
    if interval is None or occasion.step.overlap_accepted:
        return None
    same = CONTAINED_IN.get(key, (key,))
    times = [a.finished_at for a in occasion.facts.answers if a.instrument in same]
    return max(times) + interval if times else None


def _offered(asks: Iterable[Ask], facts: PatientFacts) -> list[Ask]:
    """Each ask with the alternatives this language has; asks without any are left out."""
    cut = [Ask(tuple(n for n in ask.one_of if _is_offered(n, facts))) for ask in asks]
    return [ask for ask in cut if ask.one_of]


def _is_offered(name: str, facts: PatientFacts) -> bool:
    key, items = split_name(name)
    known = facts.instruments[key]
    return known.offered or (bool(items) and known.offered_parts.issuperset(items))


def _without_suicide_item(asks: Iterable[Ask], facts: PatientFacts) -> list[Ask]:
    cut = [Ask(tuple(_swapped(name, facts) for name in ask.one_of)) for ask in asks]
    return [Ask(tuple(filter(None, ask.one_of))) for ask in cut if any(ask.one_of)]


def _swapped(name: str, facts: PatientFacts) -> str:
    key = key_of(name)
    return WITHOUT_SUICIDE_ITEM.get(key, "") if facts.instruments[key].suicide_item else name
