"""TOML -> Protocol. Refuses what it does not understand, naming the place."""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from datetime import time
from decimal import Decimal
from typing import Any

from reminders.protocols.shape import Anchor, Ask, Closing, Condition, Protocol, Step
from reminders.protocols.soundness import contradictions
from surveys.instruments.reading import InvalidInstrument, Table


class InvalidProtocol(ValueError):
    """A protocol that cannot be used; the message names the place."""


def parse(text: str) -> Protocol:
    try:
        top = Table(tomllib.loads(text, parse_float=Decimal), "protocol")
        protocol = _read(top)
        top.close()
    except (tomllib.TOMLDecodeError, InvalidInstrument) as error:
        raise InvalidProtocol(str(error)) from error
    if found := contradictions(protocol):
        raise InvalidProtocol("; ".join(found))
    return protocol


def _read(top: Table) -> Protocol:
    top.where = top.text("id")
    return Protocol(
        id=top.where,
        version=top.text("version"),
        title=top.text("title"),
        source=top.text("source"),
        ends_after_days=top.optional("ends_after_days", int),
        ends_unanswered=top.optional("ends_unanswered", str) or "",
        steps=tuple(_step(table) for table in top.tables("steps")),
    )


def _step(table: Table) -> Step:
    step_id = table.text("id")
    table.where = f"{table.where} {step_id}"
    step = Step(
        id=step_id,
        title=table.text("title"),
        anchor=table.one_of("anchor", tuple(Anchor)),
        asks=_asks(table),
        offset_days=table.optional("offset_days", int) or 0,
        every_days=table.optional("every_days", int) or 0,
        send_at=_hour(table),
        opens_before_hours=table.optional("opens_before_hours", int) or 0,
        closes_after_hours=table.optional("closes_after_hours", int),
        closing=table.maybe_one_of("closes_at", tuple(Closing)) or Closing.HOURS,
        closes_hours_early=table.optional("closes_hours_early", int) or 0,
        mail_hours_left=table.optional("mail_hours_left", int) or 0,
        reminder_days=table.wholes("reminder_days"),
        conditions=_conditions(table),
        or_next_day=table.flag("or_next_day"),
        days_between=table.optional("days_between", int) or 0,
        call_list=table.flag("call_list"),
        call_list_after_hours=table.optional("call_list_after_hours", int),
        primary=table.flag("primary"),
        final=table.flag("final"),
        overlap_accepted=table.optional("overlap_accepted", str) or "",
    )
    table.close()
    return step


def _hour(table: Table) -> time | None:
    written = table.text("send_at")
    if written == "at once":
        return None
    try:
        return time.fromisoformat(written)
    except ValueError as error:
        raise table.refuse(f"send_at must be an hour or 'at once', not {written!r}") from error


def _asks(table: Table) -> tuple[Ask, ...]:
    """The step's own questionnaires, then those asked under a condition."""
    asks = [Ask(tuple(name.split(" or "))) for name in table.texts("instruments")]
    for also in table.tables("also"):
        conditions = _conditions(also)
        names = also.texts("instruments")
        also.close()
        asks += [Ask(tuple(name.split(" or ")), conditions) for name in names]
    return tuple(asks)


def _conditions(table: Table) -> tuple[Condition, ...]:
    return tuple(
        _condition(named, name, wanted, raw)
        for word, wanted in (("when", True), ("unless", False))
        if (named := table.table(word)) is not None
        for name, raw in named.rest().items()
    )


def _condition(table: Table, name: str, wanted: bool, raw: object) -> Condition:
    if name not in ARGUMENTS:
        raise table.refuse(f"unknown condition {name}; known are {', '.join(ARGUMENTS)}")
    argument = ARGUMENTS[name](raw)
    if argument is None:
        raise table.refuse(f"{name} cannot be {raw!r}")
    return Condition(name, argument, wanted)


def _positive(raw: object) -> int | None:
    return raw if type(raw) is int and raw > 0 else None


def _true(raw: object) -> bool | None:
    return True if raw is True else None


def _texts(raw: object) -> tuple[str, ...] | None:
    if not isinstance(raw, list) or not raw or not all(isinstance(text, str) for text in raw):
        return None
    return tuple(raw)


def _fields(raw: object, kinds: Iterable[tuple[str, type]]) -> tuple[Any, ...] | None:
    """The values of a small table, in the order of `kinds`; every one of them is needed."""
    kinds = list(kinds)
    if not isinstance(raw, Mapping) or set(raw) != {name for name, _ in kinds}:
        return None
    if any(type(raw[name]) is not kind for name, kind in kinds):
        return None
    return tuple(raw[name] for name, _ in kinds)


def _step_and_days(raw: object) -> tuple[Any, ...] | None:
    return _fields(raw, [("step", str), ("days", int)])


def _score(raw: object) -> tuple[Any, ...] | None:
    return _fields(raw, [("instrument", str), ("scale", str), ("value", int)])


# What each condition takes. The functions themselves are in reminders/schedule/conditions.py.
ARGUMENTS: Mapping[str, Callable[[object], Any]] = {
    "infusion_number": _positive,
    "older_than": _step_and_days,
    "answered_within": _step_and_days,
    "none_planned": _true,
    "no_infusion_that_day": _true,
    "indication_in": _texts,
    "score_at_least": _score,
}
