"""Sending a message again."""

from django import forms
from django.utils.translation import gettext_lazy as _


class SendAgainForm(forms.Form):
    at_once = forms.BooleanField(required=False, label=_("Send it now all the same"))
