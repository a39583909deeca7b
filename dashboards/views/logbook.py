"""Log an infusion in one short form. The page says what saving will send."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from clinic import audit, infusions
from clinic.access import StaffRequest, may, require
from clinic.actors import member_actor
from clinic.infusions import InfusionDetails
from clinic.models import Course, Infusion
from clinic.refusals import Refused
from dashboards import queries
from dashboards.forms.infusions import InfusionForm
from dashboards.views.acting import course_of
from reminders import planning


@require_http_methods(["GET", "HEAD", "POST"])
@require("log infusion")
def log_infusion(request: StaffRequest, course_id: UUID) -> HttpResponse:
    """One short form. `?planned=` says which planned infusion this one was; without it, it was the
    one planned for that day."""
    course, now = course_of(request, course_id), timezone.now()
    audit.read(request.member, course.patient, "course", now=now)
    form, planned = _typed(request, course, now)
    if request.method == "POST" and form.is_valid():
        if _is_second_today(course, form, planned):
            form.add_error("same_day", _("An infusion on this day is recorded already."))
        elif logged := _log(request, course, form, planned, now):
            said = _("Infusion logged. Check-ins are planned from it.")
            messages.success(request, said)
            path = reverse("dashboards:patient", args=[course.patient_id])
            return redirect(f"{path}?logged={logged.pk}{'&planned=1' if planned else ''}")
    context = _log_context(course, form, planned, now)
    return render(request, "dashboards/log_infusion.html", context)


@require_POST
@require("log infusion")
def preview_infusion(request: StaffRequest, course_id: UUID) -> HttpResponse:
    """The fragment beside the form: what saving it as typed would send."""
    course, now = course_of(request, course_id), timezone.now()
    audit.read(request.member, course.patient, "course", now=now)
    form, planned = _typed(request, course, now)
    form.is_valid()
    context = {"preview": _preview(course, form.cleaned_data, planned, now), "course": course}
    return render(request, "dashboards/_preview.html", context)


def _typed(
    request: StaffRequest, course: Course, now: datetime
) -> tuple[InfusionForm, Infusion | None]:
    """The form, and the planned infusion that it completes."""
    named = _named(request, course)
    if request.method != "POST":
        planned = named or _planned_on(course, now)
        return _log_form(request, course, planned, now), planned
    form = _log_form(request, course, named, now)
    form.is_valid()
    started_at = form.cleaned_data.get("started_at")
    return form, named or (_planned_on(course, started_at) if started_at else None)


def _log_form(
    request: StaffRequest, course: Course, planned: Infusion | None, now: datetime
) -> InfusionForm:
    return InfusionForm(
        request.POST if request.method == "POST" else None,
        zone=course.patient.clinic.tz,
        clinical=may(request.member, "record clinical details"),
        initial=_like_the_last(course, planned, now),
    )


def _like_the_last(course: Course, planned: Infusion | None, now: datetime) -> dict[str, Any]:
    """Most infusions of a course are alike: dose, route and minutes come from the last one."""
    last = course.infusions.completed().order_by("-started_at").first()
    initial: dict[str, Any] = {"started_at": planned.started_at if planned else now}
    if last is not None:
        same = ("route", "dose_mg_per_kg", "duration_minutes")
        initial |= {name: getattr(last, name) for name in same}
    return initial


def _is_second_today(course: Course, form: InfusionForm, planned: Infusion | None) -> bool:
    if form.cleaned_data["same_day"]:
        return False
    zone = course.patient.clinic.tz
    day = form.cleaned_data["started_at"].astimezone(zone).date()
    return any(
        other.started_at.astimezone(zone).date() == day
        for other in course.infusions.completed()
        if other != planned
    )


def _log(
    request: StaffRequest,
    course: Course,
    form: InfusionForm,
    planned: Infusion | None,
    now: datetime,
) -> Infusion | None:
    by = member_actor(request.member)
    try:
        with transaction.atomic():
            logged = infusions.log(course, form.details(), by=by, now=now, planned=planned)
            if next_at := form.cleaned_data["next_at"]:
                ahead = InfusionDetails(started_at=next_at, status=Infusion.Status.PLANNED)
                infusions.log(course, ahead, by=by, now=now)
    except Refused as refused:
        form.refuse(refused)
        return None
    planning.reconcile(course.patient, now=now, by=by)
    return logged


def _log_context(
    course: Course, form: InfusionForm, planned: Infusion | None, now: datetime
) -> dict[str, Any]:
    typed = dict(form.cleaned_data if form.is_bound else form.initial)
    return {
        "course": course,
        "patient": course.patient,
        "form": form,
        "planned": planned,
        "number": course.infusions.completed().count() + 1,
        "preview": _preview(course, typed, planned, now),
    }


def _preview(
    course: Course, typed: dict[str, Any], planned: Infusion | None, now: datetime
) -> queries.Preview | None:
    started_at = typed.get("started_at")
    if started_at is None:
        return None
    return queries.preview_infusion(
        course,
        started_at,
        now=now,
        instead_of=planned.pk if planned else None,
        next_at=typed.get("next_at"),
    )


def _named(request: StaffRequest, course: Course) -> Infusion | None:
    """The planned infusion that `?planned=` names, if it is one of this course."""
    wanted = request.GET.get("planned", "")
    return next((i for i in course.infusions.planned() if str(i.pk) == wanted), None)


def _planned_on(course: Course, at: datetime) -> Infusion | None:
    """The only one planned for that day, on the clinic's calendar."""
    zone = course.patient.clinic.tz
    day = at.astimezone(zone).date()
    found = [i for i in course.infusions.planned() if i.started_at.astimezone(zone).date() == day]
    return found[0] if len(found) == 1 else None
