"""What moved after it was first planned, and why: one line per change, the last fifty are kept.

Pure. The lines are the `changes` of a message and of a due, which its page reads out to staff.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

KEPT = 50  # enough for any follow-up's life; a row that oscillates must not grow for ever

Value = datetime | str | Iterable[str] | None


def entry(now: datetime, field: str, before: Value, after: Value, reason: str) -> dict[str, str]:
    return {
        "at": _written(now),
        "field": field,
        "before": _written(before),
        "after": _written(after),
        "reason": reason,
    }


def appended(changes: Iterable[dict[str, str]], *entries: dict[str, str]) -> list[dict[str, str]]:
    """A new list with these lines at its end; beyond fifty the oldest are dropped."""
    return [*changes, *entries][-KEPT:]


def _written(value: Value) -> str:
    """Instants in UTC, lists with commas: text, so that a row reads the same in a year."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value) if isinstance(value, str) else ", ".join(value)
