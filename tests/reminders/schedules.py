"""Builders of facts for the schedule's tests: honest defaults, nothing random."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from reminders import protocols
from reminders.dry_run import DryRun, course_facts, dry_run
from reminders.schedule import CourseFacts, InfusionFacts, PatientFacts, Plan
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
    facts = PatientFacts(
        **{name: getattr(facts, name) for name in facts.__slots__ if name != "courses"},
        courses=(start, *others),
    )
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
