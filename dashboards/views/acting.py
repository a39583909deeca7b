"""Carry out one verb about a patient, have the schedule agree at once, and say what happened."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone

from clinic.access import StaffRequest
from clinic.actors import Actor, member_actor
from clinic.models import Course, Patient
from clinic.refusals import Refused
from reminders import planning

Verb = Callable[[Actor, datetime], object]


def patient_of(request: StaffRequest, patient_id: UUID) -> Patient:
    """The patient, if this member's clinic follows them; else there is no such page."""
    seen = Patient.objects.visible_to(request.member).select_related("clinic")
    return get_object_or_404(seen, pk=patient_id)


def course_of(request: StaffRequest, course_id: UUID) -> Course:
    seen = Course.objects.visible_to(request.member).select_related("patient__clinic", "protocol")
    return get_object_or_404(seen, pk=course_id)


def act(
    request: StaffRequest,
    patient: Patient,
    verb: Verb,
    done: str,
    *,
    to: HttpResponse | None = None,
) -> HttpResponse:
    """`to` is where it leads, other than to the patient's page."""
    now, by = timezone.now(), member_actor(request.member)
    try:
        verb(by, now)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        planning.reconcile(patient, now=now, by=by)
        messages.success(request, done)
    return to or redirect("dashboards:patient", patient.pk)
