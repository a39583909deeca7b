"""What is done about an alert, as it is typed. What must not be missing, the verbs decide."""

import uuid
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from dashboards.forms.fields import LocalMoment, Refusable
from surveys.case import Contact
from surveys.closing import Closing
from surveys.models import Alert, ContactAttempt

Outcome, How = Alert.Outcome, ContactAttempt.How
_CHOOSE = ("", _("Choose"))


def _area(label: Any, *, rows: int = 2, required: bool = True, **more: Any) -> forms.CharField:
    box = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(label=label, max_length=400, widget=box, required=required, **more)


class NoteForm(forms.Form):
    text = forms.CharField(
        label=_("What happened"), max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )


class _OfAClinic(Refusable):
    """Times are typed on the clinic's clock. `once` names this form: sent again, it is the same."""

    once = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4, required=False)

    def __init__(self, *args: Any, zone: ZoneInfo, **more: Any) -> None:
        super().__init__(*args, **more)
        for field in self.fields.values():
            if isinstance(field, LocalMoment):
                field.zone = zone


class _Begun(forms.Form):
    """Says when the alert that it is about had been opened: what is sent again later is refused."""

    begun = forms.CharField(widget=forms.HiddenInput, required=False)

    def clean_begun(self) -> datetime | None:
        try:
            return datetime.fromisoformat(self.cleaned_data["begun"])
        except ValueError:
            return None


class ContactForm(_OfAClinic):
    contact_at = LocalMoment(label=_("When"))
    how = forms.ChoiceField(label=_("How"), choices=[_CHOOSE, *How.choices])
    came = forms.ChoiceField(
        label=_("What came of it"), choices=[_CHOOSE, *ContactAttempt.Outcome.choices]
    )
    note = _area(_("Note"), required=False)

    def contact(self) -> Contact:
        given = self.cleaned_data
        return Contact(given["contact_at"], given["how"], given["came"])


class HandOverForm(Refusable):
    to = forms.ChoiceField(label=_("To whom"))
    note = _area(_("What they should know"), required=False)

    def __init__(self, *args: Any, people: list[tuple[str, str]], **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["to"].choices = [_CHOOSE, *people]  # type: ignore[attr-defined]


class CloseForm(_OfAClinic, _Begun):
    outcome = forms.ChoiceField(
        label=_("What came of it"),
        choices=[_CHOOSE] + [(o.value, o.label) for o in Outcome if o != Outcome.TESTED],
    )
    contact_at = LocalMoment(
        label=_("When the patient was reached"),
        required=False,
        help_text=_("No contact is recorded yet."),
    )
    how = forms.ChoiceField(
        label=_("How"),
        choices=[_CHOOSE, *((how.value, how.label) for how in How if how != How.TRUSTED)],
        required=False,
    )
    assessed_with = forms.ChoiceField(
        label=_("Assessment"), choices=[_CHOOSE, *Alert.AssessedWith.choices]
    )
    found = forms.ChoiceField(
        label=_("Level found"), choices=[_CHOOSE, *Alert.Found.choices], required=False
    )
    plan = forms.ChoiceField(label=_("Plan"), choices=[_CHOOSE, *Alert.Plan.choices])
    next_contact_on = forms.DateField(
        label=_("Next contact"), widget=forms.DateInput(attrs={"type": "date"})
    )
    note = _area(
        _("Note"),
        rows=3,
        help_text=_("What was said and agreed. It becomes part of the alert's history."),
    )

    def __init__(self, *args: Any, reached: bool, has_died: bool, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["next_contact_on"].required = not has_died
        for name in ("contact_at", "how") if reached else ():
            del self.fields[name]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if bool(given.get("contact_at")) != bool(given.get("how")) and not self.errors:
            half = "how" if given.get("contact_at") else "contact_at"
            self.add_error(half, _("Say both: when the patient was reached, and how."))
        return given

    def closing(self) -> Closing:
        given = self.cleaned_data
        at, how = given.get("contact_at"), given.get("how")
        return Closing(
            outcome=given["outcome"],
            note=given["note"],
            plan=given["plan"],
            assessed_with=given["assessed_with"],
            found=given["found"],
            next_contact_on=given["next_contact_on"],
            contact=Contact(at, how, ContactAttempt.Outcome.REACHED) if at and how else None,
        )


class ConfirmForm(_Begun):
    """The second person's word."""

    answer = forms.ChoiceField(choices=[("agree", ""), ("back", "")])
    word = _area(_("Note"), required=False)


class ReopenForm(Refusable, _Begun):
    why = _area(_("Why"))
