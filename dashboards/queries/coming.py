"""What will be sent, as the planner says it: for a patient as things stand, and as they would stand
after an enrolment or an infusion. Nothing is written."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from clinic.models import Clinic, Course, Patient
from dashboards.queries.history import once, step_title, titles
from dashboards.rows import Coming
from reminders import protocols
from reminders.planning import facts_of, plan_for_display, protocol_of
from reminders.planning.reconciling import SHOWN_AHEAD
from reminders.protocols import Protocol
from reminders.schedule import CourseFacts, InfusionFacts, PatientFacts, Plan, plan
from reminders.schedule.clock import allowed_days as mail_days
from reminders.schedule.questionnaires import instrument_facts
from surveys.cover import cover_of

NEW = "new"


@dataclass(frozen=True, slots=True)
class Preview:
    """What saving would lead to, in the patient's own zone."""

    coming: tuple[Coming, ...]
    zone: ZoneInfo


def coming(patient: Patient, courses: Sequence[Course], *, now: datetime) -> list[Coming]:
    known = {str(course.pk): protocol_of(course) for course in courses}
    return _coming(plan_for_display(patient, now=now), known, now)


def _coming(planned: Plan, known: Mapping[str, Protocol], now: datetime) -> list[Coming]:
    """Follow-ups with something still to be sent or asked, soonest first."""
    reasons = {due.key: due.reason for due in planned.dues}
    rows = [
        Coming(
            at=each.messages[0].send_at if each.messages else each.send_at,
            steps=once(step_title(known[key.course], key.step) for key in each.dues),
            instruments=titles(each.instruments),
            mails=tuple(message.send_at for message in each.messages),
            reason="; ".join(once(reasons[key] for key in each.dues if reasons.get(key))),
        )
        for each in planned.follow_ups
        if each.messages or each.send_at > now
    ]
    return sorted(rows, key=lambda row: row.at)


def preview_enrolment(
    clinic: Clinic,
    *,
    protocol: str,
    indication: str,
    language: str,
    zone: str,
    has_email: bool,
    planned_infusions: int | None,
    first_infusion_at: datetime | None,
    send_hour: int | None,
    days: Iterable[int],
    now: datetime,
) -> Preview:
    """What enrolling would send."""
    chosen = protocols.latest(protocol)
    first = [] if first_infusion_at is None else [_infusion(first_infusion_at, now, planned=True)]
    course = CourseFacts(
        id=NEW,
        protocol=chosen,
        indication=indication,
        enrolled_at=now,
        planned_count=planned_infusions,
        infusions=tuple(first),
    )
    facts = PatientFacts(
        zone=ZoneInfo(zone or clinic.zone),
        clinic_zone=clinic.tz,
        courses=(course,),
        instruments=instrument_facts(language, _switched_on(clinic, language)),
        cover=cover_of(clinic, now=now),
        channel="email" if has_email else "none",
        closed_on=clinic.closed_on,
        quiet_from=clinic.quiet_from,
        quiet_until=clinic.quiet_until,
        send_hour=send_hour,
        allowed_days=mail_days(clinic.allowed_days, days),
    )
    rows = _coming(plan(facts, now, SHOWN_AHEAD), {NEW: chosen}, now)
    return Preview(tuple(rows), facts.zone)


def _switched_on(clinic: Clinic, language: str) -> frozenset[str]:
    pairs = (name.partition(":") for name in clinic.switched_on)
    return frozenset(key for key, _, code in pairs if code == language)


def preview_infusion(
    course: Course,
    started_at: datetime,
    *,
    now: datetime,
    instead_of: uuid.UUID | None = None,
    next_at: datetime | None = None,
) -> Preview:
    """What logging (or, in the future, planning) this infusion would send."""
    facts = facts_of(course.patient, now=now)
    extra = [_infusion(started_at, now, planned=started_at > now)]
    if next_at is not None:
        extra.append(_infusion(next_at, now, planned=True))
    facts = replace(
        facts,
        courses=tuple(
            _with(each, extra, instead_of) if each.id == str(course.pk) else each
            for each in facts.courses
        ),
    )
    known = {each.id: each.protocol for each in facts.courses}
    return Preview(tuple(_coming(plan(facts, now, SHOWN_AHEAD), known, now)), facts.zone)


def _infusion(at: datetime, now: datetime, *, planned: bool) -> InfusionFacts:
    return InfusionFacts(f"{NEW}-{at.isoformat()}", at, "planned" if planned else "completed", now)


def _with(
    course: CourseFacts, extra: Iterable[InfusionFacts], instead_of: uuid.UUID | None
) -> CourseFacts:
    kept = [infusion for infusion in course.infusions if infusion.id != str(instead_of)]
    ordered = sorted([*kept, *extra], key=lambda infusion: infusion.started_at)
    return replace(course, infusions=tuple(ordered))
