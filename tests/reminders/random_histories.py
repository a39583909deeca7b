"""Random protocols and random patients, from a seed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from reminders.protocols import InvalidProtocol, parse

HOUR = timedelta(hours=1)
ZONES = ["America/Chicago", "America/Denver", "America/Santiago", "Australia/Lord_Howe", "UTC"]
INSTRUMENTS = ["phq9", "gad7", "peg", "nrs7:average", "nrs24:average,worst", "checkin", "pgic"]
AFTER = ["each_infusion", "last_infusion", "first_infusion"]


@dataclass(frozen=True, slots=True)
class History:
    protocol: str  # TOML
    zone: str
    enrolled: datetime
    infusions: list[tuple[datetime, str]]
    planned_count: int | None
    send_hour: int | None
    allowed_days: tuple[int, ...]
    cover: str
    answered: str
    until: datetime = field(kw_only=True)


def history(seed: int) -> History:
    rng = random.Random(seed)
    enrolled = _instant(rng)
    gaps = [rng.randint(2, 24 * 9) for _ in range(rng.randint(0, 3))]
    starts = [enrolled + sum(gaps[: n + 1]) * HOUR for n in range(len(gaps))]
    kinds = ["completed"] * 4 + ["planned", "cancelled"]
    return History(
        protocol=_protocol(rng, f"random-{seed}"),
        zone=rng.choice(ZONES),
        enrolled=enrolled,
        infusions=[(start, rng.choice(kinds)) for start in starts],
        planned_count=rng.choice([None, len(gaps) or None]),
        send_hour=rng.choice([None, None, 7, 18]),
        allowed_days=rng.choice([(), (), (0, 2, 4)]),
        cover=rng.choice(["always", "weekdays", "none"]),
        answered=rng.choice(["none", "all"]),
        until=enrolled + timedelta(days=45),
    )


def _instant(rng: random.Random) -> datetime:
    """Often in the weeks around a change of daylight saving."""
    day = rng.choice([datetime(2026, 2, 20, tzinfo=UTC), datetime(2026, 10, 15, tzinfo=UTC)])
    return day + rng.randint(0, 24 * 30) * HOUR


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
