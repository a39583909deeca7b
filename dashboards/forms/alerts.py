"""How an alert ends."""

from django import forms
from django.utils.translation import gettext_lazy as _

from surveys.models import Alert

Outcome = Alert.Outcome


class NoteForm(forms.Form):
    text = forms.CharField(
        label=_("What happened"), max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )


class CloseForm(forms.Form):
    outcome = forms.ChoiceField(
        label=_("What came of it"),
        choices=[("", _("Choose"))] + [(o.value, o.label) for o in Outcome if o != Outcome.TESTED],
    )
    note = forms.CharField(
        label=_("Note"),
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What was said and agreed. It becomes part of the alert's history."),
    )
