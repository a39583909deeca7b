"""Alerts in words: what was answered, and what the patient had answered before."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from django.db.models import Q, QuerySet

from clinic.models import Clinic, Member
from dashboards import words
from dashboards.queries.definitions import instrument_of
from dashboards.rows import AlertEventRow, AlertRow
from surveys.alerts import HELP_RULE
from surveys.case import next_step
from surveys.case_file import case_of
from surveys.earlier import in_order
from surveys.escalation import SHOWN_AFTER
from surveys.instruments import Instrument
from surveys.models import Alert, Response


def alert_rows(alerts: QuerySet[Alert]) -> list[AlertRow]:
    """Three queries: the alerts, their contacts, and the earlier answers they are read against."""
    found = list(
        alerts.select_related("patient", "owner__user", "offered_to__user", "closing_by__user")
        .select_related("response__instrument", "response__patient")
        .prefetch_related("contacts")
        .defer("response__instrument__text")
        .order_by("raised_at")
    )
    earlier = _earlier(found)
    return [_row(alert, earlier.get(alert.response_id, [])) for alert in found]


def _earlier(alerts: Iterable[Alert]) -> dict[object, list[Response]]:
    """By response, this patient's other answers to the same instrument."""
    asked = [alert.response for alert in alerts if alert.response is not None]
    others = (
        Response.objects.filter(patient__in={response.patient_id for response in asked})
        .select_related("instrument")
        .defer("instrument__text")
    )
    known = list(others) if asked else []
    return {
        response.pk: [
            other
            for other in known
            if other.patient_id == response.patient_id
            and other.instrument.key == response.instrument.key
            and other.pk != response.pk
        ]
        for response in asked
    }


def _row(alert: Alert, earlier: list[Response]) -> AlertRow:
    case, owner = case_of(alert), alert.owner
    if alert.closed_at is None and owner is not None and not owner.may_take_alerts:
        owner = None  # works here no more: nobody has it
    row = AlertRow(
        id=alert.pk,
        reference=alert.reference,
        level=alert.level,
        raised_at=alert.raised_at,
        patient_id=alert.patient_id,
        patient_name=alert.patient.name if alert.patient else "",
        owner_id=owner.pk if owner else None,
        owner=_name(owner),
        taken_at=alert.taken_at,
        closed_at=alert.closed_at,
        outcome=str(alert.get_outcome_display()) if alert.outcome else "",
        is_test=alert.rule == Alert.TEST_RULE,
        asked_for_help=alert.rule == HELP_RULE,
        best_phone=alert.best_phone,
        step=next_step(case),
        reached=case.reached,
        offered_to_id=alert.offered_to_id,
        offered_to=_name(alert.offered_to),
        closing_by_id=alert.closing_by_id,
        closing_by=_name(alert.closing_by),
        plan=str(alert.get_plan_display()) if alert.plan else "",
        assessed_with=str(alert.get_assessed_with_display()) if alert.assessed_with else "",
        found=str(alert.get_found_display()) if alert.found else "",
        next_contact_on=alert.next_contact_on,
        reopened_at=alert.reopened_at,
    )
    if alert.response is None:
        return row
    return _with_answer(row, alert, instrument_of(alert.response.instrument), earlier)


def _with_answer(
    row: AlertRow, alert: Alert, instrument: Instrument, earlier: list[Response]
) -> AlertRow:
    item, _, given = alert.trigger.partition("#")[0].partition("=")
    title = instrument.wording["en"].title
    known = [value for at, value in in_order(earlier, item) if at < row.raised_at]
    if item in {scale.key for scale in instrument.scales}:
        return replace(row, trigger=_of_score(alert, instrument, given))
    if not item.isdigit() or instrument.project_text:
        said = words.symptom_alert(title, _question(instrument, item))
        return replace(row, trigger=said, answer=_answer(instrument, item, given))
    return replace(
        row,
        trigger=words.answer_alert(title, item, given, known[-1] if known else None),
        question=_question(instrument, item),
        answer=_answer(instrument, item, given),
        before=_answer(instrument, item, str(known[-1])) if known else "",
    )


def _of_score(alert: Alert, instrument: Instrument, given: str) -> str:
    """With the rule of the questionnaire that it met."""
    name = alert.rule.partition(" ")[0]
    watch = next(watch for watch in instrument.watches if watch.name == name)
    rise = None if watch.rise is None else int(watch.rise)
    title = instrument.wording["en"].title
    return words.score_alert(title, given, at_least=watch.at_least, rise=rise)


def _question(instrument: Instrument, item: str) -> str:
    return instrument.wording["en"].items.get(item, "")


def _answer(instrument: Instrument, item: str, given: str) -> str:
    """The words of the answer, as the patient read them."""
    if not given.isdigit():
        return ""
    return instrument.wording["en"].choices.get(item, {}).get(int(given), "")


def alert_events(alert: Alert) -> list[AlertEventRow]:
    """Its history, oldest first. One query."""
    return [
        AlertEventRow(
            at=event.at,
            kind=event.kind,
            by=_name(event.member),
            detail=event.detail,
        )
        for event in alert.events.select_related("member__user").order_by("at", "pk")
    ]


def colleagues(alert: Alert) -> list[tuple[str, str]]:
    """Who else may have it: key and name, for a choice. One query."""
    members = Member.objects.active().filter(clinic=alert.clinic_id, role__in=Member.CLINICAL)
    others = [each for each in members.select_related("user") if each.pk != alert.owner_id]
    named = sorted((_name(member), str(member.pk)) for member in others)
    return [(key, name) for name, key in named]


def left_waiting(clinic: Clinic, *, now: datetime) -> int:
    """Alerts that nobody has taken for so long that every page says so. Asked of the alerts
    themselves: it needs no engine. One query."""
    too_long = Q(pk=None)
    for level, after in SHOWN_AFTER.items():
        too_long |= Q(level=level, raised_at__lte=now - after)
    waiting = Alert.objects.untaken().about_patients().filter(too_long, clinic=clinic)
    return waiting.count()


def _name(member: Member | None) -> str:
    return (member.user.name or member.user.email) if member else ""
