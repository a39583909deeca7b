"""Lines of the documents that must say what the catalogue says, made from the catalogue."""

from collections.abc import Iterator
from datetime import timedelta

from reminders import protocols
from reminders.protocols import Ask, Closing, Protocol, Step
from surveys import instruments
from surveys.instruments import Instrument

CLOSING = {
    Closing.HOURS: "",
    Closing.FIRST_INFUSION: " or the first infusion",
    Closing.NEXT_INFUSION: " or the next infusion",
    Closing.ANCHOR: " or that infusion",
}


def all_instruments() -> list[Instrument]:
    return [instruments.latest(key) for key in sorted({key for key, _ in instruments.available()})]


def all_protocols() -> list[Protocol]:
    return [protocols.latest(key) for key in protocols.available()]


def instrument_rows() -> Iterator[str]:
    """key, version, what is asked, how far back, how often, missing, change thresholds."""
    for each in all_instruments():
        scored = {item for scale in each.scales for item in scale.items}
        yield _row(
            f"`{each.key}`",
            each.version,
            len(each.items),
            len(scored) or "—",
            f"{each.recall_days} days" if each.recall_days else "—",
            _duration(each.min_interval),
            max((scale.max_missing for scale in each.scales), default="—"),
            each.minimal_change if each.minimal_change is not None else "—",
            f"{each.response_percent}%" if each.response_percent else "—",
            f"below {each.remission_below}" if each.remission_below else "—",
        )


def scale_rows() -> Iterator[str]:
    """Each scale's range, direction, bands and LOINC code."""
    for each in all_instruments():
        for scale in each.scales:
            bands = ", ".join(f"{word} from {start}" for start, word in scale.bands)
            yield _row(
                f"`{each.key}` {scale.key}",
                f"{scale.minimum}-{scale.maximum}",
                f"higher is {scale.higher_is}",
                bands or "no bands",
                scale.loinc or "—",
            )


def language_rows() -> Iterator[str]:
    for each in all_instruments():
        for code, wording in sorted(each.wording.items()):
            state = "reviewed" if wording.reviewed else "**not reviewed**"
            part = ", some items only" if wording.partial else ""
            yield _row(f"`{each.key}`", code, wording.source, state + part)


def licence_rows() -> Iterator[str]:
    for each in all_instruments():
        yield _row(f"`{each.key}`", each.licence, each.source)


def step_rows(protocol: Protocol) -> Iterator[str]:
    for step in protocol.steps:
        yield _row(
            f"`{step.id}`",
            step.title,
            _when(step),
            _window(step),
            "; ".join(_ask(ask) for ask in step.asks),
            _reminders(step),
        )


def _when(step: Step) -> str:
    hour = f"{step.send_at:%H:%M}" if step.send_at else "at once"
    if step.every_days:
        return f"every {step.every_days} days, {hour}"
    days = f" {step.offset_days:+d} d" if step.offset_days else ""
    return f"{step.anchor.value.replace('_', ' ')}{days}, {hour}{_conditions(step.conditions)}"


def _window(step: Step) -> str:
    early = f"−{step.opens_before_hours} h to " if step.opens_before_hours else ""
    if step.closes_after_hours is None:
        return f"{early}{step.closes_hours_early} h before that infusion"
    return f"{early}+{step.closes_after_hours} h{CLOSING[step.closing]}"


def _reminders(step: Step) -> str:
    days = ", ".join(f"day {day}" for day in step.reminder_days) or "none"
    return f"{days}, then call list" if step.call_list else days


def _ask(ask: Ask) -> str:
    names = " or ".join(f"`{name}`" for name in ask.one_of)
    return names + _conditions(ask.conditions)


def _conditions(conditions: tuple[protocols.Condition, ...]) -> str:
    """`when` and `unless` as they stand in the file."""
    return "".join(
        f" ({'when' if each.wanted else 'unless'} {_condition(each.name, each.argument)})"
        for each in conditions
    )


def _condition(name: str, argument: object) -> str:
    return f"{name.replace('_', ' ')} {_argument(argument)}".rstrip()


def _argument(argument: object) -> str:
    if argument is True:
        return ""
    return ", ".join(map(str, argument)) if isinstance(argument, tuple) else str(argument)


def _duration(interval: timedelta | None) -> str:
    if interval is None:
        return "—"
    hours = int(interval.total_seconds() // 3600)
    return f"{hours // 24} days" if hours % 24 == 0 else f"{hours} hours"


def _row(*cells: object) -> str:
    return f"| {' | '.join(str(cell) for cell in cells)} |"
