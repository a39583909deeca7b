"""The patient's own trend: the one page that reads anything back, behind the birth date.

It is the answer to a POST and stands in no address and no cookie. A shared phone has nothing to
open again; the way back leads to the question.
"""

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from clinic import audit, birth_dates
from clinic.birth_dates import Outcome
from surveys import passes
from surveys.doors import Door, door
from surveys.forms import BirthDateForm
from surveys.own_trend import OwnTrend
from surveys.reading_back import own_trends
from surveys.trend_words import told
from surveys.views.frame import Here, lost, see_other, show, with_pass


@sensitive_post_parameters("day", "month", "year")
@with_pass("GET", "HEAD", "POST", keeps_input=True)
def trend(request: HttpRequest, here: Here) -> HttpResponse:
    """Ask for the birth date; when it is right, show what the scores did since the start."""
    if here.held.is_idle:
        return _forgotten(request)
    if door(here.follow_up, now=here.now) is not Door.SENT:
        return see_other("surveys:onward")
    trends = own_trends(here.follow_up, now=here.now)
    if not trends:
        return see_other("surveys:sent")
    if request.method != "POST":
        return _ask(request, here, _form(here))
    if "language" in request.POST:
        return _in_another_language(request, here, trends)
    return _try(request, here, trends)


def _try(request: HttpRequest, here: Here, trends: Sequence[OwnTrend]) -> HttpResponse:
    form, patient = _form(here, request), here.follow_up.patient
    if not form.is_valid():  # no try: nothing was compared
        return _ask(request, here, form, [str(error) for error in form.non_field_errors()])
    outcome = birth_dates.try_birth_date(
        patient, form.cleaned_data["born"], by=here.by, now=here.now
    )
    if outcome is Outcome.RIGHT:
        return _shown(request, here, trends, here.held.proof)
    if outcome is Outcome.LOCKED:
        return show(request, "trend_locked", here)
    wrong = _("This is not the date of birth that your clinic has. Please check it and try again.")
    return _ask(request, here, form, [wrong])


def _in_another_language(
    request: HttpRequest, here: Here, trends: Sequence[OwnTrend]
) -> HttpResponse:
    """What is on the screen, the trend or what was typed so far, stays there."""
    proof = request.POST.get("proof", "")
    if here.held.is_proven_by(proof):
        return _shown(request, here, trends, proof)  # which grows no younger
    return _ask(request, here, _form(here, request))


def _form(here: Here, request: HttpRequest | None = None) -> BirthDateForm:
    today = here.now.astimezone(here.follow_up.patient.tz).date()
    return BirthDateForm(request.POST if request else None, today=today)


def _ask(
    request: HttpRequest, here: Here, form: BirthDateForm, errors: Sequence[str] = ()
) -> HttpResponse:
    if here.follow_up.patient.is_birth_date_locked:
        return show(request, "trend_locked", here)
    return show(request, "birth_date", here, form=form, errors=errors)


def _shown(
    request: HttpRequest, here: Here, trends: Sequence[OwnTrend], proof: str
) -> HttpResponse:
    patient = here.follow_up.patient
    audit.read_back(here.by, patient, "own trend", now=here.now)
    return show(
        request,
        "trend",
        here,
        trends=[told(each, patient.tz) for each in trends],
        proof=proof,
    )


def _forgotten(request: HttpRequest) -> HttpResponse:
    """An hour old: what is typed into it now may not be the patient's. The pass goes with it."""
    response = lost(request)
    passes.drop(response)
    return response
