"""Courses of treatment, and pauses."""

import uuid
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.enrolment import CourseDetails
from clinic.models import Indication
from dashboards.forms.fields import LocalMoment, Refusable
from reminders import protocols


def protocol_choices() -> list[tuple[str, str]]:
    return [(key, protocols.latest(key).title) for key in protocols.available()]


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
        super().__init__(*args, **more)
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


class PauseForm(forms.Form):
    until = forms.DateField(
        label=_("Until"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )


class CloseCourseForm(forms.Form):
    reason = forms.CharField(label=_("Why"), max_length=200, required=False)
