"""When an alert that nobody has taken goes on to further people. Pure.

Counted from the moment it was raised, by its level now, and by nothing else: neither a note, nor a
call, nor a change of the level, nor mail that does not go moves it. docs/safety.md has the table.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

EVERYBODY = 1_000  # more than any clinic has

_MINUTES: Mapping[str, tuple[tuple[int, int], ...]] = {
    # after so many minutes: so many people beyond the responders
    "critical": ((15, 1), (30, 3), (60, EVERYBODY)),
    "urgent": ((60, 1), (120, 2)),
    "review": ((24 * 60, 1), (48 * 60, EVERYBODY)),
}
INCIDENT_AFTER = timedelta(hours=12)  # Nock 2021: respond to imminent risk within 12 hours
OF_INCIDENTS = frozenset({"critical", "urgent"})
# From then on every page of the clinic says so.
SHOWN_AFTER: Mapping[str, timedelta] = {
    "critical": timedelta(minutes=60),
    "urgent": INCIDENT_AFTER,
}

UNTAKEN, NOT_DELIVERED, INCIDENT = "untaken", "not_delivered", "incident"


@dataclass(frozen=True, slots=True)
class Due:
    """One step, and the moment at which it was due, whenever it is taken."""

    reason: str
    n: int
    at: datetime


def due(level: str, raised_at: datetime, now: datetime) -> list[Due]:
    """All steps up to now, in order."""
    steps = [
        Due(UNTAKEN, n, raised_at + timedelta(minutes=minutes))
        for n, (minutes, _) in enumerate(_MINUTES[level], start=1)
    ]
    if level in OF_INCIDENTS:
        steps.append(Due(INCIDENT, 1, raised_at + INCIDENT_AFTER))
    return [step for step in steps if step.at <= now]


def reach(level: str, taken: Iterable[tuple[str, int]]) -> int:
    """How many beyond the responders are told, after these steps (reason, n)."""
    steps = _MINUTES[level]
    wide = [
        EVERYBODY if reason == INCIDENT else steps[min(n, len(steps)) - 1][1]
        for reason, n in taken
        if reason != NOT_DELIVERED
    ]
    return max(wide, default=0)
