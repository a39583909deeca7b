"""Forms of the account pages, and how every form of ours looks."""

from typing import Any

from allauth.account.forms import (
    ChangePasswordForm,
    LoginForm,
    ResetPasswordForm,
    ResetPasswordKeyForm,
)
from django import forms
from django.contrib.auth.password_validation import (
    password_validators_help_texts,
    validate_password,
)
from django.forms.renderers import TemplatesSetting
from django.utils.translation import gettext_lazy as _

from clinic.models import User


class Renderer(TemplatesSetting):
    """Label, hint, error, input, in that order; a summary of errors above."""

    form_template_name = "_form.html"
    field_template_name = "_field.html"


class Labelled(forms.Form):
    """Our words for what is asked, once: not also inside the fields."""

    NAMES = {
        "login": _("E-mail address"),
        "email": _("E-mail address"),
        "oldpassword": _("Password until now"),
        "password1": _("New password"),
        "password2": _("New password again"),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.label = self.NAMES.get(name, field.label)
            field.widget.attrs.pop("placeholder", None)


class ChangePassword(Labelled, ChangePasswordForm):  # type: ignore[misc]
    pass


class AskForReset(Labelled, ResetPasswordForm):  # type: ignore[misc]
    pass


class NewPassword(Labelled, ResetPasswordKeyForm):  # type: ignore[misc]
    pass


class SignInForm(Labelled, LoginForm):  # type: ignore[misc]
    """The link for who forgot the password stands below, not between the two fields."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""


class InvitationForm(forms.Form):
    """Name and first password of an invited member of staff."""

    name = forms.CharField(
        label=_("Your name"),
        max_length=120,
        help_text=_("As colleagues know you, for example Dr. Ada Lee."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=128,
        strip=False,
        help_text=" ".join(password_validators_help_texts()[1:2]),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("Password again"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        self.user.name = self.cleaned_data.get("name", "")
        validate_password(password, self.user)
        return password

    def clean(self) -> None:
        password, again = self.cleaned_data.get("password"), self.cleaned_data.get("again")
        if password and again and password != again:
            self.add_error("again", _("The two passwords are not the same."))
