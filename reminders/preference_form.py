"""The patient's own page as a form, and in words what has been chosen. Nothing here saves.

Everything is drawn as it stands, and only what was chosen otherwise than it was drawn is a wish:
a form sent as it came, by a robot or from an old tab, wishes nothing.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, time
from typing import Any

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.models import Patient
from reminders import preferences
from reminders.preferences import Standing
from surveys.forms import Option
from surveys.wording import day_words, time_words

ON, PAUSE, OFF = "on", "pause", "off"
NOT_OFFERED = {"invalid_choice": gettext_lazy("Choose one of these answers.")}
FIELDS = ("mail", "send_hour", "language")


class PreferencesForm(forms.Form):
    """`was_…` is how it stood when the page was drawn. What is absent stays as it is."""

    mail = forms.ChoiceField(required=False, error_messages=NOT_OFFERED)
    send_hour = forms.ChoiceField(required=False, error_messages=NOT_OFFERED)
    language = forms.ChoiceField(
        required=False, choices=settings.LANGUAGES, error_messages=NOT_OFFERED
    )

    def __init__(
        self, patient: Patient, stands: Standing, now: datetime, data: QueryDict | None = None
    ) -> None:
        self.drawn = _drawn(stands)
        super().__init__(data, initial=self.drawn)
        self.stands = stands
        self._mails = mail_choices(patient, stands, now)
        # Whatever is offered now: it may have been drawn before the clinic made a pause.
        self.fields["mail"].choices = [(each, each) for each in (ON, PAUSE, OFF)]  # type: ignore[attr-defined]
        self.fields["send_hour"].choices = hour_choices(patient, stands)  # type: ignore[attr-defined]

    def wishes(self) -> dict[str, Any]:
        """What was chosen otherwise than it was drawn, as `preferences.choose` takes it."""
        found: dict[str, Any] = {
            name: self.cleaned_data[name]
            for name in FIELDS
            if name in self.data and self.cleaned_data[name] != self.was[name]
        }
        if "send_hour" in found:
            found["send_hour"] = int(found["send_hour"]) if found["send_hour"] else None
        return {name: value for name, value in found.items() if value != ""}

    @property
    def was(self) -> Mapping[str, str]:
        return {name: self.data.get(f"was_{name}", self.drawn[name]) for name in FIELDS}

    @property
    def mails(self) -> list[Option]:
        return self._options("mail", self._mails)

    @property
    def send_hours(self) -> list[Option]:
        return self._options("send_hour", self.fields["send_hour"].choices)  # type: ignore[attr-defined]

    @property
    def languages(self) -> list[Option]:
        return self._options("language", settings.LANGUAGES)

    def _options(self, name: str, choices: list[tuple[str, str]]) -> list[Option]:
        chosen = self[name].value()
        return [
            Option(f"{name}-{n}", value, str(label), value == chosen)
            for n, (value, label) in enumerate(choices)
        ]


def _drawn(stands: Standing) -> dict[str, str]:
    hour = "" if stands.send_hour is None else str(stands.send_hour)
    return {"mail": stands.mail, "send_hour": hour, "language": stands.language}


def mail_choices(patient: Patient, stands: Standing, now: datetime) -> list[tuple[str, str]]:
    """As a patient reads them: what there is to choose, and to leave things as they are."""
    is_off, is_paused = stands.mail == OFF, stands.mail == PAUSE
    stop = (OFF, _("Leave them stopped") if is_off else _("Stop them"))
    if stands.is_ended:
        return [stop] if is_off else [(ON, _("Leave everything as it is")), stop]
    go_on = (ON, _("Continue the e-mails") if is_off or is_paused else _("Send them"))
    if is_paused:
        rest = (PAUSE, _("Leave them paused"))
    else:
        day = day_words(preferences.two_weeks_on(now, patient.tz).astimezone(patient.tz))
        rest = (PAUSE, _("Pause them for two weeks, until %(day)s") % {"day": day})
    if stands.is_clinics_pause:
        return [go_on, stop] if is_off else [rest, stop]
    return [go_on, rest, stop]


def hour_choices(patient: Patient, stands: Standing) -> list[tuple[str, str]]:
    offered = preferences.hours(patient.clinic, stands.send_hour)
    named = [(str(hour), time_words(time(hour))) for hour in offered]
    return [("", _("When my clinic plans it")), *named]


def kept(wishes: Mapping[str, Any], stands: Standing, patient: Patient) -> list[str]:
    """What is as it was wished, one sentence each. Said again it is the same."""
    return list(_sentences(wishes, stands, patient))


def paused(stands: Standing, patient: Patient) -> str:
    """Empty without a pause, and where the e-mails are stopped altogether."""
    if stands.mail != PAUSE:
        return ""
    if stands.is_clinics_pause:
        return _("Your clinic has paused your e-mails. Call them if you want to go on.")
    if stands.paused_until is None:
        return ""
    day = day_words(stands.paused_until.astimezone(patient.tz))
    return _("The e-mails are paused. They start again on %(day)s.") % {"day": day}


def _sentences(wishes: Mapping[str, Any], stands: Standing, patient: Patient) -> Iterator[str]:
    if wishes.get("mail") == stands.mail == ON and not stands.is_ended:
        yield _("The e-mails continue.")
    elif wishes.get("mail") in (ON, PAUSE) and stands.mail == PAUSE:
        yield paused(stands, patient)
    if "send_hour" in wishes and wishes["send_hour"] == stands.send_hour:
        hour = stands.send_hour
        if hour is None:
            yield _("The e-mails come when your clinic plans them.")
        else:
            at = time_words(time(hour))
            yield _("The e-mails come around %(time)s.") % {"time": at}
    if wishes.get("language") == stands.language:
        name = dict(settings.LANGUAGES)[stands.language]
        yield _("Language of the e-mails: %(language)s.") % {"language": name}
