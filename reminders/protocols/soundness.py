"""What a protocol must not say: steps that could never be sent, or that contradict each other."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import combinations

from reminders.protocols.shape import Anchor, Closing, Condition, Protocol, Step
from surveys import instruments

INDICATIONS = (
    "depression",
    "ptsd",
    "neuropathic",
    "crps",
    "fibromyalgia",
    "migraine",
    "other_pain",
)


def contradictions(protocol: Protocol) -> list[str]:
    """One sentence for each, empty for a sound protocol."""
    found = [f"{protocol.id}: {sentence}" for sentence in _of_protocol(protocol)]
    for step in protocol.steps:
        found += [f"{protocol.id} {step.id}: {sentence}" for sentence in _of_step(step, protocol)]
    return found + [f"{protocol.id} {sentence}" for sentence in _too_close(protocol)]


def _of_protocol(protocol: Protocol) -> Iterator[str]:
    ids = [step.id for step in protocol.steps]
    if not ids:
        yield "has no steps"
    if len(set(ids)) < len(ids):
        yield "a step id is used twice"
    if sum(step.primary for step in protocol.steps) > 1:
        yield "more than one step is primary"
    if protocol.ends_unanswered and protocol.ends_unanswered not in ids:
        yield f"ends_unanswered names no step: {protocol.ends_unanswered}"


def _of_step(step: Step, protocol: Protocol) -> Iterator[str]:
    yield from (sentence for broken, sentence in RULES if broken(step))
    yield from _unknown_instruments(step)
    ids = {other.id for other in protocol.steps}
    for condition in _all_conditions(step):
        named = condition.argument
        if condition.name in ("older_than", "answered_within") and named[0] not in ids:
            yield f"{condition.name} names no step: {named[0]}"
        if condition.name == "indication_in" and set(named) - set(INDICATIONS):
            yield f"unknown indication in {', '.join(named)}"


def _closes_without_hours(step: Step) -> bool:
    if step.closes_after_hours is None:
        return step.closing is not Closing.ANCHOR
    return step.closes_after_hours <= 0


def _reminds_after_the_window(step: Step) -> bool:
    """A reminder whose day begins after the last hour can never be sent."""
    hours = step.closes_after_hours
    return hours is not None and any(day * 24 >= hours for day in step.reminder_days)


MOST_REMINDERS = 2  # of one check-in: a third would be nagging
RULES: list[tuple[Callable[[Step], bool], str]] = [
    (lambda step: not step.asks, "asks nothing"),
    (lambda step: any(not name for ask in step.asks for name in ask.one_of), "an empty name"),
    (_closes_without_hours, "closes_after_hours must be above 0"),
    (lambda step: step.opens_before_hours < 0, "opens_before_hours must not be negative"),
    (lambda step: step.closes_hours_early < 0, "closes_hours_early must not be negative"),
    (_reminds_after_the_window, "a reminder falls after the window"),
    (lambda step: any(day < 1 for day in step.reminder_days), "reminders begin on day 1"),
    (lambda step: len(step.reminder_days) > MOST_REMINDERS, "more than two reminders"),
    (
        lambda step: list(step.reminder_days) != sorted(set(step.reminder_days)),
        "reminder days must ascend",
    ),
    (
        lambda step: (step.anchor is Anchor.EVERY) != (step.every_days > 0),
        "every_days belongs to the anchor `every`, and it needs one",
    ),
    (lambda step: step.final and step.anchor is not Anchor.EVERY, "only `every` can be final"),
    (
        lambda step: step.closing is Closing.ANCHOR and step.anchor is not Anchor.NEXT_PLANNED,
        "only a planned infusion can close its own step",
    ),
    (
        lambda step: (
            step.closing is Closing.NEXT_INFUSION and step.anchor is not Anchor.EACH_INFUSION
        ),
        "only a step of each infusion closes at the next",
    ),
    (
        lambda step: step.offset_days < 0 and step.anchor is not Anchor.NEXT_PLANNED,
        "only a planned infusion can be preceded",
    ),
    (
        lambda step: step.anchor is Anchor.NEXT_PLANNED and step.offset_days >= 0,
        "a step before a planned infusion needs a negative offset",
    ),
    (
        lambda step: step.send_at is None and step.anchor is not Anchor.ENROLMENT,
        "only enrolment is asked at once",
    ),
]


def _unknown_instruments(step: Step) -> Iterator[str]:
    for name in (name for ask in step.asks for name in ask.one_of):
        try:
            instruments.named(name)
        except ValueError:
            yield f"unknown instrument {name}"


def _all_conditions(step: Step) -> list[Condition]:
    return [*step.conditions, *(each for ask in step.asks for each in ask.conditions)]


def _too_close(protocol: Protocol) -> Iterator[str]:
    """Two steps of one anchor may not ask the same thing inside its minimum interval."""
    for first, second in combinations(protocol.steps, 2):
        if first.anchor is not second.anchor or second.overlap_accepted:
            continue
        for key in sorted(_keys(first) & _keys(second)):
            least = instruments.latest(key).min_interval
            if least and abs(second.offset_days - first.offset_days) * timedelta(days=1) < least:
                yield f"{first.id} and {second.id}: {key} again inside its minimum interval"


def _keys(step: Step) -> set[str]:
    """Questionnaires a step asks whatever happens; alternatives adapt by themselves."""
    if step.anchor not in (Anchor.FIRST_INFUSION, Anchor.LAST_INFUSION):
        return set()
    return {instruments.split_name(ask.one_of[0])[0] for ask in step.asks if len(ask.one_of) == 1}
