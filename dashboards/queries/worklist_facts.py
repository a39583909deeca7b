"""What the patient list is made of: read once for everybody, kept by patient."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery

from clinic.access import may
from clinic.models import Course, Infusion, Member, Patient
from dashboards.queries.definitions import instrument_of, printed
from dashboards.rows import LastScore, OpenAlert
from reminders.models import Message, State, Suppression
from surveys.models import Alert, FollowUp, Response, Score

LOOK_BACK = timedelta(days=90)  # older silence is history
HEADLINE_MOOD, HEADLINE_PAIN = ("phq9", "phq8"), ("peg", "nrs7")


@dataclass
class Facts:
    """What is known of each patient, by id."""

    courses: dict[UUID, list[Course]] = field(default_factory=lambda: defaultdict(list))
    infusions: dict[UUID, list[Infusion]] = field(default_factory=lambda: defaultdict(list))
    scores: dict[UUID, dict[str, LastScore]] = field(default_factory=lambda: defaultdict(dict))
    alerts: dict[UUID, list[OpenAlert]] = field(default_factory=lambda: defaultdict(list))
    follow_ups: dict[UUID, list[FollowUp]] = field(default_factory=lambda: defaultdict(list))
    suppressions: dict[UUID, list[Suppression]] = field(default_factory=lambda: defaultdict(list))
    unknown: Counter[UUID] = field(default_factory=Counter)


def read(member: Member, ids: QuerySet[Patient], now: datetime) -> Facts:
    facts = Facts()
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


def _read_scores(ids: QuerySet[Patient], facts: Facts) -> None:
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


def _keep_score(score: Score, facts: Facts) -> None:
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


def _read_alerts(ids: QuerySet[Patient], facts: Facts) -> None:
    alerts = Alert.objects.open().about_patients().filter(patient__in=ids)
    for alert in alerts.select_related("owner__user").order_by("raised_at"):
        owner = alert.owner.user.name or alert.owner.user.email if alert.owner else ""
        if alert.patient_id is not None:
            facts.alerts[alert.patient_id].append(
                OpenAlert(alert.pk, alert.level, alert.raised_at, owner)
            )
