"""One infusion, as it is logged."""

from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.infusions import LIMITS, InfusionDetails
from clinic.models import Infusion
from dashboards.forms.fields import LocalMoment, Refusable


def _number(name: str, label: Any) -> forms.IntegerField:
    lowest, highest = LIMITS[name]
    return forms.IntegerField(
        label=label, required=False, min_value=int(lowest), max_value=int(highest)
    )


class PlanForm(Refusable):
    """When it is to take place; nothing else is known yet."""

    started_at = LocalMoment(label=_("When"))

    def __init__(self, *args: Any, zone: ZoneInfo, **more: Any) -> None:
        super().__init__(*args, **more)
        for field in self.fields.values():
            if isinstance(field, LocalMoment):
                field.zone = zone

    def details(self) -> InfusionDetails:
        given = self.cleaned_data
        return InfusionDetails(started_at=given["started_at"], status=Infusion.Status.PLANNED)


class InfusionForm(PlanForm):
    """What took place. Dose, vitals and notes are for clinical roles."""

    route = forms.ChoiceField(label=_("Route"), choices=Infusion.Route.choices)
    dose_mg_per_kg = forms.DecimalField(
        label=_("Dose, mg/kg"), required=False, max_digits=5, decimal_places=2,
        min_value=LIMITS["dose_mg_per_kg"][0], max_value=LIMITS["dose_mg_per_kg"][1],
    )  # fmt: skip
    duration_minutes = _number("duration_minutes", _("Minutes"))
    stopped_early = forms.BooleanField(label=_("Stopped early"), required=False)
    complication = forms.CharField(label=_("Complication"), required=False, max_length=1000)
    systolic_max = _number("systolic_max", _("Highest systolic, mmHg"))
    diastolic_max = _number("diastolic_max", _("Highest diastolic, mmHg"))
    heart_rate_max = _number("heart_rate_max", _("Highest heart rate, per minute"))
    oxygen_min = _number("oxygen_min", _("Lowest SpO2, %"))
    note = forms.CharField(
        label=_("Note"), required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 2})
    )
    next_at = LocalMoment(label=_("Next infusion"), required=False)
    same_day = forms.BooleanField(
        label=_("Log it all the same: there were two on this day"), required=False
    )

    CLINICAL = (
        "dose_mg_per_kg", "duration_minutes", "complication", "systolic_max", "diastolic_max",
        "heart_rate_max", "oxygen_min", "note",
    )  # fmt: skip
    VITALS = ("systolic_max", "diastolic_max", "heart_rate_max", "oxygen_min", "note")

    def __init__(self, *args: Any, clinical: bool, is_new: bool = True, **more: Any) -> None:
        super().__init__(*args, **more)
        left_out = () if clinical else self.CLINICAL
        for name in (*left_out, *(() if is_new else ("next_at", "same_day"))):
            del self.fields[name]

    def details(self) -> InfusionDetails:
        given = {
            name: value
            for name, value in self.cleaned_data.items()
            if name not in ("next_at", "same_day")
        }
        return InfusionDetails(**{**given, "status": Infusion.Status.COMPLETED})

    def in_sight(self) -> list[forms.BoundField]:
        return self._present(("route", "dose_mg_per_kg", "duration_minutes"))

    def vitals(self) -> list[forms.BoundField]:
        return self._present(self.VITALS)

    def _present(self, names: Iterable[str]) -> list[forms.BoundField]:
        return [self[name] for name in names if name in self.fields]


def infusion_initial(infusion: Infusion) -> dict[str, Any]:
    names = (
        "started_at", "route", "dose_mg_per_kg", "duration_minutes", "stopped_early",
        "complication", "systolic_max", "diastolic_max", "heart_rate_max", "oxygen_min", "note",
    )  # fmt: skip
    return {name: getattr(infusion, name) for name in names}


class CancelForm(forms.Form):
    reason = forms.CharField(label=_("Why"), max_length=200, required=False)
