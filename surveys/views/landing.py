"""The page behind the e-mailed link. Scanners open links, so opening one changes nothing."""

from collections.abc import Callable
from datetime import datetime
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from clinic.actors import patient_link
from surveys import alerts, cover, links, passes, questions
from surveys.doors import Door, door, newer
from surveys.models import FollowUp
from surveys.views.frame import closed, own_page, patient_page, see_other, show, spoken

P = ParamSpec("P")


def _in_chosen_language(
    view: Callable[Concatenate[HttpRequest, FollowUp | None, datetime, P], HttpResponse],
) -> Callable[..., HttpResponse]:
    """Find the follow-up of a link; the language is the one asked for, else the patient's."""

    def page(request: HttpRequest, token: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        now = timezone.now()
        follow_up = _follow_up(token, now)
        own = questions.language_of(follow_up) if follow_up else ""
        with translation.override(spoken(request, own)):
            return view(request, follow_up, now, *args, **kwargs)

    page.__name__ = page.__qualname__ = view.__name__
    page.__module__, page.__doc__ = view.__module__, view.__doc__
    return page


@patient_page("GET", "HEAD", "POST")
@_in_chosen_language
def landing(request: HttpRequest, follow_up: FollowUp | None, now: datetime) -> HttpResponse:
    """What it is, how long it takes and who reads it. Start is a button that posts."""
    state = Door.SHUT if follow_up is None else door(follow_up, now=now)
    if follow_up is None or state in (Door.SHUT, Door.OVER):
        return closed(request, follow_up)
    if state is Door.SENT:
        clinic = follow_up.patient.clinic
        return show(request, "received", clinic=clinic, own_page=own_page(follow_up))
    if request.method == "POST":
        return _start(follow_up, now)
    return _welcome(request, follow_up, state, now)


@patient_page("GET", "HEAD", "POST")
@_in_chosen_language
def landing_help(request: HttpRequest, follow_up: FollowUp | None, now: datetime) -> HttpResponse:
    """Help before anything was started. Opening it only shows the numbers; a second, deliberate
    press tells the clinic, because mail scanners press what stands on the first page."""
    if follow_up is None or door(follow_up, now=now) in (Door.SHUT, Door.OVER):
        return closed(request, follow_up)
    if request.method == "POST":
        alerts.help_now(follow_up, by=patient_link(follow_up.pk), now=now)
        response = see_other("surveys:help")
        passes.hand(response, passes.new_pass(follow_up, translation.get_language()), now=now)
        return response
    return show(request, "landing_help", clinic=follow_up.patient.clinic)


@patient_page("GET", "HEAD")
def landing_and_more(request: HttpRequest, token: str, rest: str) -> HttpResponse:
    """A mail program that took the bracket or the full stop behind the link for a part of it."""
    return see_other("surveys:landing", token)


def _follow_up(token: str, now: datetime) -> FollowUp | None:
    """The link's own follow-up; where that has made way for a newer one, the newer one."""
    found = questions.follow_up_of_digest(links.digest(token))
    if found is not None and found.finished_at is None and found.withdrawn_at is not None:
        return newer(found, now=now) or found
    return found


def _start(follow_up: FollowUp, now: datetime) -> HttpResponse:
    """Give this browser a pass and take the secret out of the address. Nothing is recorded: a
    robot that presses every button has answered nothing."""
    response = see_other("surveys:onward")
    passes.hand(response, passes.new_pass(follow_up, translation.get_language()), now=now)
    return response


def _welcome(request: HttpRequest, follow_up: FollowUp, state: Door, now: datetime) -> HttpResponse:
    paper = questions.paper(follow_up, now=now, language=translation.get_language())
    patient = follow_up.patient
    name = patient.first_name if patient.clinic.greet_by_first_name else ""
    return show(
        request,
        "landing",
        clinic=patient.clinic,
        paper=paper,
        answered=sum(question.is_answered for question in paper.shown),
        is_late=state is Door.LATE,
        is_always_read=cover.cover_of(patient.clinic, now=now) == "always",
        first_name=name,
        own_page=own_page(follow_up),
    )
