"""Plan, correct and cancel infusions. The schedule follows at once."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from clinic import audit, infusions
from clinic.access import StaffRequest, may, require
from clinic.actors import member_actor
from clinic.models import Infusion
from clinic.refusals import Refused
from dashboards.forms.infusions import CancelForm, InfusionForm, PlanForm, infusion_initial
from dashboards.views.acting import act, course_of
from reminders import planning


def _infusion_of(request: StaffRequest, infusion_id: UUID) -> Infusion:
    seen = Infusion.objects.visible_to(request.member).numbered()
    return get_object_or_404(seen.select_related("course__patient__clinic"), pk=infusion_id)


@require_http_methods(["GET", "HEAD", "POST"])
@require("log infusion")
def plan_infusion(request: StaffRequest, course_id: UUID) -> HttpResponse:
    course, now = course_of(request, course_id), timezone.now()
    by = member_actor(request.member)
    data = request.POST if request.method == "POST" else None
    form = PlanForm(data, zone=course.patient.clinic.tz)
    if form.is_valid():
        try:
            infusions.log(course, form.details(), by=by, now=now)
        except Refused as refused:
            form.refuse(refused)
        else:
            planning.reconcile(course.patient, now=now, by=by)
            messages.success(request, _("Planned. Check-ins before it follow its date."))
            return redirect("dashboards:patient", course.patient_id)
    audit.read(request.member, course.patient, "course", now=now)
    context = {"course": course, "patient": course.patient, "form": form}
    return render(request, "dashboards/plan_infusion.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@require("log infusion")
def infusion(request: StaffRequest, infusion_id: UUID) -> HttpResponse:
    """Correct what is recorded. The schedule follows at once."""
    found, now = _infusion_of(request, infusion_id), timezone.now()
    course, by = found.course, member_actor(request.member)
    form = _correction(request, found)
    if form.is_valid():
        try:
            infusions.correct(found, form.cleaned_data, by=by, now=now)
        except Refused as refused:
            form.refuse(refused)
        else:
            planning.reconcile(course.patient, now=now, by=by)
            messages.success(request, _("Corrected. The schedule follows."))
            return redirect("dashboards:patient", course.patient_id)
    audit.read(request.member, course.patient, "infusion", now=now)
    context = {
        "infusion": found,
        "course": course,
        "patient": course.patient,
        "form": form,
        "cancel_form": CancelForm(),
    }
    return render(request, "dashboards/infusion.html", context)


def _correction(request: StaffRequest, found: Infusion) -> PlanForm:
    data = request.POST if request.method == "POST" else None
    zone = found.course.patient.clinic.tz
    if found.status == Infusion.Status.PLANNED:
        return PlanForm(data, zone=zone, initial={"started_at": found.started_at})
    return InfusionForm(
        data,
        zone=zone,
        clinical=may(request.member, "record clinical details"),
        is_new=False,
        initial=infusion_initial(found),
    )


@require_POST
@require("log infusion")
def cancel_infusion(request: StaffRequest, infusion_id: UUID) -> HttpResponse:
    found = _infusion_of(request, infusion_id)
    form = CancelForm(request.POST)
    if not form.is_valid():
        messages.error(
            request, _("Nothing was cancelled: the reason must be at most 200 characters.")
        )
        return redirect("dashboards:infusion", found.pk)
    reason = form.cleaned_data["reason"]
    return act(
        request,
        found.course.patient,
        lambda by, now: infusions.cancel(found, reason, by=by, now=now),
        _("Cancelled. What was planned from it is withdrawn."),
    )
