"""What every patient page shares: public, never cached, in one language, with the crisis lines."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from clinic.actors import Actor, patient_link
from clinic.models import Clinic
from surveys import links, passes, questions
from surveys.answering import NotTaken
from surveys.doors import Door
from surveys.models import FollowUp
from surveys.passes import Pass
from surveys.questions import Paper
from surveys.throttle import is_guessing

P = ParamSpec("P")
View = Callable[P, HttpResponse]
TOO_MANY = 429
GONE = 410  # unknown, revoked, replaced and closed links alike


@dataclass(frozen=True, slots=True)
class Here:
    """One browser with its pass to one follow-up, at one moment."""

    follow_up: FollowUp
    held: Pass
    now: datetime

    @property
    def by(self) -> Actor:
        return patient_link(self.follow_up.pk)

    @property
    def clinic(self) -> Clinic:
        return self.follow_up.patient.clinic

    def paper(self) -> Paper:
        """Read again: after an answer other questions may stand here."""
        return questions.paper(self.follow_up, now=self.now, language=self.held.language)


def patient_page(*methods: str) -> Callable[[View[P]], View[P]]:
    """Public, for these methods only, and kept by no cache."""

    def decorate(view: View[P]) -> View[P]:
        return login_not_required(never_cache(require_http_methods(list(methods))(view)))

    return decorate


def with_pass(
    *methods: str, keeps_input: bool = False
) -> Callable[[Callable[Concatenate[HttpRequest, Here, P], HttpResponse]], View[...]]:
    """A page behind a pass, in the language the patient chose on it.

    `keeps_input`: the view itself shows what was typed again when the language is switched.
    """

    def decorate(view: Callable[Concatenate[HttpRequest, Here, P], HttpResponse]) -> View[...]:
        @patient_page(*methods)
        @wraps(view)
        def page(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            now = timezone.now()
            here = _here(request, now)
            if here is None:
                return lost(request)
            with translation.override(here.held.language):
                if "language" in request.POST and not keeps_input:
                    response = see_other(request.path)
                else:
                    response = _taken_or_closed(view, request, here, *args, **kwargs)
            if request.method == "POST" and passes.cookie_name() not in response.cookies:
                passes.hand(response, here.held, now=now)
            return response

        return page

    return decorate


def _taken_or_closed(view: Any, request: HttpRequest, here: Here, *args: Any, **kw: Any) -> Any:
    """What was open at the click may be closed at the submit."""
    try:
        return view(request, here, *args, **kw)
    except NotTaken as refused:
        if refused.door is Door.SENT:
            return see_other("surveys:sent")
        return closed(request, here.follow_up)


def _here(request: HttpRequest, now: datetime) -> Here | None:
    """None without a pass, or with one that is idle, revoked or another patient's.

    An answer is for the follow-up of its page, though this patient has opened a newer one since.
    """
    held = passes.read(request, now=now)
    if held is None or (held.is_idle and request.method != "POST"):
        return None
    own = questions.follow_up_of_id(held.follow_up_id)
    if request.method == "POST":
        held = passes.of_page(request.POST.get("stamp", ""), held)
    if held is None or own is None:
        return None
    follow_up = own if own.pk == held.follow_up_id else questions.follow_up_of_id(held.follow_up_id)
    if follow_up is None or not held.fits(follow_up) or follow_up.patient_id != own.patient_id:
        return None
    wanted = request.POST.get("language", held.language)
    language = wanted if wanted in dict(settings.LANGUAGES) else held.language
    return Here(follow_up, replace(held, language=language), now)


def show(
    request: HttpRequest,
    template: str,
    here: Here | None = None,
    *,
    clinic: Clinic | None = None,
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    """Render a patient page. It knows the clinic's neutral name and phone, never its own name."""
    clinic = here.clinic if here else clinic
    language = translation.get_language()
    response = render(
        request,
        f"surveys/{template}.html",
        {
            "language": language,
            "languages": [item for item in settings.LANGUAGES if item[0] != language],
            "sender": clinic.sender_in(language) if clinic else "",
            "phone": clinic.phone if clinic else "",
            "phone_link": dialled(clinic.phone) if clinic else "",
            "stamp": here.held.stamp if here else "",
            **context,
        },
        status=status,
    )
    response.headers["Content-Language"] = language
    return response


def dialled(phone: str) -> str:
    """A telephone number as a link dials it."""
    return re.sub(r"[^\d+]", "", phone)


def own_page(follow_up: FollowUp) -> str:
    """Where the patient chooses how e-mail comes, or stops it. Empty once the key of its link has
    been retired: the newest e-mail still has one."""
    try:
        address = links.unsubscribe_url(follow_up)
    except KeyError:
        return ""
    return f"{address}?lang={translation.get_language()}"


class SeeOther(HttpResponseRedirect):
    """What was posted is kept; the next page is got."""

    status_code = 303


def spoken(request: HttpRequest, otherwise: str = "") -> str:
    """The language asked for on the page, else `otherwise`, else what the pass or browser says."""
    asked = request.POST.get("language") or request.GET.get("lang") or otherwise
    if asked in dict(settings.LANGUAGES):
        return asked
    held = passes.read(request, now=timezone.now())
    return held.language if held else translation.get_language()


def see_other(to: str, *args: Any) -> HttpResponse:
    return SeeOther(to if to.startswith("/") else reverse(to, args=args))


def closed(request: HttpRequest, follow_up: FollowUp | None = None) -> HttpResponse:
    """One page for every link that opens nothing. It does not say why."""
    status = TOO_MANY if follow_up is None and is_guessing(request) else GONE
    clinic = follow_up.patient.clinic if follow_up else None
    token = request.resolver_match.kwargs.get("token", "") if request.resolver_match else ""
    return show(request, "closed", clinic=clinic, status=status, token=token)


def lost(request: HttpRequest) -> HttpResponse:
    """No pass, or an old one: the link in the e-mail brings the patient back."""
    with translation.override(spoken(request)):
        return show(request, "lost", status=GONE)


@login_not_required
@never_cache
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A page that was open too long, or a form from elsewhere. The crisis lines stay."""
    match = request.resolver_match
    if match is None or match.app_name != "surveys":
        return render(request, "403_csrf.html", status=403)
    with translation.override(spoken(request)):
        return show(request, "start_again", status=403)
