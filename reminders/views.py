"""The page behind "To stop these e-mails". GET never acts: mail scanners open links."""

from datetime import datetime, timedelta

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from reminders import unsubscribing
from surveys import links
from surveys.models import FollowUp

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
        return render(request, "reminders/unsubscribe_unknown.html", status=404)
    done = request.method == "POST" and _meant(request)
    if done:
        unsubscribing.unsubscribe(follow_up, now=now)
    language = follow_up.language or follow_up.patient.language
    with translation.override(language):
        context = {"done": done, "clinic": follow_up.patient.clinic}
        return render(request, "reminders/unsubscribe.html", context)


def _follow_up(token: str, now: datetime) -> FollowUp | None:
    found = FollowUp.objects.select_related("patient__clinic").filter(
        unsubscribe_digest=links.digest(token), closes_at__gt=now - WORKS_FOR
    )
    return found.first()


def _meant(request: HttpRequest) -> bool:
    one_click = request.POST.get("List-Unsubscribe") == "One-Click"
    return one_click or request.POST.get("stop") == "yes"
