"""Ask a patient on the telephone: a member reads each question aloud and enters the answer.

The words, the order and what follows an answer are those of the patient's own pages.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic import audit
from clinic.access import StaffRequest, require
from clinic.actors import Actor, member_actor
from reminders import planning
from surveys import alerts, answering, passes, questions
from surveys.answering import NotAsked, NotTaken, Recorded, Unanswered, by_phone
from surveys.answering.safe_now import IN_DANGER
from surveys.doors import Door
from surveys.forms import AnswerForm, SafetyForm
from surveys.instruments import OffScale
from surveys.models import FollowUp
from surveys.questions import Paper, Question
from surveys.views.crisis import reading
from surveys.views.frame import Here, dialled
from surveys.wording import given, words

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Call:
    """One member who asks one patient, in the patient's language, at one moment."""

    request: StaffRequest
    follow_up: FollowUp
    language: str
    now: datetime

    @property
    def by(self) -> Actor:
        return member_actor(self.request.member)

    def paper(self) -> Paper:
        return answering.begin(self.follow_up, now=self.now, language=self.language)

    def to(self, page: str, *args: object, **more: str) -> HttpResponse:
        """Another page of this call, in the same language."""
        address = reverse(f"dashboards:by-phone{page}", args=[self.follow_up.pk, *args])
        return redirect(f"{address}?{urlencode({'language': self.language, **more})}")

    def end(self) -> HttpResponse:
        return redirect("dashboards:patient", self.follow_up.patient_id)

    def show(self, template: str, **context: Any) -> HttpResponse:
        patient = self.follow_up.patient
        audit.read(self.request.member, patient, "check-in by telephone", now=self.now)
        context |= {
            "follow_up": self.follow_up,
            "patient": patient,
            "call_language": self.language,
            "call_languages": [each for each in settings.LANGUAGES if each[0] != self.language],
        }
        return render(self.request, f"dashboards/telephone_{template}.html", context)


def on_a_call(
    *methods: str,
) -> Callable[[Callable[Concatenate[Call, P], HttpResponse]], Callable[..., HttpResponse]]:
    """What was open when the page was drawn may be sent, or over, when it is posted."""

    def decorate(
        view: Callable[Concatenate[Call, P], HttpResponse],
    ) -> Callable[..., HttpResponse]:
        @require_http_methods(list(methods))
        @require("enter answers")
        @wraps(view)
        def page(
            request: StaffRequest, /, follow_up_id: UUID, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponse:
            call = _call(request, follow_up_id)
            try:
                return view(call, *args, **kwargs)
            except NotTaken as refused:
                return _over(call, refused.door)

        return page

    return decorate


def _call(request: StaffRequest, follow_up_id: UUID) -> Call:
    seen = FollowUp.objects.visible_to(request.member).select_related("patient__clinic")
    follow_up = get_object_or_404(seen, pk=follow_up_id)
    wanted = request.POST.get("language") or request.GET.get("language") or ""
    is_known = wanted in dict(settings.LANGUAGES)
    language = wanted if is_known else questions.language_of(follow_up)
    return Call(request, follow_up, language, timezone.now())


def _over(call: Call, state: Door) -> HttpResponse:
    if state is Door.SENT:
        messages.info(call.request, _("This check-in is sent already: there is nothing to ask."))
    else:
        messages.error(call.request, _("This check-in takes no answers now. Nothing was kept."))
    return call.end()


@on_a_call("GET", "HEAD")
def onward(call: Call) -> HttpResponse:
    """To the first question without an answer, else to all of them before sending."""
    asked = call.paper()
    found = asked.first_open()
    if found is not None:
        return call.to("-question", found.place)
    if asked.parts:
        return call.to("-check")
    if asked.untranslated:
        return call.show("untranslated")
    return _over(call, Door.OVER)


@on_a_call("GET", "HEAD", "POST")
def question(call: Call, place: int) -> HttpResponse:
    """One question as the patient would read it. Its answer is kept before the next is drawn."""
    if call.request.method == "POST":
        return _answered(call, place)
    asked = call.paper()
    found = asked.at(place)
    if found is None:
        return call.to("")
    return _ask(call, asked, found, AnswerForm(found, chosen=_standing(found)))


def _standing(found: Question) -> Mapping[str, int | None] | None:
    return found.part.answers if found.is_answered else None


def _ask(call: Call, asked: Paper, found: Question, form: AnswerForm) -> HttpResponse:
    before = asked.before(found)
    return call.show(
        "question",
        form=form,
        words=words(found),
        question=found,
        number=asked.number(found),
        total=len(asked.shown),
        back=before.place if before else None,
        is_change="change" in call.request.GET or "change" in call.request.POST,
        phone=call.follow_up.patient.phone,
        phone_link=dialled(call.follow_up.patient.phone),
    )


def _answered(call: Call, place: int) -> HttpResponse:
    found = _as_read(call)
    if found is None:
        return call.to("-question", place)
    form, is_skipped = AnswerForm(found, call.request.POST), "skip" in call.request.POST
    if not is_skipped and not form.is_valid():
        return _ask(call, call.paper(), found, form)
    values = dict.fromkeys(found.screen.items) if is_skipped else form.values()
    try:
        recorded = by_phone.enter(call.follow_up, found, values, by=call.by, now=call.now)
    except (NotAsked, OffScale):
        return call.to("")
    return _next(call, found, recorded)


def _as_read(call: Call) -> Question | None:
    """The question in the words that were read aloud; None when no words of today are those."""
    post = call.request.POST
    with suppress(NotAsked):
        found = answering.question(
            call.follow_up, post.get("question", ""), now=call.now, language=call.language
        )
        return found if found.seal == post.get("words") else None
    return None


def _next(call: Call, found: Question, recorded: Recorded) -> HttpResponse:
    """Help comes before the next question."""
    if recorded.gave("suicide"):
        return call.to("-help")
    if recorded.gave("emergency"):
        return call.to("-help", about="emergency")
    later = (each for each in call.paper().shown if each.place > found.place)
    following = next((each for each in later if not each.is_answered), None)
    if following is None or "change" in call.request.POST:
        return call.to("")
    return call.to("-question", following.place)


@on_a_call("GET", "HEAD", "POST")
def check(call: Call) -> HttpResponse:
    """All answers before sending, each with its way back."""
    asked = call.paper()
    if asked.first_open() is not None or not asked.parts:
        return call.to("")
    if call.request.method != "POST":
        lines = [(each.place, words(each).text, given(each)) for each in asked.shown]
        return call.show("check", lines=lines, untranslated=asked.untranslated)
    try:
        by_phone.send(call.follow_up, by=call.by, now=call.now, language=call.language)
    except Unanswered:
        return call.to("")
    planning.reconcile(call.follow_up.patient, now=call.now, by=call.by)
    messages.success(call.request, _("The check-in is sent, as answered by telephone."))
    return call.end()


@on_a_call("GET", "HEAD", "POST")
def help_now(call: Call) -> HttpResponse:
    """What to read aloud after a worrying answer, and what the patient says to it."""
    if call.request.method == "POST":
        return _heard(call)
    standing = alerts.worst(call.follow_up.alerts.open())
    here = Here(call.follow_up, passes.new_pass(call.follow_up, call.language), call.now)
    with translation.override(call.language):
        told = reading(here)
    return call.show(
        "help",
        form=SafetyForm(),
        reading=told,
        is_told=standing is not None,
        alert=standing,
        is_emergency=call.request.GET.get("about") == "emergency",
        is_sent=call.follow_up.finished_at is not None,
    )


def _heard(call: Call) -> HttpResponse:
    """Both may be left empty; "they need help now" is a button of its own on every page."""
    if "now" in call.request.POST:
        by_phone.call_for_help(call.follow_up, by=call.by, now=call.now)
        return call.to("-help")
    form = SafetyForm(call.request.POST)
    form.is_valid()  # what cannot be read counts as left empty
    safe, phone = (form.cleaned_data.get(name, "") for name in ("safe", "phone"))
    if safe or phone:
        by_phone.hear_how_safe(call.follow_up, safe, phone, by=call.by, now=call.now)
        messages.success(call.request, _("Noted with the alert."))
    if safe in IN_DANGER:
        said = _("The alert is critical. Do not end the call: 988, or 911 if they are in danger.")
        messages.error(call.request, said)
    return call.to("-help")
