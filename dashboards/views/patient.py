"""One patient: the sentence, the trends, what was asked, what is to come, what is open."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from clinic import audit
from clinic.access import StaffRequest, may, require
from clinic.models import Course, Member, Patient
from dashboards import queries, words
from dashboards.charts import charts
from dashboards.queries.choices import chosen
from dashboards.queries.mail_days import mail_days
from dashboards.rows import ItemTable
from dashboards.views.acting import patient_of
from dashboards.views.policy import draws_charts
from reminders.planning import protocol_of
from surveys.models import Alert


@require_GET
@draws_charts
@require("see patients")
def patient(request: StaffRequest, patient_id: UUID) -> HttpResponse:
    """Everything about one patient that this member's role may see."""
    now = timezone.now()
    found = patient_of(request, patient_id)
    audit.read(request.member, found, "patient", now=now)
    courses = list(found.courses.select_related("protocol").order_by("-enrolled_at"))
    course = queries.current_course(courses)
    mails = queries.messages(found)
    infusions = queries.infusions(course) if course else []
    follow_ups = queries.follow_ups(found, courses, now=now)
    context = {
        "patient": found,
        "courses": [(each, protocol_of(each)) for each in courses],
        "course": course,
        "infusions": infusions,
        "so_far": words.infusions_so_far(_completed(infusions), course.planned_infusions)
        if course
        else "",
        "over": queries.maybe_over_now(course, infusions, now=now),
        "follow_ups": follow_ups,
        "completion": queries.completion(follow_ups),
        "answerable": queries.answerable(found, now=now),
        "coming": queries.coming(found, courses, now=now),
        "mails": mails,
        "mail_days": mail_days(found),
        "chosen": chosen(found),
        "is_paused": found.is_paused(now),
        "unknown": queries.unknown(mails),
        "unreachable": queries.unreachable(found),
        "just_logged": _just_logged(request, infusions),
        "can_undo": "planned" not in request.GET,  # a plan would be cancelled with it
        "now": now,
        **_scores(found, courses, request.member, now),
        **_alerts(found, request.member),
    }
    return render(request, "dashboards/patient.html", context)


def _completed(infusions: list[Any]) -> int:
    return sum(infusion.status == "completed" for infusion in infusions)


def _scores(patient: Patient, courses: list[Course], member: Member, now: Any) -> dict[str, Any]:
    if not may(member, "see scores"):
        return {"charts": [], "item_tables": [], "headline": ""}
    found = queries.trends(patient, courses, now=now)
    headline = found.headline
    return {
        "charts": charts(found),
        "headline": words.standing(headline, patient.clinic.tz) if headline else "",
        "item_tables": list(filter(None, _item_tables(patient, member))),
    }


def _item_tables(patient: Patient, member: Member) -> list[ItemTable | None]:
    """The answers to PHQ-9 one by one, and the symptoms that were ever named.

    Without permission for safety there is no table at all: a total and eight answers tell the
    ninth.
    """
    return [
        queries.items(patient, "phq9") if may(member, "see safety") else None,
        queries.items(patient, "checkin", only_given=True),
        queries.items(patient, "checkin-short", only_given=True),
    ]


def _alerts(patient: Patient, member: Member) -> dict[str, Any]:
    if not may(member, "see safety"):
        return {"alerts": []}
    return {"alerts": queries.alert_rows(Alert.objects.open().filter(patient=patient))}


def _just_logged(request: StaffRequest, infusions: list[Any]) -> Any:
    """The infusion this member has just saved."""
    logged = request.GET.get("logged", "")
    return next((infusion for infusion in infusions if str(infusion.id) == logged), None)
