"""E-mails that need a person, one message's whole story, and what staff decide about both."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic import audit
from clinic.access import StaffRequest, require
from clinic.actors import Actor
from clinic.models import Patient
from dashboards import mail_words, queries
from dashboards.forms.mail import SendAgainForm
from dashboards.views.acting import act, patient_of
from reminders import resolving, suppression
from reminders.models import Message, State, Suppression

PER_PAGE = 25  # of each list: each has pages of its own


@require_GET
@require("see patients")
def mail(request: StaffRequest) -> HttpResponse:
    """What needs a person first; then who wants no mail, and what was not sent of late."""
    now, clinic = timezone.now(), request.member.clinic
    audit.read(request.member, None, "mail", now=now)
    unclear = _page(request, "unclear", queries.unclear(clinic, now=now))
    moot = _page(request, "over", queries.moot(clinic, now=now))
    dead = _page(request, "dead", queries.dead_addresses(clinic))
    stopped = _page(request, "stopped", queries.stopped(clinic))
    missed = _page(request, "missed", queries.not_sent(clinic, now=now))
    context = {
        "unclear": (unclear, queries.unclear_rows(unclear, now=now)),
        "moot": (moot, queries.unclear_rows(moot, now=now)),
        "dead": (dead, queries.dead_rows(list(dead))),
        "stopped": (stopped, queries.stopped_rows(stopped)),
        "missed": (missed, queries.not_sent_rows(missed)),
        "ways": queries.ways_out(now=now),
        "now": now,
    }
    return render(request, "dashboards/mail.html", context)


def _page(request: StaffRequest, name: str, rows: Any) -> Page[Any]:
    return Paginator(rows, PER_PAGE).get_page(request.GET.get(name))


@require_GET
@require("see patients")
def message(request: StaffRequest, message_id: UUID) -> HttpResponse:
    """One message: what became of it, why it goes when it goes, and what moved it."""
    now, found = timezone.now(), _message_of(request, message_id)
    audit.read(request.member, found.patient, "message", now=now)
    context = {
        "story": queries.story(found),
        "patient": found.patient,
        "pointless": _pointless(found, now),
        "now": now,
    }
    return render(request, "dashboards/message.html", context)


def _message_of(request: StaffRequest, message_id: UUID) -> Message:
    theirs = Patient.objects.visible_to(request.member)
    seen = Message.objects.filter(patient__in=theirs).select_related(
        "clinic", "patient__clinic", "follow_up", "requested_by__user"
    )
    return get_object_or_404(seen, pk=message_id)


def _pointless(found: Message, now: datetime) -> str:
    return resolving.pointless(found, now=now) if found.state == State.UNKNOWN else ""


@require_POST
@require("send messages")
def confirm_sent(request: StaffRequest, message_id: UUID) -> HttpResponse:
    """It was sent: somebody knows."""
    found = _message_of(request, message_id)
    return act(
        request,
        found.patient,
        lambda by, now: resolving.confirm_sent(found, by=by, now=now),
        _("Noted: this e-mail was sent. Nothing is sent again."),
        to=_back(request, found),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@require("send messages")
def send_again(request: StaffRequest, message_id: UUID) -> HttpResponse:
    """Asks first: the patient may get it twice, and something may be in its way."""
    found, now = _message_of(request, message_id), timezone.now()
    form = SendAgainForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        at_once = form.cleaned_data["at_once"]
        return act(
            request,
            found.patient,
            lambda by, now: resolving.send_again(found, by=by, now=now, at_once=at_once),
            _("It is sent again as soon as it may go. This page tells what becomes of it."),
            to=_back(request, found, decided=True),
        )
    audit.read(request.member, found.patient, "message", now=now)
    obstacles = resolving.in_the_way(found, now=now)
    until = timezone.localtime(obstacles.until, found.patient.tz) if obstacles.until else None
    shown = until.strftime("%H:%M") if until else ""
    context = {
        "message": found,
        "patient": found.patient,
        "story": queries.story(found),
        "form": form,
        "unclear": found.state == State.UNKNOWN,
        "pointless": resolving.pointless(found, now=now),
        "obstacles": [mail_words.obstacle(each, shown) for each in obstacles.found],
        "their_time": timezone.localtime(now, found.patient.tz),
        "late": resolving.Obstacle.LATE in obstacles.found,
    }
    return render(request, "dashboards/send_again.html", context)


def _back(request: StaffRequest, found: Message, *, decided: bool = False) -> HttpResponse:
    """To the list it was decided on; else to the message's own page."""
    if request.POST.get("from") == "mail" and not decided:
        return redirect("dashboards:mail")
    return redirect("dashboards:message", found.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@require("edit patients")
def write_again(request: StaffRequest, patient_id: UUID) -> HttpResponse:
    """Allow e-mail to the patient's present address again. Asks first: it may be their wish."""
    patient = patient_of(request, patient_id)
    if request.method == "POST":
        return act(
            request,
            patient,
            lambda by, now: _lift_all(patient, by, now),
            _("E-mail goes to this address again. What is due from now on is mailed."),
        )
    now = timezone.now()
    audit.read(request.member, patient, "patient", now=now)
    context = {"patient": patient, "held": _in_the_way(patient), "now": now}
    return render(request, "dashboards/write_again.html", context)


def _in_the_way(patient: Patient) -> list[Suppression]:
    """All that stops the present address."""
    held = Suppression.objects.in_force().filter(patient=patient).order_by("since")
    return [
        each
        for each in held
        if suppression.in_the_way(patient.email, [(each.reason, each.address_digest)])
    ]


def _lift_all(patient: Patient, by: Actor, now: datetime) -> None:
    for each in _in_the_way(patient):
        suppression.lift(each, by=by, now=now)
