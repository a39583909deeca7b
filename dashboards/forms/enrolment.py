"""One page to enrol: the person and the course together."""

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic import consent
from clinic.enrolment import TRUSTED, PatientDetails
from dashboards.forms.courses import CourseForm
from dashboards.forms.patients import PersonForm


class EnrolForm(PersonForm, CourseForm):
    """One page, at most nine fields in sight."""

    patient_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    consent_version = forms.CharField(widget=forms.HiddenInput, initial=consent.CURRENT)
    consent = forms.BooleanField(
        label=_("The patient has read and agreed to the text below"),
        error_messages={"required": _("Tick this when the patient has read and agreed.")},
    )
    another_person = forms.BooleanField(
        label=_("This is another person of the same name and birth date"), required=False
    )
    typed: dict[str, Any]
    IN_SIGHT = (
        "name", "birth_date", "email", "phone", "language", "zone", "indication", "protocol"
    )  # fmt: skip
    FOLDED = (
        "planned_infusions", "first_infusion_at", "mrn", *TRUSTED, "send_hour", "allowed_days"
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """What was understood, kept apart: a field refused later still shows in the preview."""
        self.typed = dict(self.cleaned_data)
        return self.cleaned_data

    def in_sight(self) -> list[forms.BoundField]:
        return [self[name] for name in self.IN_SIGHT]

    def folded(self) -> list[forms.BoundField]:
        return [self[name] for name in self.FOLDED]

    def patient(self) -> PatientDetails:
        given = self.cleaned_data
        return PatientDetails(
            id=given["patient_id"],
            name=given["name"],
            birth_date=given["birth_date"],
            consent_version=given["consent_version"],
            email=given["email"],
            phone=given["phone"],
            mrn=given["mrn"],
            language=given["language"],
            zone=given["zone"],
            send_hour=given["send_hour"],
            allowed_days=tuple(given["allowed_days"]),
            **{name: given[name] for name in TRUSTED},
        )
