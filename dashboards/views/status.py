"""Pause, resume and end the follow-up of a patient. What cannot be undone asks first."""

from datetime import datetime, time
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from clinic import audit, birth_dates, enrolment
from clinic.access import StaffRequest, require
from dashboards.forms.courses import PauseForm
from dashboards.views.acting import act, patient_of


@require_POST
@require("edit patients")
def pause(request: StaffRequest, patient_id: UUID) -> HttpResponse:
    patient = patient_of(request, patient_id)
    form = PauseForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Nothing was paused: enter a day, or leave it empty."))
        return redirect("dashboards:patient", patient.pk)
    day = form.cleaned_data["until"]
    until = datetime.combine(day, time(0), tzinfo=patient.tz) if day else None
    return act(
        request,
        patient,
        lambda by, now: enrolment.pause(patient, by=by, now=now, until=until),
        _("Paused. Nothing is sent; links already sent keep working."),
    )


@require_POST
@require("edit patients")
def resume(request: StaffRequest, patient_id: UUID) -> HttpResponse:
    patient = patient_of(request, patient_id)
    return act(
        request,
        patient,
        lambda by, now: enrolment.resume(patient, by=by, now=now),
        _("Resumed. What still fits its window is planned again."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@require("end follow-up")
def withdraw(request: StaffRequest, patient_id: UUID) -> HttpResponse:
    patient = patient_of(request, patient_id)
    if request.method == "POST":
        return act(
            request,
            patient,
            lambda by, now: enrolment.withdraw(patient, by=by, now=now),
            _("Withdrawn from follow-up. Nothing more is sent; earlier answers stay."),
        )
    audit.read(request.member, patient, "patient", now=timezone.now())
    return render(request, "dashboards/withdraw.html", {"patient": patient})


@require_http_methods(["GET", "HEAD", "POST"])
@require("end follow-up")
def deceased(request: StaffRequest, patient_id: UUID) -> HttpResponse:
    patient = patient_of(request, patient_id)
    if request.method == "POST":
        return act(
            request,
            patient,
            lambda by, now: enrolment.mark_deceased(patient, by=by, now=now),
            _("Recorded. Everything has stopped."),
        )
    audit.read(request.member, patient, "patient", now=timezone.now())
    return render(request, "dashboards/deceased.html", {"patient": patient})


@require_POST
@require("reinstate patients")
def reinstate(request: StaffRequest, patient_id: UUID) -> HttpResponse:
    patient = patient_of(request, patient_id)
    return act(
        request,
        patient,
        lambda by, now: enrolment.reinstate(patient, by=by, now=now),
        _("Follow-up goes on. What still fits its window is planned again."),
    )


@require_POST
@require("edit patients")
def reopen_trend(request: StaffRequest, patient_id: UUID) -> HttpResponse:
    patient = patient_of(request, patient_id)
    return act(
        request,
        patient,
        lambda by, now: birth_dates.reopen(patient, by=by, now=now),
        _("The patient can enter the birth date again, five times."),
    )
