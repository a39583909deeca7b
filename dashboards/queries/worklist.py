"""The patient list: as many queries for five hundred patients as for five."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from django.db.models import QuerySet

from clinic.models import Clinic, Course, Member, Patient
from dashboards.queries.reaching import why_unreachable
from dashboards.queries.timelines import took_place
from dashboards.queries.trends import MOOD, current_course
from dashboards.queries.worklist_facts import Facts, read
from dashboards.rows import Given, LastScore, PatientRow, maybe_over, missed_in_a_row
from surveys.models import Alert


def worklist(member: Member, patients: QuerySet[Patient], *, now: datetime) -> list[PatientRow]:
    """Nine queries; scores (two) and alerts (one) are read only for those who may see them."""
    known = list(patients.only("id", "clinic_id", "name", "email", "status", "paused_until"))
    facts = read(member, patients.order_by(), now)
    return [_row(patient, facts, member, now) for patient in known]


def open_alert_count(clinic: Clinic) -> int:
    """All the front desk may know of alerts: that there are some, and to call the clinician."""
    return Alert.objects.filter(clinic=clinic).open().about_patients().count()


def _status(patient: Patient, now: datetime) -> str:
    """A pause that has run out is over, though nobody has ended it."""
    has_run_out = patient.status == Patient.Status.PAUSED and not patient.is_paused(now)
    return Patient.Status.ACTIVE if has_run_out else patient.status


def _row(patient: Patient, facts: Facts, member: Member, now: datetime) -> PatientRow:
    zone = member.clinic.tz
    courses = facts.courses[patient.pk]
    course = current_course(courses)
    standing = facts.infusions[course.pk] if course else []
    given = [i.started_at.astimezone(zone).date() for i in standing if took_place(i)]
    ahead = [i.started_at for i in standing if not took_place(i) and i.started_at > now]
    passed = [i.started_at for i in standing if not took_place(i) and i.started_at <= now]
    today = now.astimezone(zone).date()
    follow_ups = facts.follow_ups[patient.pk]
    waiting = [f for f in follow_ups if f.finished_at is None]
    return PatientRow(
        id=patient.pk,
        name=patient.name,
        status=_status(patient, now),
        indications=tuple(sorted({str(c.get_indication_display()) for c in _shown(courses)})),
        score=_headline(facts.scores[patient.pk], course),
        infusions=len(given),
        planned=course.planned_infusions if course else None,
        days_since=(today - max(given)).days if given else None,
        alerts=tuple(facts.alerts[patient.pk]),
        unreachable=why_unreachable(patient, facts.suppressions[patient.pk]),
        missed=missed_in_a_row(
            (f.closes_at, f.finished_at is not None)
            for f in follow_ups
            if f.closes_at <= now or f.finished_at
        ),
        due_until=min(
            (f.closes_at for f in waiting if f.send_at <= now < f.closes_at), default=None
        ),
        next_send=min((f.send_at for f in waiting if f.send_at > now), default=None),
        next_infusion=min(ahead, default=None),
        unlogged=min(passed, default=None),
        unknown=facts.unknown[patient.pk],
        maybe_over=_maybe_over(course, given, today, bool(ahead)),
    )


def _shown(courses: Iterable[Course]) -> list[Course]:
    known = list(courses)
    return [course for course in known if course.closed_at is None] or known[-1:]


def _headline(scores: Mapping[str, LastScore], course: Course | None) -> LastScore | None:
    wanted = "mood" if course is None or course.indication in MOOD else "pain"
    return scores.get(wanted) or next(iter(scores.values()), None)


def _maybe_over(course: Course | None, given: Sequence[date], today: date, ahead: bool) -> bool:
    if course is None or course.closed_at is not None:
        return False
    return maybe_over(given, today=today, planned=course.planned_infusions, more_planned=ahead)


def maybe_over_now(course: Course | None, infusions: Iterable[Given], *, now: datetime) -> bool:
    """The same question on the patient's page, from the rows it shows."""
    if course is None:
        return False
    zone = course.patient.clinic.tz
    rows = list(infusions)
    given = [row.at.astimezone(zone).date() for row in rows if row.status == "completed"]
    ahead = any(row.status == "planned" and row.at > now for row in rows)
    return _maybe_over(course, given, now.astimezone(zone).date(), ahead)
