"""Enrolment, contact details, courses and pauses."""

import uuid
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from clinic import consent
from clinic.enrolment import CourseDetails, PatientDetails
from clinic.models import Clinic, Indication, Patient
from dashboards.forms.fields import LocalMoment, Refusable
from dashboards.slips import meant
from reminders import protocols

US_ZONES = [
    ("America/New_York", _("Eastern")),
    ("America/Chicago", _("Central")),
    ("America/Denver", _("Mountain (Denver, El Paso)")),
    ("America/Phoenix", _("Arizona")),
    ("America/Los_Angeles", _("Pacific")),
    ("America/Anchorage", _("Alaska")),
    ("Pacific/Honolulu", _("Hawaii")),
]


def protocol_choices() -> list[tuple[str, str]]:
    return [(key, protocols.latest(key).title) for key in protocols.available()]


def zone_choices(clinic: Clinic) -> list[tuple[str, object]]:
    """The clinic's own first, the American ones by the names people use, then all of them."""
    known = {name for name, _label in US_ZONES}
    others = sorted(name for name in available_timezones() if "/" in name and name not in known)
    own = _("As the clinic (%(zone)s)") % {"zone": clinic.zone}
    return [
        ("", own),
        (str(_("United States")), US_ZONES),
        (str(_("Elsewhere")), [(name, name.replace("_", " ")) for name in others]),
    ]


def hour_choices() -> list[tuple[str, str]]:
    return [("", str(_("as the protocol says"))), *((str(h), f"{h:02}:00") for h in range(8, 21))]


class CourseForm(Refusable):
    """What treatment this is. The protocol decides what is asked and when."""

    course_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    indication = forms.ChoiceField(label=_("Treated for"), choices=Indication.choices)
    protocol = forms.ChoiceField(label=_("Protocol"), choices=protocol_choices)
    planned_infusions = forms.IntegerField(
        label=_("Infusions planned"), min_value=1, max_value=200, required=False
    )
    first_infusion_at = LocalMoment(label=_("First infusion"), required=False)

    def __init__(self, *args: object, zone: ZoneInfo, **more: object) -> None:
        super().__init__(*args, **more)  # type: ignore[arg-type]
        self.fields["first_infusion_at"].zone = zone  # type: ignore[attr-defined]

    def details(self) -> CourseDetails:
        given = self.cleaned_data
        return CourseDetails(
            id=given["course_id"],
            protocol=given["protocol"],
            indication=Indication(given["indication"]),
            planned_infusions=given["planned_infusions"],
            first_infusion_at=given["first_infusion_at"],
        )


class PersonForm(Refusable):
    """Who the patient is and how to reach them."""

    name = forms.CharField(label=_("Name"), max_length=200)
    birth_date = forms.DateField(
        label=_("Birth date"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    email = forms.CharField(
        label=_("E-mail"),
        required=False,
        max_length=254,
        widget=forms.EmailInput,
        help_text=_("Without one, check-ins are asked in the clinic or by telephone."),
    )
    phone = forms.CharField(
        label=_("Telephone"), required=False, max_length=32, widget=forms.TextInput({"type": "tel"})
    )
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    zone = forms.ChoiceField(label=_("Time zone"), required=False)
    mrn = forms.CharField(label=_("Record number"), required=False, max_length=40)
    send_hour = forms.TypedChoiceField(
        label=_("Preferred hour"),
        required=False,
        choices=hour_choices,
        coerce=int,
        empty_value=None,
    )
    email_seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: object, clinic: Clinic, **more: object) -> None:
        super().__init__(*args, **more)  # type: ignore[arg-type]
        self.fields["zone"].choices = zone_choices(clinic)  # type: ignore[attr-defined]

    @property
    def slip(self) -> str:
        """The address that was probably meant, when this one looks like a slip of the finger."""
        return meant(str(self.data.get("email", "")))

    def is_slip_new(self) -> bool:
        """Nobody has said yet that the odd-looking address is right."""
        return bool(self.slip) and self.data.get("email_seen") != self.data.get("email")


class ContactForm(PersonForm):
    """The same details, of somebody who is enrolled."""

    def changes(self) -> dict[str, object]:
        given = {**self.cleaned_data}
        given.pop("email_seen")
        return given


def contact_initial(patient: Patient) -> dict[str, object]:
    names = ("name", "birth_date", "email", "phone", "language", "zone", "mrn", "send_hour")
    return {name: getattr(patient, name) for name in names} | {"email_seen": patient.email}


class EnrolForm(PersonForm, CourseForm):
    """One page, at most nine fields in sight."""

    patient_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    consent_version = forms.CharField(widget=forms.HiddenInput, initial=consent.CURRENT)
    consent = forms.BooleanField(label=_("The patient has read and agreed to the text below"))
    another_person = forms.BooleanField(
        label=_("This is another person of the same name and birth date"), required=False
    )
    typed: dict[str, Any]
    IN_SIGHT = (
        "name", "birth_date", "email", "phone", "language", "zone", "indication", "protocol"
    )  # fmt: skip
    FOLDED = ("planned_infusions", "first_infusion_at", "mrn", "send_hour")

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
        )


class PauseForm(forms.Form):
    until = forms.DateField(
        label=_("Until"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )


class CloseCourseForm(forms.Form):
    reason = forms.CharField(label=_("Why"), max_length=200, required=False)


def moment_text(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%dT%H:%M")
