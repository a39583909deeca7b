"""Alerts: who needs a person, who has it, what is done next, how it ended."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic import audit
from clinic.access import StaffRequest, require
from clinic.actors import member_actor
from clinic.models import Patient
from dashboards import queries
from dashboards.forms.alerts import CloseForm, ContactForm, HandOverForm, NoteForm, ReopenForm
from dashboards.rows import AlertRow, most_pressing
from surveys import alerts as verbs
from surveys.case_file import begun_at
from surveys.models import Alert

CLOSED_SHOWN = 50


def alert_of(request: StaffRequest, alert_id: UUID) -> Alert:
    seen = Alert.objects.visible_to(request.member).select_related("patient__clinic", "clinic")
    return get_object_or_404(seen, pk=alert_id)


@require_GET
@require("see safety")
def alerts(request: StaffRequest) -> HttpResponse:
    """Open ones first, the most pressing on top; test alerts apart."""
    now = timezone.now()
    audit.read(request.member, None, "alerts", now=now)
    mine = Alert.objects.visible_to(request.member)
    open_rows = queries.alert_rows(mine.open())
    closed = mine.filter(closed_at__isnull=False).about_patients().order_by("-closed_at")
    latest = mine.filter(pk__in=list(closed.values_list("pk", flat=True)[:CLOSED_SHOWN]))
    context = {
        "open": most_pressing(row for row in open_rows if not row.is_test),
        "tests": [row for row in open_rows if row.is_test],
        "closed": sorted(
            queries.alert_rows(latest), key=lambda row: row.closed_at or now, reverse=True
        ),
        "now": now,
    }
    return render(request, "dashboards/alerts.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@require("see safety")
def alert(request: StaffRequest, alert_id: UUID) -> HttpResponse:
    """One alert with its history and what may be done. A note ends nothing."""
    found, now = alert_of(request, alert_id), timezone.now()
    note = NoteForm(request.POST if request.method == "POST" else None)
    if note.is_valid():
        by = member_actor(request.member)
        verbs.note(found, note.cleaned_data["text"], by=by, now=now)
        return redirect("dashboards:alert", found.pk)
    return page(request, found, note=note)


def page(request: StaffRequest, found: Alert, **given: Any) -> HttpResponse:
    """`given` is a form that was not accepted, with what was typed."""
    now = timezone.now()
    audit.read(request.member, found.patient, "alert", now=now)
    row = queries.alert_rows(Alert.objects.filter(pk=found.pk))[0]
    context = {
        "row": row,
        "patient": found.patient,
        "events": queries.alert_events(found),
        "form": next(iter(given.values()), None),  # whose errors the title tells
        "note": NoteForm(),
        "now": now,
        **_forms(found, row, now),
        **given,
    }
    return render(request, "dashboards/alert.html", context)


def _forms(found: Alert, row: AlertRow, now: datetime) -> dict[str, Any]:
    """Empty ones. Their ids differ, because they stand on one page."""
    zone = found.clinic.tz
    return {
        "contact": ContactForm(zone=zone, initial={"contact_at": now}, auto_id="contact_%s"),
        "hand_over": HandOverForm(people=queries.colleagues(found), auto_id="hand_%s"),
        "close": close_form(found, reached=row.reached),
        "reopen": ReopenForm(initial={"begun": begun_at(found).isoformat()}, auto_id="reopen_%s"),
        "begun": begun_at(found).isoformat(),
    }


def close_form(found: Alert, data: QueryDict | None = None, *, reached: bool) -> CloseForm:
    return CloseForm(
        data,
        initial={"begun": begun_at(found).isoformat()},
        zone=found.clinic.tz,
        reached=reached,
        has_died=found.patient is not None and found.patient.status == Patient.Status.DECEASED,
        auto_id="close_%s",
    )


@require_POST
@require("take alert")
def take(request: StaffRequest, alert_id: UUID) -> HttpResponse:
    """ "I am taking this." Two at once: one has it, the other is told who."""
    found = alert_of(request, alert_id)
    owner = verbs.take(found, by=member_actor(request.member), now=timezone.now())
    if owner == request.member and found.rule == Alert.TEST_RULE:
        _say_what_it_proved(request)
    elif owner == request.member:
        messages.success(request, _("You have it. Close it here when you know what came of it."))
    else:
        name = {"name": owner.user.name or owner.user.email}
        messages.warning(request, _("%(name)s has taken this already.") % name)
    return redirect("dashboards:alert", found.pk)


def _say_what_it_proved(request: StaffRequest) -> None:
    if request.member.is_responder:
        messages.success(request, _("The test alert arrived: alerts reach you."))
    else:
        said = _("Taken. It counts once an administrator makes you a responder.")
        messages.warning(request, said)
