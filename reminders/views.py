"""Patients stop the e-mails, or ask for their link again. GET never acts: scanners open links."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from clinic.actors import patient_link
from reminders import fresh_links, tasks, unsubscribing
from surveys import links, passes, questions
from surveys.models import FollowUp
from surveys.views.frame import dialled, patient_page, show, spoken

WORKS_FOR = timedelta(days=365)  # after the follow-up closed


@login_not_required
@never_cache
@csrf_exempt  # RFC 8058: the mail program posts without a cookie; the link itself is the secret
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Asks by GET; acts by POST of our own button or of a mail program's one click."""
    now = timezone.now()
    follow_up = _follow_up(token, now)
    if follow_up is None:
        with translation.override(spoken(request)):
            return _page(request, "unsubscribe_unknown", status=404)
    done = request.method == "POST" and _meant(request)
    if done:
        unsubscribing.unsubscribe(follow_up, now=now)
    clinic = follow_up.patient.clinic
    language = questions.language_of(follow_up)
    told: dict[str, Any] = {
        "done": done,
        "sender": clinic.sender_in(language),
        "phone": clinic.phone,
        "phone_link": dialled(clinic.phone),
    }
    with translation.override(language):
        return _page(request, "unsubscribe", **told)


@patient_page("POST")
def fresh_link(request: HttpRequest) -> HttpResponse:
    """Mail the link to the address on file. The answer never says whether there is one."""
    now = timezone.now()
    follow_up = _lost(request, now)
    if follow_up is not None:
        asked = fresh_links.ask(follow_up, by=patient_link(follow_up.pk), now=now)
        if asked is not None:
            tasks.wake_drain()  # somebody waits for it
    with translation.override(spoken(request)):
        return show(request, "link_asked")


def _page(request: HttpRequest, name: str, status: int = 200, **context: Any) -> HttpResponse:
    context["language"] = translation.get_language()
    return render(request, f"reminders/{name}.html", context, status=status)


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


def _meant(request: HttpRequest) -> bool:
    one_click = request.POST.get("List-Unsubscribe") == "One-Click"
    return one_click or request.POST.get("stop") == "yes"
