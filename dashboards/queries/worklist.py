"""The patient list: as many queries for five hundred patients as for five."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery

from clinic.access import may
from clinic.models import Clinic, Course, Infusion, Member, Patient
from dashboards.queries.definitions import instrument_of, printed
from dashboards.queries.trends import MOOD, current_course
from dashboards.rows import Given, LastScore, OpenAlert, PatientRow, maybe_over, missed_in_a_row
from dashboards.rows.worklist import Unreachable
from reminders.models import Message, State, Suppression
from reminders.suppression import in_the_way
from surveys.models import Alert, FollowUp, Response, Score

LOOK_BACK = timedelta(days=90)  # older silence is history
HEADLINE_MOOD, HEADLINE_PAIN = ("phq9", "phq8"), ("peg", "nrs7")
_WHY: Mapping[str, Unreachable] = {
    "": "",
    Suppression.Reason.HARD_BOUNCE: "bounced",
    Suppression.Reason.SOFT_BOUNCES: "bounced",
    Suppression.Reason.COMPLAINT: "complained",
    Suppression.Reason.UNSUBSCRIBED: "unsubscribed",
    Suppression.Reason.REFUSED: "refused",
    Suppression.Reason.STAFF: "stopped_by_staff",
}


@dataclass
class _Facts:
    """What is known of each patient, by id."""

    courses: dict[UUID, list[Course]] = field(default_factory=lambda: defaultdict(list))
    infusions: dict[UUID, list[Infusion]] = field(default_factory=lambda: defaultdict(list))
    scores: dict[UUID, dict[str, LastScore]] = field(default_factory=lambda: defaultdict(dict))
    alerts: dict[UUID, list[OpenAlert]] = field(default_factory=lambda: defaultdict(list))
    follow_ups: dict[UUID, list[FollowUp]] = field(default_factory=lambda: defaultdict(list))
    suppressions: dict[UUID, list[Suppression]] = field(default_factory=lambda: defaultdict(list))
    unknown: Counter[UUID] = field(default_factory=Counter)


def worklist(member: Member, patients: QuerySet[Patient], *, now: datetime) -> list[PatientRow]:
    """Nine queries; scores (two) and alerts (one) are read only for those who may see them."""
    known = list(patients.only("id", "clinic_id", "name", "email", "status"))
    facts = _read(member, patients.order_by(), now)
    return [_row(patient, facts, member, now) for patient in known]


def open_alert_count(clinic: Clinic) -> int:
    """All the front desk may know of alerts: that there are some, and to call the clinician."""
    return Alert.objects.filter(clinic=clinic).open().about_patients().count()


def _read(member: Member, ids: QuerySet[Patient], now: datetime) -> _Facts:
    facts = _Facts()
    for course in (
        Course.objects.filter(patient__in=ids).select_related("protocol").defer("protocol__text")
    ):
        facts.courses[course.patient_id].append(course)
    for infusion in (
        Infusion.objects.standing()
        .filter(course__patient__in=ids)
        .only("course_id", "started_at", "status")
    ):
        facts.infusions[infusion.course_id].append(infusion)
    recent = FollowUp.objects.filter(patient__in=ids, withdrawn_at=None)
    for follow_up in recent.filter(closes_at__gt=now - LOOK_BACK).only(
        "patient_id", "send_at", "opens_at", "closes_at", "finished_at"
    ):
        facts.follow_ups[follow_up.patient_id].append(follow_up)
    for suppression in Suppression.objects.in_force().filter(patient__in=ids):
        facts.suppressions[suppression.patient_id].append(suppression)
    facts.unknown.update(
        Message.objects.filter(patient__in=ids, state=State.UNKNOWN)
        .order_by()
        .values_list("patient_id", flat=True)
    )
    if may(member, "see scores"):
        _read_scores(ids, facts)
    if may(member, "see safety"):
        _read_alerts(ids, facts)
    return facts


def _read_scores(ids: QuerySet[Patient], facts: _Facts) -> None:
    """The latest answer of each kind, then its scores: two queries."""
    in_time = Response.objects.for_outcomes().filter(patient=OuterRef("pk"))
    latest = Patient.objects.filter(pk__in=ids).values_list(
        Subquery(_newest_of(in_time, HEADLINE_MOOD)), Subquery(_newest_of(in_time, HEADLINE_PAIN))
    )
    wanted = {pk for pair in latest for pk in pair if pk is not None}
    scores = Score.objects.filter(response__in=wanted, value__isnull=False)
    for score in scores.select_related("response__instrument").defer("response__instrument__text"):
        _keep_score(score, facts)


def _newest_of(responses: QuerySet[Response], keys: Sequence[str]) -> QuerySet[Response, object]:
    scored = responses.filter(instrument__key__in=keys, scores__value__isnull=False)
    return scored.order_by("-finished_at").values("pk")[:1]


def _keep_score(score: Score, facts: _Facts) -> None:
    response = score.response
    instrument = instrument_of(response.instrument)
    if score.value is None or response.finished_at is None:
        return
    if score.scale != instrument.scales[0].key:
        return
    kind = "mood" if response.instrument.key in HEADLINE_MOOD else "pain"
    facts.scores[response.patient_id][kind] = LastScore(
        title=instrument.wording["en"].title,
        value=printed(score.value, instrument.scales[0]),
        band=score.band,
        at=response.finished_at,
    )


def _read_alerts(ids: QuerySet[Patient], facts: _Facts) -> None:
    alerts = Alert.objects.open().about_patients().filter(patient__in=ids)
    for alert in alerts.select_related("owner__user").order_by("raised_at"):
        owner = alert.owner.user.name or alert.owner.user.email if alert.owner else ""
        if alert.patient_id is not None:
            facts.alerts[alert.patient_id].append(
                OpenAlert(alert.pk, alert.level, alert.raised_at, owner)
            )


def _row(patient: Patient, facts: _Facts, member: Member, now: datetime) -> PatientRow:
    zone = member.clinic.tz
    courses = facts.courses[patient.pk]
    course = current_course(courses)
    standing = facts.infusions[course.pk] if course else []
    given = [i.started_at.astimezone(zone).date() for i in standing if _took_place(i)]
    ahead = [i.started_at for i in standing if not _took_place(i) and i.started_at > now]
    passed = [i.started_at for i in standing if not _took_place(i) and i.started_at <= now]
    today = now.astimezone(zone).date()
    follow_ups = facts.follow_ups[patient.pk]
    waiting = [f for f in follow_ups if f.finished_at is None]
    return PatientRow(
        id=patient.pk,
        name=patient.name,
        status=patient.status,
        indications=tuple(sorted({str(c.get_indication_display()) for c in _shown(courses)})),
        score=_headline(facts.scores[patient.pk], course),
        infusions=len(given),
        planned=course.planned_infusions if course else None,
        days_since=(today - max(given)).days if given else None,
        alerts=tuple(facts.alerts[patient.pk]),
        unreachable=_unreachable(patient, facts.suppressions[patient.pk]),
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


def _is_asked(follow_up: FollowUp, now: datetime) -> bool:
    return follow_up.send_at <= now < follow_up.closes_at


def _shown(courses: Iterable[Course]) -> list[Course]:
    known = list(courses)
    return [course for course in known if course.closed_at is None] or known[-1:]


def _took_place(infusion: Infusion) -> bool:
    return infusion.status == Infusion.Status.COMPLETED


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


def unreachable(patient: Patient) -> Unreachable:
    """Why no e-mail reaches this patient. One query."""
    held = Suppression.objects.in_force().filter(patient=patient)
    return _unreachable(patient, list(held) if patient.email else [])


def _unreachable(patient: Patient, suppressions: Sequence[Suppression]) -> Unreachable:
    """Why no e-mail reaches the patient's present address."""
    if not patient.email:
        return "no_email"
    held = [(suppression.reason, suppression.address_digest) for suppression in suppressions]
    return _WHY[in_the_way(patient.email, held)] if held else ""
