"""When time alone may change a plan, so that somebody looks at it again then."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from reminders.schedule.anchors import completed, count_lifted_at, ends_at, lapses_at
from reminders.schedule.clock import Hours, day_end
from reminders.schedule.facts import LIVE, Due, PatientFacts, PlannedFollowUp, State
from reminders.schedule.states import undeliverable_at

JUST_AFTER = timedelta(seconds=1)
AFTERWARDS = timedelta(minutes=15)  # a morning's mail goes first, then what follows it is planned


def next_look(
    facts: PatientFacts,
    now: datetime,
    hours: Hours,
    dues: Sequence[Due],
    follow_ups: Iterable[PlannedFollowUp],
    entering: datetime | None,
) -> datetime | None:
    times = [
        *_of_courses(facts, now),
        *_of_dues(dues, facts),
        *_of_messages(follow_ups, hours),
        *([entering] if entering else []),
        *([facts.paused_until] if facts.paused_until and facts.status == "paused" else []),
    ]
    return None if facts.gone else min((at for at in times if at > now), default=None)


def _of_courses(facts: PatientFacts, now: datetime) -> Iterator[datetime]:
    for course in facts.courses:
        yield from (
            lapses_at(infusion, facts)
            for infusion in course.infusions
            if infusion.status == "planned"
        )
        given = completed(course)
        if given and course.planned_count is not None and len(given) < course.planned_count:
            yield count_lifted_at(course)
        if (stop := ends_at(course, facts, now)) is not None:
            yield stop


def _of_dues(dues: Sequence[Due], facts: PatientFacts) -> Iterator[datetime]:
    for due in dues:
        if due.state in (*LIVE, State.SKIPPED):
            yield due.closes_at
        if due.state in LIVE and facts.suspended_since is not None:
            yield undeliverable_at(due, facts.suspended_since)


def _of_messages(follow_ups: Iterable[PlannedFollowUp], hours: Hours) -> Iterator[datetime]:
    """Once it has gone, its reminder is to be planned; what did not go on its day goes with the
    next day's, or not at all."""
    for follow_up in follow_ups:
        for message in follow_up.messages[:1]:
            yield message.send_at + AFTERWARDS
            yield message.not_after + JUST_AFTER
            yield day_end(hours.day(message.send_at), hours.zone)
