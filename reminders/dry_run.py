"""What one course would send, without a database: a fold of `plan` over events in time order.

An infusion is known from its start on, a planned or later cancelled one from enrolment. Every
message goes at its instant; the patient answers one hour after each, or never.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from reminders.schedule import (
    AnswerFacts,
    CourseFacts,
    Due,
    FollowUpFacts,
    InfusionFacts,
    Key,
    Message,
    PatientFacts,
    Plan,
    PlannedFollowUp,
    SentFacts,
    local_date,
    plan,
)
from reminders.schedule.answered import key_of

ANSWERED_AFTER = timedelta(hours=1)
Answered = Literal["none", "all"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that becomes known: from `at` on, these are the facts.

    An infusion stands in the place of what was known of it. `patient` and `course` hold those of
    their facts that are others from now on: a pause, another zone, the end of the course.
    """

    at: datetime
    infusion: InfusionFacts | None = None
    patient: Mapping[str, Any] = field(default_factory=dict)
    course: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sent:
    message: Message
    at: datetime


@dataclass(frozen=True, slots=True)
class DryRun:
    facts: PatientFacts
    dues: tuple[Due, ...]
    sent: tuple[Sent, ...]


def dry_run(
    start: PatientFacts, events: Iterable[Event], until: datetime, answered: Answered
) -> DryRun:
    """Live through the events of the first course, and everything that falls due before `until`."""
    waiting = sorted(events, key=lambda event: event.at)
    run = _Run(start, answered)
    now: datetime | None = waiting[0].at
    while now is not None and now < until:
        while waiting and waiting[0].at <= now:
            run.learn(waiting.pop(0))
        later = run.live(now)
        now = min([*later, *(event.at for event in waiting[:1])], default=None)
    return DryRun(run.facts, tuple(run.facts.known.values()), tuple(run.sent))


class _Run:
    """The state of the fold."""

    def __init__(self, facts: PatientFacts, answered: Answered) -> None:
        self.facts = facts
        self.answered = answered
        self.sent: list[Sent] = []
        self.answers: list[tuple[datetime, str]] = []  # when, and on which follow-up

    def learn(self, event: Event) -> None:
        course, *others = self.facts.courses
        infusions = course.infusions
        if event.infusion is not None:
            kept = [each for each in infusions if each.id != event.infusion.id]
            infusions = (*kept, event.infusion)
        course = replace(course, infusions=infusions, **event.course)
        self.facts = replace(self.facts, courses=(course, *others), **event.patient)

    def live(self, now: datetime) -> list[datetime]:
        """Answer, plan and send what is due by `now`; the instants to look at next."""
        for at, follow_up in [pair for pair in self.answers if pair[0] <= now]:
            self.answers.remove((at, follow_up))
            self.facts = answer(self.facts, follow_up, at)
        planned = self._plan(now)
        while (due := soonest(planned)) is not None and due[1].send_at <= now:
            self._send(*due, now)
            planned = self._plan(now)
        sending = [] if due is None else [due[1].send_at]
        looking = [] if planned.replan_at is None else [planned.replan_at]
        return [*sending, *looking, *(at for at, _ in self.answers)]

    def _plan(self, now: datetime) -> Plan:
        planned = plan(self.facts, now)
        self.facts, planned = remember(self.facts, planned)
        return planned

    def _send(self, follow_up: PlannedFollowUp, message: Message, now: datetime) -> None:
        assert follow_up.id is not None
        self.facts = send(self.facts, follow_up.id, message, now)
        self.sent.append(Sent(message, now))
        if self.answered == "all":
            self.answers.append((now + ANSWERED_AFTER, follow_up.id))


def soonest(planned: Plan) -> tuple[PlannedFollowUp, Message] | None:
    coming = [(each, each.messages[0]) for each in planned.follow_ups if each.messages]
    return min(coming, key=lambda pair: pair[1].send_at, default=None)


def remember(facts: PatientFacts, planned: Plan) -> tuple[PatientFacts, Plan]:
    """Do to the facts what the reconciler does to the database."""
    follow_ups = dict(facts.follow_ups)
    named = []
    for each in planned.follow_ups:
        row = each.id or f"follow-up {len(follow_ups) + 1}"
        named.append(replace(each, id=row))
        before = follow_ups.get(row, FollowUpFacts(row, each.local_date))
        follow_ups[row] = replace(before, local_date=each.local_date)
    for row in planned.withdraw:
        follow_ups[row] = replace(follow_ups[row], withdrawn=True)
    known = {due.key: due for due in planned.dues}
    for each in named:
        known |= {key: replace(known[key], follow_up=each.id) for key in each.dues}
    facts = replace(facts, known={**facts.known, **known}, follow_ups=follow_ups)
    return facts, replace(planned, follow_ups=tuple(named))


def send(facts: PatientFacts, follow_up: str, message: Message, now: datetime) -> PatientFacts:
    """The provider accepted it."""
    on = local_date(now, facts.zone)
    sent = SentFacts(follow_up, message.kind, message.nth, on)
    row = replace(facts.follow_ups[follow_up], invitation="sent")
    return replace(facts, sent=(*facts.sent, sent), follow_ups={**facts.follow_ups, follow_up: row})


def answer(facts: PatientFacts, follow_up: str, at: datetime) -> PatientFacts:
    """The patient answers everything asked on a follow-up, if it is still open."""
    dues = [due for due in facts.known.values() if due.follow_up == follow_up]
    row = facts.follow_ups[follow_up]
    if row.withdrawn or row.finished_at or all(due.closes_at <= at for due in dues):
        return facts
    keys = dict.fromkeys(key_of(name) for due in dues for name in due.instruments)
    given = tuple(AnswerFacts(key, at, follow_up) for key in keys)
    row = replace(row, begun_at=at, finished_at=at)
    return replace(
        facts, answers=facts.answers + given, follow_ups={**facts.follow_ups, follow_up: row}
    )


def merged_with(due: Due, dues: Mapping[Key, Due]) -> list[str]:
    """The other steps asked on the same follow-up."""
    if due.follow_up is None:
        return []
    return sorted(
        other.key.step
        for other in dues.values()
        if other.follow_up == due.follow_up and other.key != due.key
    )


def course_facts(
    course: CourseFacts, infusions: Iterable[InfusionFacts]
) -> tuple[CourseFacts, list[Event]]:
    """The course as it stands at enrolment, and what becomes known afterwards."""
    from_enrolment, events = [], [Event(course.enrolled_at)]
    for infusion in infusions:
        known_at = max(infusion.started_at, course.enrolled_at)
        if infusion.status != "completed":
            from_enrolment.append(replace(infusion, status="planned"))
        if infusion.status != "planned":
            events.append(Event(known_at, replace(infusion, recorded_at=known_at)))
    return replace(course, infusions=tuple(from_enrolment)), events
