"""What moved after it was first planned, and why: one line per change, the last fifty are kept.

Pure. The lines are the `changes` of a message and of a due, which its page reads out to staff.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime

KEPT = 50  # enough for any follow-up's life; a row that oscillates must not grow for ever

_STATES = {
    "asked": "its e-mail went out, or it was begun",
    "satisfied": "answered",
    "planned": "to be asked again",
}

Value = datetime | str | Iterable[str] | None


def entry(now: datetime, field: str, before: Value, after: Value, reason: str) -> dict[str, str]:
    return {
        "at": _written(now),
        "field": field,
        "before": _written(before),
        "after": _written(after),
        "reason": reason,
    }


def differences(
    now: datetime, before: Mapping[str, Value], after: Mapping[str, Value], reason: str
) -> list[dict[str, str]]:
    """One line for each of the fields in `before` that is another one in `after`."""
    return [
        entry(now, field, value, after[field], reason)
        for field, value in before.items()
        if value != after[field]
    ]


def appended(changes: Iterable[dict[str, str]], *entries: dict[str, str]) -> list[dict[str, str]]:
    """A new list with these lines at its end; beyond fifty the oldest are dropped."""
    return [*changes, *entries][-KEPT:]


def why_moved(changed: Collection[str], state: str, reason: str) -> str:
    """The fact behind a due's change: the plan's own reason where it gives one that is new."""
    said = [reason] if reason and {"reason", "state"} & set(changed) else []
    if "anchor_at" in changed:
        said.insert(0, "what it is counted from was moved")
    if not said and "state" in changed:
        said = [_STATES.get(state, "")]
    if not said and "instruments" in changed:
        said = ["what may be asked has changed"]
    if not said and "closes_at" in changed:
        said = ["its window was moved"]
    return "; ".join(filter(None, said)) or "planned again"


def _written(value: Value) -> str:
    """Instants in UTC, lists with commas: text, so that a row reads the same in a year."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value) if isinstance(value, str) else ", ".join(value)
