"""Open and close courses of a patient."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic import audit, enrolment
from clinic.access import StaffRequest, require
from clinic.actors import member_actor
from clinic.models import Course
from clinic.refusals import Refused
from dashboards.forms.courses import CloseCourseForm, CourseForm
from dashboards.views.acting import act, patient_of
from reminders import planning


@require_http_methods(["GET", "HEAD", "POST"])
@require("edit patients")
def close(request: StaffRequest, course_id: UUID) -> HttpResponse:
    """Closing tells the planner that the last infusion was the last: the end steps go in time."""
    courses = Course.objects.visible_to(request.member).select_related("patient__clinic")
    course = get_object_or_404(courses, pk=course_id)
    form = CloseCourseForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        return act(
            request,
            course.patient,
            lambda by, now: enrolment.close_course(
                course, form.cleaned_data["reason"], by=by, now=now
            ),
            _("Course closed. Check-ins after its last infusion still go out."),
        )
    audit.read(request.member, course.patient, "course", now=timezone.now())
    context = {"course": course, "patient": course.patient, "form": form}
    return render(request, "dashboards/close_course.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@require("edit patients")
def open_course(request: StaffRequest, patient_id: UUID) -> HttpResponse:
    patient = patient_of(request, patient_id)
    now, by = timezone.now(), member_actor(request.member)
    form = CourseForm(request.POST if request.method == "POST" else None, zone=patient.clinic.tz)
    if form.is_valid():
        try:
            enrolment.open_course(patient, form.details(), by=by, now=now)
        except Refused as refused:
            form.refuse(refused)
        else:
            planning.reconcile(patient, now=now, by=by)
            return redirect("dashboards:patient", patient.pk)
    audit.read(request.member, patient, "patient", now=now)
    return render(request, "dashboards/open_course.html", {"patient": patient, "form": form})
