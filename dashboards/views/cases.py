"""What is done about one alert. A form that is refused comes back with what was typed."""

from collections.abc import Callable
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clinic.access import StaffRequest, require
from clinic.actors import member_actor
from clinic.models import Member
from clinic.refusals import Refused
from dashboards import queries
from dashboards.forms.alerts import ConfirmForm, ContactForm, HandOverForm, ReopenForm
from dashboards.forms.fields import Refusable
from dashboards.views.alerts import alert_of, close_form, page
from reminders import planning
from surveys import contacting, ending
from surveys.case_file import begun_at, case_of
from surveys.models import Alert


def _accepted(form: Refusable, act: Callable[[], object]) -> bool:
    """Whether the form is filled in, and the verb did not refuse it."""
    if not form.is_valid():
        return False
    try:
        act()
    except Refused as refused:
        form.refuse(refused)
        return False
    return True


@require_POST
@require("take alert")
def contact(request: StaffRequest, alert_id: UUID) -> HttpResponse:
    """One try to reach the patient."""
    found, now = alert_of(request, alert_id), timezone.now()
    form = ContactForm(request.POST, zone=found.clinic.tz, auto_id="contact_%s")
    by = member_actor(request.member)

    def act() -> object:
        given = form.cleaned_data
        once, note = given["once"] or uuid4(), given["note"]
        return contacting.record(found, form.contact(), note, once=once, by=by, now=now)

    if not _accepted(form, act):
        return page(request, found, contact=form)
    messages.success(request, _("Recorded."))
    return redirect("dashboards:alert", found.pk)


@require_POST
@require("take alert")
def hand_over(request: StaffRequest, alert_id: UUID) -> HttpResponse:
    found, now = alert_of(request, alert_id), timezone.now()
    form = HandOverForm(request.POST, people=queries.colleagues(found), auto_id="hand_%s")
    by = member_actor(request.member)

    def act() -> object:
        members = Member.objects.filter(clinic=request.member.clinic_id)
        to = get_object_or_404(members.select_related("user"), pk=form.cleaned_data["to"])
        return contacting.hand_over(found, to, form.cleaned_data["note"], by=by, now=now)

    if not _accepted(form, act):
        return page(request, found, hand_over=form)
    said = _("Handed over. You have it until your colleague takes it.")
    messages.success(request, said)
    return redirect("dashboards:alert", found.pk)


@require_POST
@require("take alert")
def close(request: StaffRequest, alert_id: UUID) -> HttpResponse:
    """End it; a critical one whose patient nobody reached waits for a second person."""
    found, now = alert_of(request, alert_id), timezone.now()
    form = close_form(found, request.POST, reached=case_of(found).reached)
    by = member_actor(request.member)

    def act() -> object:
        once, begun = form.cleaned_data["once"], form.cleaned_data["begun"]
        return ending.close(found, form.closing(), once=once, begun=begun, by=by, now=now)

    if not _accepted(form, act):
        return page(request, found, close=_as_of_now(form, found))
    return _ended(request, found)


@require_POST
@require("take alert")
def confirm(request: StaffRequest, alert_id: UUID) -> HttpResponse:
    """The second person agrees, or sends it back."""
    found, now = alert_of(request, alert_id), timezone.now()
    form = ConfirmForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose whether you agree. A note has at most 400 characters."))
        return redirect("dashboards:alert", found.pk)
    given, by = form.cleaned_data, member_actor(request.member)
    try:
        agrees = given["answer"] == "agree"
        ending.confirm(found, agrees, given["word"], begun=given["begun"], by=by, now=now)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("dashboards:alert", found.pk)
    return _ended(request, found)


@require_POST
@require("take alert")
def reopen(request: StaffRequest, alert_id: UUID) -> HttpResponse:
    found, now = alert_of(request, alert_id), timezone.now()
    form = ReopenForm(request.POST, auto_id="reopen_%s")
    by = member_actor(request.member)

    def act() -> object:
        given = form.cleaned_data
        return ending.reopen(found, given["why"], begun=given["begun"], by=by, now=now)

    if not _accepted(form, act):
        return page(request, found, reopen=_as_of_now(form, found))
    messages.success(request, _("Open again. You have it."))
    return redirect("dashboards:alert", found.pk)


def _as_of_now(form: Refusable, found: Alert) -> Refusable:
    """What was typed, for the alert as it is now: whoever sends it again has seen that."""
    found.refresh_from_db()
    typed = {name: form.data[name] for name in form.data}
    form.data = {**typed, "begun": begun_at(found).isoformat()}
    return form


def _ended(request: StaffRequest, found: Alert) -> HttpResponse:
    found.refresh_from_db()
    if found.closed_at is None:
        said = _("It stays open: a second person has to agree.")
        messages.warning(request, said if found.closing_by_id else _("Sent back. It stays open."))
        return redirect("dashboards:alert", found.pk)
    if found.patient is not None:
        by, now = member_actor(request.member), timezone.now()
        planning.reconcile(found.patient, now=now, by=by)
    messages.success(request, _("Closed."))
    return redirect("dashboards:alerts")
