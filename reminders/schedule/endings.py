"""What ends a due before its window does: newer infusions and courses, cancellations."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from reminders.protocols import Anchor
from reminders.schedule.anchors import completed, ends_at, expects_more
from reminders.schedule.facts import Occasion, State
from reminders.schedule.occasions import is_final

# An infusion's time corrected by less keeps what was sent; by this much or more it is asked again.
REISSUED_AFTER = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Ending:
    state: State
    reason: str
    also_asked: bool = True  # it also takes back what was sent and not begun


def ending(occasion: Occasion) -> Ending | None:
    """The first thing that ends this due, whatever time it is; none while nothing does."""
    return (
        _void(occasion)
        or _replaced(occasion)
        or _newer_course(occasion)
        or _not_expected(occasion)
        or _course_over(occasion)
    )


def _void(occasion: Occasion) -> Ending | None:
    infusion = occasion.infusion
    if infusion is not None and infusion.status == "cancelled":
        return Ending(State.CANCELLED, "the infusion was cancelled")
    return None


def _replaced(occasion: Occasion) -> Ending | None:
    """An infusion given later in this course takes over, unless the window closed before."""
    infusion, anchor = occasion.infusion, occasion.step.anchor
    if infusion is None or anchor not in (Anchor.EACH_INFUSION, Anchor.LAST_INFUSION):
        return None
    given = completed(occasion.course)
    later = [i for i in given if i.started_at > infusion.started_at]
    if not later or _over_before(occasion, later[0].started_at):
        return None
    return Ending(State.SUPERSEDED, f"replaced after infusion {given.index(later[0]) + 1}")


def _over_before(occasion: Occasion, start: datetime) -> bool:
    return occasion.closes_at <= start and occasion.target_at < start


def _newer_course(occasion: Occasion) -> Ending | None:
    course = occasion.course
    if not course.protocol.after_primary(occasion.step.id):
        return None
    newer = [
        other.enrolled_at
        for other in occasion.facts.courses
        if other.enrolled_at > course.enrolled_at and other.enrolled_at < occasion.closes_at
    ]
    return Ending(State.SUPERSEDED, "a newer course began") if newer else None


def _not_expected(occasion: Occasion) -> Ending | None:
    """Its infusion is no longer the one the step is counted from."""
    step, infusion = occasion.step, occasion.infusion
    if step.anchor is Anchor.LAST_INFUSION and expects_more(
        occasion.course, occasion.facts, occasion.now
    ):
        return Ending(State.CANCELLED, "another infusion is expected", also_asked=False)
    if step.anchor is Anchor.FIRST_INFUSION and completed(occasion.course)[:1] != [infusion]:
        return Ending(State.CANCELLED, "an earlier infusion was recorded")
    numbers = [c for c in step.conditions if c.name == "infusion_number"]
    numbered = step.anchor in (Anchor.EACH_INFUSION, Anchor.NEXT_PLANNED)
    if numbered and any((c.argument == occasion.number) is not c.wanted for c in numbers):
        return Ending(State.CANCELLED, "the infusions are numbered anew", also_asked=False)
    return None


def _course_over(occasion: Occasion) -> Ending | None:
    course, step = occasion.course, occasion.step
    stop = ends_at(course, occasion.facts, occasion.now)
    if is_final(step, occasion.key):
        gone_on = stop is None or stop > occasion.now
        return Ending(State.CANCELLED, "the course goes on", also_asked=False) if gone_on else None
    if step.anchor is Anchor.EVERY and stop is not None and occasion.target_at >= stop:
        return Ending(State.CANCELLED, "the course is over")
    closed = course.closed_at is not None and course.closed_at <= occasion.now
    if closed and step.anchor in (Anchor.ENROLMENT, Anchor.NEXT_PLANNED):
        return Ending(State.CANCELLED, "the course was closed", also_asked=False)
    return None
