"""When a step, or one of its questionnaires, applies: named functions, no expressions."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from reminders.protocols import Condition
from reminders.schedule.anchors import counts
from reminders.schedule.answered import answered_at
from reminders.schedule.clock import local_date
from reminders.schedule.facts import Due, Occasion


def holds(conditions: Iterable[Condition], occasion: Occasion) -> bool:
    return failed(conditions, occasion) is None


def failed(conditions: Iterable[Condition], occasion: Occasion) -> Condition | None:
    """The first condition that does not hold."""
    for condition in conditions:
        if CONDITIONS[condition.name](occasion, condition.argument) is not condition.wanted:
            return condition
    return None


def why_not(condition: Condition) -> str:
    """What staff read when a step is skipped because of this condition."""
    return REASONS[condition.name].format(*_words(condition.argument))


def _words(argument: Any) -> tuple[Any, ...]:
    return argument if isinstance(argument, tuple) else (argument,)


def infusion_number(occasion: Occasion, number: int) -> bool:
    return occasion.number == number


def older_than(occasion: Occasion, argument: tuple[str, int]) -> bool:
    """The step was answered, or if never answered was due, more than `days` ago."""
    step, days = argument
    dues = list(_dues_of(occasion, step))
    answered = [at for due in dues if (at := answered_at(due, occasion.facts))]
    last = max(answered or [due.target_at for due in dues] or [occasion.course.enrolled_at])
    return occasion.target_at - last > timedelta(days=days)


def answered_within(occasion: Occasion, argument: tuple[str, int]) -> bool:
    """The step was answered in the `days` before this one's target."""
    step, days = argument
    return any(
        timedelta(0) <= occasion.target_at - at <= timedelta(days=days)
        for due in _dues_of(occasion, step)
        if (at := answered_at(due, occasion.facts))
    )


def none_planned(occasion: Occasion, _: bool) -> bool:
    return not any(
        infusion.status == "planned" and counts(infusion, occasion.facts, occasion.now)
        for infusion in occasion.course.infusions
    )


def no_infusion_that_day(occasion: Occasion, _: bool) -> bool:
    facts = occasion.facts
    day = local_date(occasion.target_at, facts.zone)
    return not any(
        local_date(infusion.started_at, facts.clinic_zone) == day
        for course in facts.courses
        for infusion in course.infusions
        if counts(infusion, facts, occasion.now)
    )


def indication_in(occasion: Occasion, indications: tuple[str, ...]) -> bool:
    return occasion.course.indication in indications


def score_at_least(occasion: Occasion, argument: tuple[str, str, int]) -> bool:
    """The latest score there is; without one, no."""
    instrument, scale, value = argument
    found: list[tuple[datetime, Any]] = [
        (answer.finished_at, answer.scores[scale])
        for answer in occasion.facts.answers
        if answer.instrument == instrument and scale in answer.scores
    ]
    return bool(found) and max(found)[1] >= value


def _dues_of(occasion: Occasion, step: str) -> Iterable[Due]:
    return (
        due
        for key, due in occasion.facts.known.items()
        if key.course == occasion.course.id and key.step == step
    )


CONDITIONS: Mapping[str, Callable[[Occasion, Any], bool]] = {
    "infusion_number": infusion_number,
    "older_than": older_than,
    "answered_within": answered_within,
    "none_planned": none_planned,
    "no_infusion_that_day": no_infusion_that_day,
    "indication_in": indication_in,
    "score_at_least": score_at_least,
}

REASONS: Mapping[str, str] = {
    "infusion_number": "only after infusion {0}",
    "older_than": "{0} is not more than {1} days old",
    "answered_within": "{0} was answered in the last {1} days",
    "none_planned": "an infusion is planned",
    "no_infusion_that_day": "every day in reach has an infusion",
    "indication_in": "not for this indication",
    "score_at_least": "{0} is below {2}",
}
