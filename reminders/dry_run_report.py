"""A dry run as JSON rows and as a table people read. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from reminders.dry_run import DryRun, Sent, merged_with
from reminders.schedule import Due, State


def rows(run: DryRun) -> dict[str, list[dict[str, Any]]]:
    """Instants in UTC, sorted by time, then step. What is only planned has not happened yet."""
    known = run.facts.known
    dues = [due for due in run.dues if due.state is not State.PLANNED]
    return {
        "follow_ups": [
            _due_row(due, merged_with(due, known))
            for due in sorted(dues, key=lambda due: (due.target_at, due.key.step))
        ],
        "messages": [_message_row(sent, run.facts.zone) for sent in _in_order(run)],
    }


def table(run: DryRun) -> Iterator[str]:
    """What goes out, then what became of every step, in the patient's local time."""
    zone = run.facts.zone
    yield f"Messages, times in {zone.key}"
    for sent in _in_order(run):
        name = sent.message.kind + (f" {sent.message.nth}" if sent.message.nth else "")
        steps = " + ".join(sent.message.steps)
        yield f"  {_local(sent.at, zone)}  {name:<12}{steps:<14}{sent.message.reason}".rstrip()
    yield "Follow-ups"
    for due in sorted(run.dues, key=lambda due: (due.target_at, due.key.step)):
        if due.state is not State.PLANNED:
            yield _due_line(due, zone)


def _in_order(run: DryRun) -> list[Sent]:
    return sorted(run.sent, key=lambda sent: (sent.at, sent.message.steps))


def _due_line(due: Due, zone: ZoneInfo) -> str:
    of = f"{due.key.step} #{due.number}" if due.number else due.key.step
    asks = " ".join(due.instruments)
    why = f"  ({due.reason})" if due.reason else ""
    return f"  {_local(due.target_at, zone)}  {of:<10}{due.state:<12}{asks}{why}"


def _due_row(due: Due, merged: list[str]) -> dict[str, Any]:
    return {
        "step": due.key.step,
        "anchor": str(due.anchor),
        "infusion": due.number,
        "occurrence": due.key.occurrence,
        "target_at": _utc(due.target_at),
        "opens_at": _utc(due.opens_at),
        "closes_at": _utc(due.closes_at),
        "instruments": list(due.instruments),
        "merged_with": merged,
        "state": str(due.state),
        "reason": due.reason,
    }


def _message_row(sent: Sent, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "steps": list(sent.message.steps),
        "kind": sent.message.kind,
        "nth": sent.message.nth,
        "send_at": _utc(sent.at),
        "local": sent.at.astimezone(zone).isoformat(timespec="minutes"),
        "reason": sent.message.reason,
    }


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _local(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%a %d %b %Y %H:%M")
