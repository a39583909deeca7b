"""The clinic's own settings."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.models import Clinic, Member
from clinic.settling import SETTINGS
from dashboards.forms.fields import Refusable
from dashboards.queries.mail_days import WEEKDAYS

ROLES = [
    (Member.Role.CLINICIAN, _("Clinician: sees everything, takes alerts")),
    (Member.Role.COORDINATOR, _("Front desk: enrols and logs, sees no scores")),
    (Member.Role.VIEWER, _("Read only: sees scores, changes nothing")),
    (Member.Role.ADMIN, _("Administrator: everything, and the settings")),
]


def _clock(label: Any) -> forms.TimeField:
    return forms.TimeField(
        label=label, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )


class LinesField(forms.CharField):
    """A list of texts, one on each line."""

    widget = forms.Textarea(attrs={"rows": 4})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return (super().to_python(value) or "").split()


class ClinicForm(Refusable):
    """Hours, cover and names."""

    sender_name = forms.CharField(
        label=_("Sender of e-mails"),
        max_length=60,
        help_text=_("Patients see it. It should not tell what they are treated for."),
    )
    phone = forms.CharField(label=_("Telephone for patients"), max_length=32, required=False)
    greet_by_first_name = forms.BooleanField(
        label=_("Greet patients by their first name"), required=False
    )
    shows_own_trend = forms.BooleanField(
        label=_("Show patients their own trend after sending"),
        required=False,
        help_text=_("Behind their birth date; never beside an alert or after they became worse."),
    )
    cover = forms.ChoiceField(
        label=_("Alerts are read"),
        choices=[
            (Clinic.Cover.ALWAYS, _("at all hours")),
            (Clinic.Cover.WEEKDAYS, _("in staffed hours only")),
        ],
        help_text=_("In staffed hours only: PHQ-9 goes out Monday to Thursday in the morning."),
    )
    mailbox_reader = forms.CharField(
        label=_("Who reads the alert mailbox in those hours"), max_length=120, required=False
    )
    reply_within_minutes = forms.IntegerField(
        label=_("An alert is answered within, minutes"), min_value=5, max_value=1440
    )
    staffed_days = forms.TypedMultipleChoiceField(
        label=_("Staffed days"),
        choices=WEEKDAYS,
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    staffed_from = _clock(_("Staffed from"))
    staffed_until = _clock(_("Staffed until"))
    closed_dates = LinesField(
        label=_("Days closed"),
        required=False,
        help_text=_(
            "Holidays and other days on which nobody is there, one date a line: 2026-12-25. On them"
            " and on the day before no PHQ-9 goes out, and patients are told when you open again."
        ),
    )
    quiet_from = _clock(_("No e-mail from"))
    quiet_until = _clock(_("No e-mail until"))
    allowed_days = forms.TypedMultipleChoiceField(
        label=_("Check-ins are e-mailed on"),
        choices=WEEKDAYS,
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: on every day. A patient may have chosen fewer of them."),
    )

    HOURS = (
        "staffed_from",
        "staffed_until",
        "closed_dates",
        "quiet_from",
        "quiet_until",
        "allowed_days",
    )

    def hours(self) -> list[forms.BoundField]:
        return [self[name] for name in self.HOURS]

    def others(self) -> list[forms.BoundField]:
        return [field for field in self if field.name not in self.HOURS]


def clinic_initial(clinic: Clinic) -> dict[str, Any]:
    return {name: getattr(clinic, name) for name in SETTINGS}


class InviteForm(Refusable):
    email = forms.EmailField(label=_("E-mail"))
    role = forms.ChoiceField(label=_("Role"), choices=ROLES)
