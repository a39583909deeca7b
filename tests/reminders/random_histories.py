"""Random protocols and random patients, from a seed: what staff do, and when they do it."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from reminders.protocols import InvalidProtocol, parse

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LASTS = timedelta(days=45)
# Clocks that change in March, April, September, October or November, by an hour or by half of one;
# at midnight; never; and zones that are half an hour or three quarters off.
ZONES = [
    "America/Chicago", "America/Denver", "America/Santiago", "Australia/Lord_Howe", "UTC",
    "Africa/Cairo", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Adelaide", "Europe/Madrid",
    "America/St_Johns", "Pacific/Auckland", "Pacific/Kiritimati", "Pacific/Pago_Pago",
]  # fmt: skip
SEASONS = [datetime(2026, month, day, tzinfo=UTC) for month, day in ((2, 20), (9, 5), (10, 15))]
INSTRUMENTS = ["phq9", "gad7", "peg", "nrs7:average", "nrs24:average,worst", "checkin", "pgic"]
AFTER = ["each_infusion", "last_infusion", "first_infusion"]


@dataclass(frozen=True, slots=True)
class Act:
    """What staff do at one instant: a verb, the infusion it is about, and its one argument."""

    at: datetime
    verb: str  # plan, give, move, cancel, pause, resume, change, close, withdraw, unsubscribe
    infusion: int = -1
    to: Any = None


@dataclass(frozen=True, slots=True)
class History:
    seed: int
    protocol: str  # TOML
    zone: str
    clinic: int  # one of a few, which differ in cover, zone, hours and days
    enrolled: datetime
    acts: tuple[Act, ...]
    planned_count: int | None
    send_hour: int | None
    allowed_days: tuple[int, ...]
    answered: str
    until: datetime = field(kw_only=True)


def history(seed: int, clinics: int = 6) -> History:
    rng = random.Random(seed)
    enrolled = rng.choice(SEASONS) + rng.randint(0, 24 * 28) * HOUR
    starts = list(_starts(rng, enrolled))
    return History(
        seed=seed,
        protocol=_protocol(rng, f"random-{seed}"),
        zone=rng.choice(ZONES),
        clinic=seed % clinics,
        enrolled=enrolled,
        acts=tuple(_until_it_ends(sorted(_acts(rng, enrolled, starts), key=lambda act: act.at))),
        planned_count=rng.choice([None, len(starts) or None]),
        send_hour=rng.choice([None, None, 7, 18]),
        allowed_days=rng.choice([(), (), (0, 2, 4), (5, 6)]),
        answered=rng.choice(["none", "all"]),
        until=enrolled + LASTS,
    )


def _starts(rng: random.Random, enrolled: datetime) -> Iterator[datetime]:
    """Up to three, each at a minute of its own, so that no two ever start at the same time."""
    at = enrolled
    for n in range(rng.randint(0, 3)):
        at += rng.randint(2, 24 * 9) * HOUR
        yield at + timedelta(minutes=7 * n)


def _acts(rng: random.Random, enrolled: datetime, starts: list[datetime]) -> Iterator[Act]:
    told = [act for n, start in enumerate(starts) for act in _infusion(rng, n, enrolled, start)]
    yield from told
    yield from _pauses(rng, enrolled)
    yield from _changes(rng, enrolled)
    over = max([act.at for act in told], default=enrolled)
    if rng.random() < 0.2:
        yield Act(over + rng.randint(1, 200) * HOUR + timedelta(minutes=1), "close")
    if rng.random() < 0.1:
        verb = rng.choice(["withdraw", "unsubscribe"])
        yield Act(over + rng.randint(2, 400) * HOUR + timedelta(minutes=2), verb)


def _until_it_ends(acts: list[Act]) -> Iterator[Act]:
    """Nobody pauses or moves somebody who has withdrawn."""
    for act in acts:
        yield act
        if act.verb == "withdraw":
            return


def _infusion(rng: random.Random, n: int, enrolled: datetime, start: datetime) -> Iterator[Act]:
    """One infusion's story: what is entered about it, from its plan to its last correction."""
    if rng.random() < 0.4:
        yield Act(enrolled, "plan", n, start)
        if rng.random() < 0.3:
            known = enrolled + (start - enrolled) * rng.random()
            moved = known + rng.randint(2, 24 * 6) * HOUR
            start = moved.replace(minute=7 * n + 1, second=0, microsecond=0)
            yield Act(known.replace(second=0, microsecond=0), "move", n, start)
        if rng.random() < 0.25:
            yield Act(start - rng.choice([0, 1, 30]) * timedelta(minutes=1), "cancel", n)
            return
        if rng.random() < 0.15:
            return  # nobody ever says what became of it
    late = rng.choice([0, 0, 0, 3, 20, 50, 120]) * HOUR
    given = start + late
    yield Act(given, "give", n, start)
    if rng.random() < 0.35:
        edited = given + rng.randint(1, 24 * 6) * HOUR
        if rng.random() < 0.3:
            yield Act(edited, "cancel", n)
        else:
            to = start + rng.choice([-70, -25, -24, -23, -5, -1, 1, 5, 23, 24, 25, 70]) * HOUR
            yield Act(edited, "move", n, min(to, edited))


def _pauses(rng: random.Random, enrolled: datetime) -> Iterator[Act]:
    if rng.random() > 0.35:
        return
    began = enrolled + rng.randint(1, 24 * 25) * HOUR + timedelta(minutes=3)
    until = rng.choice([None, began + rng.randint(1, 24 * 9) * HOUR])
    yield Act(began, "pause", to=until)
    if until is None or rng.random() < 0.5:
        yield Act(began + rng.randint(1, 24 * 12) * HOUR, "resume")


def _changes(rng: random.Random, enrolled: datetime) -> Iterator[Act]:
    """The patient moves, or wants another hour or other days."""
    for minute in (4, 5):
        if rng.random() < 0.3:
            at = enrolled + rng.randint(1, 24 * 40) * HOUR + timedelta(minutes=minute)
            kinds = [("zone", rng.choice(ZONES)), ("send_hour", rng.choice([None, 9, 20])),
                     ("allowed_days", rng.choice([(), (1, 3), (0, 1, 2, 3, 4)]))]  # fmt: skip
            yield Act(at, "change", to=rng.choice([kinds[0], kinds[0], *kinds[1:]]))


def _protocol(rng: random.Random, key: str) -> str:
    """Drawn again until it is sound."""
    while True:
        steps = "\n".join(_step(rng, n) for n in range(rng.randint(2, 5)))
        text = f'id = "{key}"\nversion = "1"\ntitle = "Random"\nsource = "a die"\n{steps}'
        try:
            parse(text)
        except InvalidProtocol:
            continue
        return text


def _step(rng: random.Random, n: int) -> str:
    lines = [f'[[steps]]\nid = "S{n}"\ntitle = "Step {n}"', *_anchor(rng)]
    hours = rng.choice([24, 36, 48, 72, 96, 168])
    lines.append(f"closes_after_hours = {hours}")
    days = [day for day in (1, 2) if day * 24 < hours and rng.random() < 0.7]
    lines.append(f"reminder_days = {days}")
    names = rng.sample(INSTRUMENTS, rng.randint(1, 3))
    lines.append("instruments = [" + ", ".join(f'"{name}"' for name in names) + "]")
    lines += [line for line in _extras(rng) if rng.random() < 0.2]
    return "\n".join(lines)


def _anchor(rng: random.Random) -> Iterator[str]:
    hour = f'send_at = "{rng.randint(5, 22):02}:{rng.choice(["00", "30"])}"'
    kind = rng.choice(["enrolment", "every", "planned", "after", "after", "after"])
    if kind == "enrolment":
        yield 'anchor = "enrolment"\nsend_at = "at once"'
        if rng.random() < 0.5:
            yield 'closes_at = "first_infusion"\nmail_hours_left = 2'
    elif kind == "every":
        yield f'anchor = "every"\nevery_days = {rng.randint(7, 20)}\n{hour}'
    elif kind == "planned":
        before = f"offset_days = -{rng.randint(1, 3)}"
        yield f'anchor = "next_planned_infusion"\n{before}\n{hour}\ncloses_at = "anchor"'
    else:
        yield f'anchor = "{rng.choice(AFTER)}"\noffset_days = {rng.randint(0, 14)}\n{hour}'


def _extras(rng: random.Random) -> Iterator[str]:
    yield "when.none_planned = true"
    yield "when.no_infusion_that_day = true\nor_next_day = true"
    yield "days_between = 2"
    yield f"opens_before_hours = {rng.choice([24, 72])}"
