"""Fields that several forms share."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from clinic.refusals import Refused

YEARS = range(1990, 2100)  # others are slips, and beyond what a schedule can count
FORMATS = ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M")


class LocalMoment(forms.CharField):
    """A wall-clock time in the clinic's zone, as browsers send it. An hour that the clock skips is
    moved on by the hour skipped; one that comes twice means the first."""

    zone: ZoneInfo = ZoneInfo("UTC")
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def to_python(self, value: object) -> datetime | None:  # type: ignore[override]
        text = str(value or "").strip()
        if not text:
            return None
        for form in FORMATS:
            try:
                found = datetime.strptime(text, form).replace(tzinfo=self.zone)
            except ValueError:
                continue
            if found.year not in YEARS:
                raise ValidationError(_("Check the year."))
            return found
        raise ValidationError(_("Enter a date and a time, like 2026-03-12 14:30."))

    def prepare_value(self, value: object) -> object:
        if isinstance(value, datetime):
            return value.astimezone(self.zone).strftime(FORMATS[0])
        return value

    def validate(self, value: object) -> None:
        if value is None and self.required:
            raise ValidationError(self.error_messages["required"], code="required")

    def run_validators(self, value: object) -> None:
        return None


LIMITS = {"min_value": _("at least %(limit_value)s."), "max_value": _("at most %(limit_value)s.")}
USUAL = forms.Field.default_error_messages["required"]


class Refusable(forms.Form):
    """A form that can show what a verb refused, at the field it is about. What it says of a field
    names it: the summary above the form stands away from it."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        for field in self.fields.values():
            if field.error_messages["required"] == USUAL:
                missing = _("%(label)s: must be filled in.") % {"label": field.label}
                field.error_messages["required"] = missing
            label = str(field.label).replace("%", "%%")  # the limit is put in with % later
            for code, text in LIMITS.items():
                field.error_messages.setdefault(code, f"{label}: {text}")

    def refuse(self, refused: Refused) -> None:
        field = refused.field if refused.field in self.fields else None
        self.add_error(field, str(refused))
