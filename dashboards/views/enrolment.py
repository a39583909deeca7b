"""Enrol a patient, after seeing what that will send."""

import uuid
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic import audit, consent, enrolment, search
from clinic.access import StaffRequest, require
from clinic.actors import member_actor
from clinic.models import Clinic, Patient
from clinic.refusals import Refused
from dashboards import queries
from dashboards.forms.enrolment import EnrolForm
from dashboards.forms.patients import ContactForm, PersonForm, contact_initial
from dashboards.views.acting import act, patient_of
from reminders import planning


@require_http_methods(["GET", "HEAD", "POST"])
@require("edit patients")
def enrol(request: StaffRequest) -> HttpResponse:
    """Nothing is kept, and nothing sent, before `Enrol`; `step=preview` only shows."""
    now, clinic = timezone.now(), request.member.clinic
    if request.method != "POST":
        form = _blank(clinic)
        return render(request, "dashboards/enrol.html", _context(clinic, form, now))
    audit.read(request.member, None, "duplicates", now=now)
    form = EnrolForm(request.POST, clinic=clinic, zone=clinic.tz)
    is_valid = form.is_valid()
    if request.htmx:
        return render(request, "dashboards/_enrol_preview.html", _context(clinic, form, now))
    is_wanted = is_valid and request.POST.get("step") == "enrol" and not _slipped(form)
    if is_wanted and (enrolled := _enrol(request, form, now)):
        messages.success(request, _("Enrolled."))
        return redirect("dashboards:patient", enrolled.pk)
    return render(request, "dashboards/enrol.html", _context(clinic, form, now))


def _blank(clinic: Clinic) -> EnrolForm:
    initial = {
        "patient_id": uuid.uuid4(),
        "course_id": uuid.uuid4(),
        "protocol": "depression-induction",
        "planned_infusions": 6,
    }
    return EnrolForm(clinic=clinic, zone=clinic.tz, initial=initial)


def _slipped(form: PersonForm) -> bool:
    """An address that looks wrong is asked about once; entered again it is right."""
    if not form.is_slip_new():
        return False
    form.add_error(
        "email",
        _("Did you mean %(meant)s? If the address is right, press Enrol again.")
        % {"meant": form.slip},
    )
    return True


def _enrol(request: StaffRequest, form: EnrolForm, now: datetime) -> Patient | None:
    by = member_actor(request.member)
    try:
        course = enrolment.enrol(
            request.member.clinic,
            form.patient(),
            form.details(),
            by=by,
            now=now,
            another_person=form.cleaned_data["another_person"],
        )
    except Refused as refused:
        form.refuse(refused)
        return None
    planning.reconcile(course.patient, now=now, by=by)
    return course.patient


def _context(clinic: Clinic, form: EnrolForm, now: datetime) -> dict[str, Any]:
    typed = form.typed if form.is_bound else {}
    return {
        "form": form,
        "clinic": clinic,
        "consent": consent.text(typed.get("language", "en")),
        "consent_version": consent.CURRENT,
        "consent_language": typed.get("language", "en"),
        "preview": _preview(clinic, typed, now) if form.is_bound else None,
        "duplicates": _duplicates(clinic, typed) if form.is_bound else [],
        "slip": form.slip if form.is_bound else "",
        "is_ready": form.is_bound and not form.errors,
    }


def _preview(clinic: Clinic, typed: dict[str, Any], now: datetime) -> queries.Preview | None:
    needed = ("protocol", "indication", "language")
    if any(not typed.get(name) for name in needed):
        return None
    return queries.preview_enrolment(
        clinic,
        protocol=typed["protocol"],
        indication=typed["indication"],
        language=typed["language"],
        zone=typed.get("zone", ""),
        has_email=bool(typed.get("email")),
        planned_infusions=typed.get("planned_infusions"),
        first_infusion_at=typed.get("first_infusion_at"),
        send_hour=typed.get("send_hour"),
        days=typed.get("allowed_days", ()),
        now=now,
    )


def _duplicates(clinic: Clinic, typed: dict[str, Any]) -> list[Patient]:
    """People who may be this one: same name and birth date, same e-mail, same record number."""
    if not all(typed.get(name) for name in ("patient_id", "name", "birth_date")):
        return []
    found = search.duplicates(
        clinic,
        name=typed["name"],
        birth_date=typed["birth_date"],
        email=typed.get("email", ""),
        mrn=typed.get("mrn", ""),
    )
    return list(found.exclude(pk=typed["patient_id"]))


@require_http_methods(["GET", "HEAD", "POST"])
@require("edit patients")
def contact(request: StaffRequest, patient_id: uuid.UUID) -> HttpResponse:
    """Change how a patient is reached. The next message uses it."""
    patient, now = patient_of(request, patient_id), timezone.now()
    data = request.POST if request.method == "POST" else None
    form = ContactForm(data, clinic=patient.clinic, initial=contact_initial(patient))
    if data is not None and form.is_valid() and not _slipped(form):
        try:
            enrolment.change_details(
                patient, form.changes(), by=member_actor(request.member), now=now
            )
        except Refused as refused:
            form.refuse(refused)
        else:
            return act(request, patient, lambda by, now: None, _("Details changed."))
    audit.read(request.member, patient, "contact", now=now)
    return render(request, "dashboards/contact.html", {"patient": patient, "form": form})
