"""Enrolment, contact details, courses and pauses."""

from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from clinic.enrolment import TRUSTED
from clinic.models import Clinic, Patient
from dashboards.forms.fields import Refusable
from dashboards.queries.mail_days import WEEKDAYS
from dashboards.slips import meant

US_ZONES = [
    ("America/New_York", _("Eastern")),
    ("America/Chicago", _("Central")),
    ("America/Denver", _("Mountain (Denver, El Paso)")),
    ("America/Phoenix", _("Arizona")),
    ("America/Los_Angeles", _("Pacific")),
    ("America/Anchorage", _("Alaska")),
    ("Pacific/Honolulu", _("Hawaii")),
]


def zone_choices(clinic: Clinic) -> list[tuple[str, object]]:
    """The clinic's own first, the American ones by the names people use, then all of them."""
    known = {name for name, _label in US_ZONES}
    others = sorted(name for name in available_timezones() if "/" in name and name not in known)
    own = _("%(zone)s (the clinic's)") % {"zone": clinic.zone}
    return [
        ("", own),
        (str(_("United States")), US_ZONES),
        (str(_("Elsewhere")), [(name, name.replace("_", " ")) for name in others]),
    ]


def hour_choices() -> list[tuple[str, str]]:
    return [("", str(_("as the protocol says"))), *((str(h), f"{h:02}:00") for h in range(8, 21))]


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
    allowed_days = forms.TypedMultipleChoiceField(
        label=_("Wants e-mail on"),
        required=False,
        choices=WEEKDAYS,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: on every day."),
    )
    trusted_name = forms.CharField(
        label=_("Trusted person"),
        required=False,
        max_length=200,
        help_text=_(
            "Somebody the clinic may call when it is worried and does not reach the patient."
            " Ask the patient whom, and whether that is all right."
        ),
    )
    trusted_relation = forms.CharField(
        label=_("Who that is to the patient"), required=False, max_length=80
    )
    trusted_phone = forms.CharField(
        label=_("Trusted person's telephone"),
        required=False,
        max_length=32,
        widget=forms.TextInput({"type": "tel"}),
    )
    email_seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: object, clinic: Clinic, **more: object) -> None:
        super().__init__(*args, **more)
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
    names = ("name", "birth_date", "email", "phone", "language", "zone", "mrn", "send_hour",
             "allowed_days", *TRUSTED)  # fmt: skip
    return {name: getattr(patient, name) for name in names} | {"email_seen": patient.email}
