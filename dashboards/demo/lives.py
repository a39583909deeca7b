"""What happens to each invented patient: protocol, infusions, how they fare, when they fall silent.

Shares of responders and of the lost follow published clinics: about half respond to an induction
(McInnes 2022: 53.6%), some worsen (8.4%), pain falls by one to two points of ten and comes back
within weeks (Orhurhu 2019; Sigtermans 2009), and many answers never come.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import exp
from random import Random

from dashboards.demo.people import Person, person

SEED = 20261123
DAY = timedelta(days=1)
INDUCTION = "depression-induction"
PAIN = "chronic-pain"
CRPS = "crps-fibromyalgia"
MAINTENANCE = "maintenance"


@dataclass(frozen=True, slots=True)
class Fate:
    """How far treatment helps: the share of the burden that is lifted at best, and how long."""

    word: str
    effect: float
    fades_after_days: float  # the time constant of its fading, from two weeks after the last


FATES = {
    "lasting": Fate("lasting", 0.78, 400),
    "fading": Fate("fading", 0.68, 70),
    "partial": Fate("partial", 0.38, 120),
    "none": Fate("none", 0.08, 60),
    "worse": Fate("worse", -0.30, 400),
}


@dataclass(frozen=True, slots=True)
class Life:
    seed: str
    person: Person
    protocol: str
    indication: str
    enrolled_on: date
    infusions: tuple[date, ...]
    fate: Fate
    mood: float  # burden of low mood before treatment, 0 to 1
    pain: float  # burden of pain before treatment, 0 to 1
    diligence: float = 0.8  # how likely an e-mail is answered
    planned: tuple[date, ...] = ()
    planned_count: int | None = None
    maintained: tuple[date, ...] = ()  # infusions of a second course, under maintenance
    silent_from: date | None = None
    bounces_on: date | None = None
    withdraws_on: date | None = None
    dark_until: date | None = None  # thoughts of being better off dead are answered until then
    dark_from: date | None = None  # … and again from then on
    answers_at: timedelta | None = None  # the last answer comes so long before now
    left: str = ""  # the alert of that answer stays: "open", "taken", "handed", "unreached"
    zone: str = ""
    send_hour: int | None = None

    @property
    def hurts(self) -> bool:
        return self.indication not in ("depression", "ptsd")

    def rng(self, *about: object) -> Random:
        """Choices about one thing, whatever was drawn for others."""
        return Random("/".join([self.seed, *map(str, about)]))

    def relief(self, on: date) -> float:
        """The share of the burden that is lifted on a day; below 0 where things got worse."""
        given = [day for day in (*self.infusions, *self.maintained) if day < on]
        if not given:
            return 0.0
        building = 1 - 0.62 ** len(given)
        idle = max(0, (on - given[-1]).days - 14)
        return self.fate.effect * building * exp(-idle / self.fate.fades_after_days)


def lives(today: date, seed: int = SEED) -> list[Life]:
    """Forty patients over the half year before `today`."""
    kinds = [*_inductions(), *_pains(), *_courses_of_days(), *_maintained()]
    counts = {"en": 0, "es": 0}
    made = []
    for number, kind in enumerate(kinds):
        rng = Random(f"{seed}/{number}")
        language = "es" if number % 5 == 3 else "en"
        who = person(counts[language], language, rng)
        counts[language] += 1
        made.append(_life(f"{seed}/{number}", who, kind, today, rng))
    return [*made, *_special(today, seed)]


def due_life(today: date, zone: str, hour: int, number: int = 0, seed: int = SEED) -> Life:
    """A responder whose main follow-up, three weeks after the last infusion, falls due today."""
    who = person(33 - number % 10, "en", Random(f"{seed}/due/{number}"))
    given = tuple(sorted(today - timedelta(days=days) for days in (21, 23, 26, 28, 30, 33)))
    return Life(
        seed=f"{seed}/due/{number}",
        person=replace(who, mrn=f"D{9000 + number:05d}"),
        protocol=INDUCTION,
        indication="depression",
        enrolled_on=given[0] - 4 * DAY,
        infusions=given,
        fate=FATES["lasting"],
        mood=0.74,
        pain=0.1,
        diligence=1.0,
        planned_count=6,
        zone=zone,
        send_hour=hour,
    )


@dataclass(frozen=True, slots=True)
class _Kind:
    protocol: str
    indication: str
    fate: str
    weeks_ago: int
    gaps: tuple[int, ...]  # days from one infusion to the next
    trouble: str = ""
    goes_on: bool = False  # with maintenance, after the induction


def _inductions() -> Iterator[_Kind]:
    gaps = (2, 3, 2, 2, 3)
    fates = ("lasting", "fading", "none", "lasting", "partial", "lasting", "worse", "fading")
    troubles = {2: "silent", 5: "bounces", 9: "withdraws", 12: "silent"}
    for n in range(16):
        weeks = (24, 21, 18, 16, 13, 11, 10, 8, 7, 6, 5, 4, 3, 3, 2, 1)[n]
        indication = "ptsd" if n in (4, 11) else "depression"
        trouble = troubles.get(n, "")
        yield _Kind(INDUCTION, indication, fates[n % 8], weeks, gaps, trouble, n in (0, 3))


def _pains() -> Iterator[_Kind]:
    fates = (
        "partial",
        "fading",
        "none",
        "lasting",
        "partial",
        "fading",
        "partial",
        "none",
        "worse",
    )
    where = ("neuropathic", "migraine", "other_pain")
    troubles = {1: "silent", 6: "bounces"}
    for n in range(9):
        weeks = (25, 19, 14, 11, 9, 7, 5, 3, 2)[n]
        gaps = (7, 7) if n % 2 else (14,)
        yield _Kind(PAIN, where[n % 3], fates[n], weeks, gaps, troubles.get(n, ""))


def _courses_of_days() -> Iterator[_Kind]:
    fates = ("fading", "partial", "none", "fading", "lasting")
    for n in range(5):
        indication = "crps" if n % 2 == 0 else "fibromyalgia"
        weeks = (19, 14, 9, 5, 1)[n]
        yield _Kind(CRPS, indication, fates[n], weeks, (1, 1, 1, 1), "silent" if n == 1 else "")


def _maintained() -> Iterator[_Kind]:
    fates = ("lasting", "partial", "lasting", "fading", "lasting")
    where = ("depression", "neuropathic", "ptsd", "depression", "fibromyalgia")
    for n in range(5):
        gaps = ((28, 28, 28, 28, 28), (35, 35, 35), (28, 28, 28), (42, 42), (28, 28))[n]
        yield _Kind(MAINTENANCE, where[n], fates[n], (24, 20, 16, 14, 10)[n], gaps)


def _life(seed: str, who: Person, kind: _Kind, today: date, rng: Random) -> Life:
    enrolled = today - timedelta(weeks=kind.weeks_ago, days=rng.randint(0, 4))
    every = _infusions(enrolled + timedelta(days=rng.randint(3, 6)), kind.gaps)
    life = Life(
        seed=seed,
        person=who,
        protocol=kind.protocol,
        indication=kind.indication,
        enrolled_on=_workday(enrolled),
        infusions=tuple(day for day in every if day < today),
        planned=tuple(day for day in every if day > today)[:2] or _next_visit(kind, today, rng),
        planned_count=None if kind.protocol == MAINTENANCE else len(every),
        fate=FATES[kind.fate],
        mood=rng.uniform(0.52, 0.85),
        pain=rng.uniform(0.55, 0.85),
        diligence=rng.uniform(0.3, 0.7),
    )
    if kind.goes_on:
        visits = _infusions(every[-1] + 35 * DAY, (28,) * 6)
        life = replace(
            life,
            maintained=tuple(day for day in visits if day < today),
            planned=tuple(day for day in visits if day > today)[:1],
        )
    if life.hurts:
        life = replace(life, mood=rng.uniform(0.2, 0.45))
    elif rng.random() < 0.35:  # most patients of a clinic for depression know such thoughts
        life = replace(life, dark_until=life.infusions[0] + 4 * DAY if life.infusions else today)
    return _troubled(life, kind.trouble)


def _troubled(life: Life, trouble: str) -> Life:
    some_time_on = life.enrolled_on + timedelta(days=24)
    if trouble == "silent":
        return replace(life, silent_from=some_time_on)
    if trouble == "bounces":
        return replace(life, bounces_on=some_time_on)
    if trouble == "withdraws":
        return replace(life, withdraws_on=some_time_on)
    return life


def _special(today: date, seed: int) -> list[Life]:
    """Whose answers of the last day are still on the list of alerts, and one without e-mail yet."""
    days_ago = (24, 27, 29, 32, 34)
    given = tuple(sorted({_workday(today - timedelta(days=days)) for days in days_ago}))
    relapsed = Life(
        seed=f"{seed}/relapsed",
        person=person(30, "en", Random(f"{seed}/relapsed")),
        protocol=INDUCTION,
        indication="depression",
        enrolled_on=given[0] - 5 * DAY,
        infusions=given,
        fate=Fate("fading", 0.55, 12),
        mood=0.8,
        pain=0.1,
        diligence=1.0,
        planned_count=len(given),
        dark_from=today - 3 * DAY,
        answers_at=timedelta(hours=19),
        left="taken",
    )
    newly = Life(
        seed=f"{seed}/newly",
        person=person(31, "en", Random(f"{seed}/newly")),
        protocol=INDUCTION,
        indication="depression",
        enrolled_on=today - DAY,
        infusions=(),
        planned=(today + 2 * DAY, today + 5 * DAY),
        planned_count=6,
        fate=FATES["none"],
        mood=0.78,
        pain=0.1,
        diligence=1.0,
        dark_until=today + DAY,
        answers_at=timedelta(minutes=25),
        left="open",
    )
    return [*_being_cared_for(relapsed, seed), relapsed, newly]


def _being_cared_for(relapsed: Life, seed: int) -> list[Life]:
    """Whose alerts have gone through more hands."""
    handed = replace(
        relapsed,
        seed=f"{seed}/handed",
        person=person(28, "en", Random(f"{seed}/handed")),
        answers_at=timedelta(hours=7),
        left="handed",
    )
    unreached = replace(
        handed,
        seed=f"{seed}/unreached",
        person=person(29, "en", Random(f"{seed}/unreached")),
        answers_at=timedelta(hours=4),
        left="unreached",
    )
    return [handed, unreached]


def _infusions(first: date, gaps: tuple[int, ...]) -> list[date]:
    days = [_workday(first)]
    for gap in gaps:
        days.append(_workday(days[-1] + timedelta(days=gap)))
    return days


def _next_visit(kind: _Kind, today: date, rng: Random) -> tuple[date, ...]:
    if kind.protocol != MAINTENANCE:
        return ()
    return (_workday(today + timedelta(days=rng.randint(2, 12))),)


def _workday(day: date) -> date:
    """`day`, or the Monday after: the clinic is closed at weekends."""
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)
