"""Patients choose how e-mail comes, stop it, or ask for their link again. GET never acts, nor does
a form that is sent as it was drawn: scanners open links and press what they find."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from clinic.actors import patient_link
from reminders import fresh_links, preferences, tasks
from reminders.preference_form import PreferencesForm, kept, paused
from surveys import alerts, links, passes, questions
from surveys.models import FollowUp
from surveys.views.crisis import reading
from surveys.views.frame import Here, dialled, patient_page, show, spoken

WORKS_FOR = timedelta(days=365)  # after the follow-up closed
STOP = {"mail": "off"}


@login_not_required
@never_cache
@csrf_exempt  # RFC 8058: the mail program posts without a cookie; the link itself is the secret
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """The patient's own page, where the mails' link leads: stop, pause, hour and language.

    Asks by GET; acts by POST of what was chosen, or of a mail program's one click.
    """
    now = timezone.now()
    follow_up = _follow_up(token, now)
    if follow_up is None:
        return _unknown(request)
    if request.method == "POST" and _is_one_click(request):
        return _chosen(request, follow_up, STOP, now)
    patient = follow_up.patient
    stands = preferences.standing(patient, now=now)
    is_saved = "save" in request.POST
    typed = request.POST if is_saved or "show" in request.POST else None
    with translation.override(_language(request, follow_up)):
        form = PreferencesForm(patient, stands, now, typed)
        if is_saved and form.is_valid():
            return _chosen(request, follow_up, form.wishes(), now)
        errors = form.errors if is_saved else {}
        about: dict[str, Any] = {"stands": stands, "pause": paused(stands, patient)}
        return _page(request, "preferences", follow_up, form=form, errors=errors, **about)


@login_not_required
@never_cache
@csrf_exempt  # as above
@require_http_methods(["GET", "HEAD", "POST"])
def help_now(request: HttpRequest, token: str) -> HttpResponse:
    """Help, from the patient's own page. Opening it only shows the numbers; a second, deliberate
    press tells the clinic, as behind a check-in's link."""
    now = timezone.now()
    follow_up = _follow_up(token, now)
    if follow_up is None:
        return _unknown(request)
    may_tell = not preferences.has_left(follow_up.patient)
    is_told = may_tell and request.POST.get("tell") == "yes"
    if is_told:
        alerts.help_now(follow_up, by=patient_link(follow_up.pk), now=now)
    language = _language(request, follow_up)
    here = Here(follow_up, passes.new_pass(follow_up, language), now)
    with translation.override(language):
        told: dict[str, Any] = {"is_told": is_told, "may_tell": may_tell}
        return _page(request, "help", follow_up, reading=reading(here), **told)


@patient_page("POST")
def fresh_link(request: HttpRequest) -> HttpResponse:
    """Mail the link to the address on file. The answer never says whether there is one.

    It is wished for with a tick: a robot that sends the form as drawn must not have a patient
    mailed at night.
    """
    now = timezone.now()
    if request.POST.get("wanted") != "yes":
        with translation.override(spoken(request)):
            errors = [_("Tick the box if you want a new link.")]
            return show(request, "ask_link", errors=errors, token=request.POST.get("token", ""))
    follow_up = _lost(request, now)
    if follow_up is not None:
        asked = fresh_links.ask(follow_up, by=patient_link(follow_up.pk), now=now)
        if asked is not None:
            tasks.wake_drain()  # somebody waits for it
    with translation.override(spoken(request)):
        return show(request, "link_asked")


def _chosen(
    request: HttpRequest, follow_up: FollowUp, wishes: Mapping[str, Any], now: datetime
) -> HttpResponse:
    """Carry it out, and say what of it now holds, in the language that was chosen."""
    stands = preferences.choose(follow_up, wishes, now=now)
    patient = follow_up.patient
    is_spoken = wishes.get("language") == stands.language
    with translation.override(stands.language if is_spoken else _language(request, follow_up)):
        is_about_mail = "mail" in wishes
        return _page(
            request,
            "preferences_saved",
            follow_up,
            stands=stands,
            is_stopped=wishes.get("mail") == stands.mail == "off",
            lines=kept(wishes, stands, patient),
            pause="" if is_about_mail else paused(stands, patient),
            may_undo=is_about_mail and stands.mail != "on" and not stands.is_ended,
        )


def _page(
    request: HttpRequest,
    name: str,
    follow_up: FollowUp | None = None,
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    """It knows the clinic's neutral name and phone, and nobody's name."""
    language = translation.get_language()
    clinic = follow_up.patient.clinic if follow_up else None
    known = {
        "language": language,
        "languages": [item for item in settings.LANGUAGES if item[0] != language],
        "sender": clinic.sender_in(language) if clinic else "",
        "phone": clinic.phone if clinic else "",
        "phone_link": dialled(clinic.phone) if clinic else "",
    }
    response = render(request, f"reminders/{name}.html", {**known, **context}, status=status)
    response.headers["Content-Language"] = language
    return response


def _unknown(request: HttpRequest) -> HttpResponse:
    with translation.override(spoken(request)):
        return _page(request, "unsubscribe_unknown", status=404)


def _language(request: HttpRequest, follow_up: FollowUp) -> str:
    """The one this page is read in: switched on it, or brought along, else the patient's."""
    asked = request.POST.get("show") or request.GET.get("lang", "")
    return asked if asked in dict(settings.LANGUAGES) else questions.language_of(follow_up)


def _lost(request: HttpRequest, now: datetime) -> FollowUp | None:
    """By the closed link itself, else by the pass of a page that was open too long."""
    token = request.POST.get("token", "")
    if token:
        return questions.follow_up_of_digest(links.digest(token))
    held = passes.read(request, now=now)
    found = questions.follow_up_of_id(held.follow_up_id) if held else None
    return found if held and found and held.fits(found) else None


def _follow_up(token: str, now: datetime) -> FollowUp | None:
    found = FollowUp.objects.select_related("patient__clinic").filter(
        unsubscribe_digest=links.digest(token), closes_at__gt=now - WORKS_FOR
    )
    return found.first()


def _is_one_click(request: HttpRequest) -> bool:
    """A mail program's, or of a page with a button as it was drawn before there were choices."""
    one_click = request.POST.get("List-Unsubscribe") == "One-Click"
    return one_click or request.POST.get("stop") == "yes"
