"""Help, before anything else: what a patient sees after a worrying answer or on asking for it.

Never a score, never a promise that the clinic may not keep.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse

from surveys import alerts, answering, cover
from surveys.answering.safe_now import IN_DANGER
from surveys.forms import SafetyForm
from surveys.questions import instrument_of_response
from surveys.views.frame import Here, see_other, show, with_pass
from surveys.wording import day_words, time_words


@dataclass(frozen=True, slots=True)
class Reading:
    """Who reads the alert, and when, on the patient's own clock."""

    now: bool
    minutes: int
    hours: tuple[str, str] | None  # none: at all hours
    opens: tuple[str, str] | None  # day and time


@with_pass("GET", "HEAD", "POST")
def help_now(request: HttpRequest, here: Here) -> HttpResponse:
    """ "I need help now", and the page that interrupts after a worrying answer."""
    if request.method == "POST":
        alerts.help_now(here.follow_up, by=here.by, now=here.now)
        return see_other("surveys:help")
    return show(request, "help", here, form=SafetyForm(), **_context(here))


@with_pass("POST")
def help_answer(request: HttpRequest, here: Here) -> HttpResponse:
    """How the patient is now, and a number for today. Both may be left empty."""
    form = SafetyForm(request.POST)
    form.is_valid()  # what cannot be read counts as left empty: nothing here may hold anyone up
    safe, phone = (form.cleaned_data.get(name, "") for name in ("safe", "phone"))
    answering.say_how_safe(here.follow_up, safe, phone, by=here.by, now=here.now)
    return see_other("surveys:help-only" if safe in IN_DANGER else "surveys:help-noted")


@with_pass("GET", "HEAD", "POST")
def help_only(request: HttpRequest, here: Here) -> HttpResponse:
    """Only the numbers to call, and nothing else to read or answer."""
    return show(request, "help_only", here)


@with_pass("GET", "HEAD", "POST")
def help_noted(request: HttpRequest, here: Here) -> HttpResponse:
    return show(request, "help_noted", here, **_context(here))


@with_pass("GET", "HEAD", "POST")
def emergency(request: HttpRequest, here: Here) -> HttpResponse:
    return show(request, "emergency", here, **_context(here))


def _context(here: Here) -> dict[str, Any]:
    return {
        "is_told": here.follow_up.alerts.exists(),
        "is_answer": _has_told_of_thoughts(here),
        "reading": reading(here),
        "is_sent": here.follow_up.finished_at is not None,
    }


def _has_told_of_thoughts(here: Here) -> bool:
    """Whether a suicide item was answered above 0, as opposed to a red flag or a call for help.

    In this browser: somebody else with the same link learns nothing from it.
    """
    return any(
        (response.answers.get(item.key) or 0) > 0
        for response in here.follow_up.responses.select_related("instrument")
        for item in instrument_of_response(response).items
        if item.safety is not None
        and item.safety.kind == "suicide"
        and here.held.has(f"{response.instrument.key}/{item.key}")
    )


def reading(here: Here) -> Reading:
    """Who reads an alert of this moment, and when."""
    clinic, zone = here.clinic, here.follow_up.patient.tz
    opens = cover.next_opening(clinic, here.now)
    start, end = cover.hours_today(clinic, here.now)
    is_always = cover.cover_of(clinic, now=here.now) == "always"
    return Reading(
        now=cover.reading_now(clinic, here.now),
        minutes=clinic.reply_within_minutes,
        hours=None if is_always else (_clock(start, zone), _clock(end, zone)),
        opens=(day_words(opens.astimezone(zone)), _clock(opens, zone)) if opens else None,
    )


def _clock(at: datetime, zone: ZoneInfo) -> str:
    return time_words(at.astimezone(zone))
