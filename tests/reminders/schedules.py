"""Builders of facts for the schedule's tests: honest defaults, nothing random."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from reminders import protocols
from reminders.dry_run import DryRun, answer, course_facts, dry_run, remember, send, soonest
from reminders.schedule import CourseFacts, InfusionFacts, PatientFacts, Plan, plan
from reminders.schedule.questionnaires import instrument_facts

CHICAGO = ZoneInfo("America/Chicago")


def at(text: str, zone: ZoneInfo = CHICAGO) -> datetime:
    """A local time, as "2026-03-02 14:00", or a date at 08:00."""
    text = text if ":" in text else f"{text} 08:00"
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def infusion(text: str, status="completed", *, zone=CHICAGO, recorded=None) -> InfusionFacts:
    start = at(text, zone)
    return InfusionFacts(text, start, status, at(recorded, zone) if recorded else start)


def course(
    protocol="depression-induction",
    *infusions: InfusionFacts,
    enrolled="2026-03-01",
    zone=CHICAGO,
    name="course",
    **fields,
) -> CourseFacts:
    if isinstance(protocol, str):
        protocol = protocols.latest(protocol)
    fields.setdefault("indication", "depression")
    return CourseFacts(
        name, protocol, enrolled_at=at(enrolled, zone), infusions=infusions, **fields
    )


def patient(*courses: CourseFacts, zone=CHICAGO, language="en", **fields) -> PatientFacts:
    fields.setdefault("clinic_zone", zone)
    fields.setdefault("instruments", instrument_facts(language))
    return PatientFacts(zone=zone, courses=courses, **fields)


def lived(facts: PatientFacts, until: str, answered="none") -> DryRun:
    """The dry run of a patient's first course: its infusions become known as they start."""
    first, *others = facts.courses
    start, events = course_facts(first, first.infusions)
    facts = replace(facts, courses=(start, *others))
    return dry_run(facts, events, at(until, facts.zone), answered)


def messages(run: DryRun) -> list[str]:
    """As "03-02 10:00 A1", reminders as "03-03 10:00 A1 +1"."""
    return [
        f"{sent.at.astimezone(run.facts.zone):%m-%d %H:%M} {' '.join(sent.message.steps)}"
        + (f" +{sent.message.nth}" if sent.message.nth else "")
        for sent in run.sent
    ]


def due(plan: Plan, step: str, infusion: str | None = None):
    """The only due of a step, or the one of an infusion."""
    found = [
        each
        for each in plan.dues
        if each.key.step == step and (infusion is None or each.key.infusion == infusion)
    ]
    assert len(found) == 1, found
    return found[0]


def local(moment: datetime, zone: ZoneInfo = CHICAGO) -> str:
    return f"{moment.astimezone(zone):%m-%d %H:%M}"


def coming(plan: Plan, zone: ZoneInfo = CHICAGO) -> list[str]:
    """What is still to be sent, soonest first."""
    found = [
        (message.send_at, message.steps, message.nth)
        for follow_up in plan.follow_ups
        for message in follow_up.messages
    ]
    return [
        f"{local(send_at, zone)} {' '.join(steps)}" + (f" +{nth}" if nth else "")
        for send_at, steps, nth in sorted(found)
    ]


class Story:
    """A patient's history, told step by step; what falls due on the way is sent."""

    def __init__(self, *courses: CourseFacts, start="2026-03-01", **fields) -> None:
        self.facts = patient(*courses, **fields)
        self.now = at(start, self.facts.zone)

    def peek(self, text: str) -> Plan:
        """The plan as it would be then; nothing is sent or remembered."""
        return plan(self.facts, at(text, self.facts.zone))

    def at(self, text: str) -> Plan:
        """Live until then; the plan that stands afterwards."""
        until = at(text, self.facts.zone)
        planned = self._live()
        while (later := self._next(planned)) is not None and later <= until:
            self.now = later
            planned = self._live()
        self.now = until
        return self._live()

    def down_until(self, text: str) -> Plan:
        """Nothing ran until then."""
        self.now = at(text, self.facts.zone)
        return self._live()

    def _live(self) -> Plan:
        self.facts, planned = remember(self.facts, plan(self.facts, self.now))
        while (due := soonest(planned)) is not None and due[1].send_at <= self.now:
            self.facts = send(self.facts, due[0].id, due[1], self.now)
            self.facts, planned = remember(self.facts, plan(self.facts, self.now))
        return planned

    def _next(self, planned: Plan) -> datetime | None:
        due = soonest(planned)
        times = [due[1].send_at] if due else []
        return min([*times, *([planned.replan_at] if planned.replan_at else [])], default=None)

    def answer(self, step: str, text: str, infusion: str | None = None) -> None:
        follow_up = self._due(step, infusion).follow_up
        self.facts = answer(self.facts, follow_up, at(text, self.facts.zone))

    def begin(self, step: str, text: str) -> None:
        row = self.facts.follow_ups[self._due(step).follow_up]
        row = replace(row, begun_at=at(text, self.facts.zone))
        self.facts = replace(self.facts, follow_ups={**self.facts.follow_ups, row.id: row})

    def follow_up(self, step: str, infusion: str | None = None):
        return self.facts.follow_ups[self._due(step, infusion).follow_up]

    def change(self, **fields) -> None:
        self.facts = replace(self.facts, **fields)

    def course(self, n: int = 0, **fields) -> None:
        courses = list(self.facts.courses)
        courses[n] = replace(courses[n], **fields)
        self.change(courses=tuple(courses))

    def give(self, text: str, status="completed", recorded: str | None = None, n: int = 0) -> None:
        """One more infusion; under a name it had before, its new facts."""
        one = infusion(text, status, zone=self.facts.zone, recorded=recorded)
        others = [i for i in self.facts.courses[n].infusions if i.id != one.id]
        self.course(n, infusions=(*others, one))

    def correct(self, name: str, **fields) -> None:
        if "started_at" in fields:
            fields["started_at"] = at(fields["started_at"], self.facts.zone)
        infusions = [
            replace(i, **fields) if i.id == name else i for i in self.facts.courses[0].infusions
        ]
        self.course(infusions=tuple(infusions))

    def _due(self, step: str, infusion: str | None = None):
        found = [
            due
            for key, due in self.facts.known.items()
            if key.step == step and (infusion is None or key.infusion == infusion)
        ]
        assert len(found) == 1, found
        return found[0]
