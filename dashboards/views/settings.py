"""The clinic: who works here, who is told about alerts, when, and what is sent."""

from typing import Any
from uuid import UUID

from anymail.exceptions import AnymailError
from django.contrib import messages
from django.core.mail import EmailMessage
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from clinic import accounts, invitations, settling, team
from clinic.access import StaffRequest, require
from clinic.actors import member_actor
from clinic.models import Member
from clinic.refusals import Refused
from dashboards.forms.clinic import ClinicForm, InviteForm, clinic_initial
from dashboards.queries import gate as gates
from dashboards.queries.mail_days import against_their_days
from surveys import alerts


@require_http_methods(["GET", "HEAD", "POST"])
@require("set up clinic")
def settings(request: StaffRequest) -> HttpResponse:
    clinic, now = request.member.clinic, timezone.now()
    data = request.POST if request.method == "POST" else None
    form = ClinicForm(data, initial=clinic_initial(clinic))
    if form.is_valid():
        try:
            settling.change(clinic, form.cleaned_data, by=member_actor(request.member), now=now)
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _("Saved. The schedule follows within a minute."))
            return redirect("dashboards:settings")
    return _page(request, form=form)


def _page(request: StaffRequest, **given: Any) -> HttpResponse:
    clinic, now = request.member.clinic, timezone.now()
    context = {
        "clinic": clinic,
        "gate": gates.gate(clinic, now=now),
        "people": gates.people(clinic, now=now),
        "further": gates.further(clinic),
        "texts": list(gates.partly_verified(clinic)),
        "test_days": gates.TEST_DAYS,
        "against_their_days": against_their_days(clinic),
        "form": ClinicForm(initial=clinic_initial(clinic)),
        "invite_form": InviteForm(prefix="invite"),
        "invited": "",
        **given,
    }
    return render(request, "dashboards/settings.html", context)


@require_POST
@require("set up clinic")
def responder(request: StaffRequest, member_id: UUID) -> HttpResponse:
    """Whether this member is told about alerts."""
    member = get_object_or_404(Member, pk=member_id, clinic=request.member.clinic)
    try:
        team.set_responder(
            member,
            request.POST.get("is_responder") == "1",
            by=member_actor(request.member),
            now=timezone.now(),
        )
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("dashboards:settings")


@require_POST
@require("set up clinic")
def test_alert(request: StaffRequest) -> HttpResponse:
    """An alert about nobody. Whoever takes it has shown that alerts reach them."""
    clinic, by = request.member.clinic, member_actor(request.member)
    alerts.send_test(clinic, request.member, by=by, now=timezone.now())
    messages.success(
        request,
        _("A test alert is on its way. A responder opens it and presses “I am taking this”."),
    )
    return redirect("dashboards:settings")


@require_POST
@require("set up clinic")
def switch_text(request: StaffRequest) -> HttpResponse:
    clinic, by = request.member.clinic, member_actor(request.member)
    name, on = request.POST.get("text", ""), request.POST.get("on") == "1"
    if name in {text.name for text in gates.partly_verified(clinic)}:
        settling.switch_text(clinic, name, on, by=by, now=timezone.now())
    return redirect("dashboards:settings")


@require_POST
@require("set up clinic")
def invite(request: StaffRequest) -> HttpResponse:
    """A colleague is mailed a link that works once. Nobody else sees it: who opens it has proved
    that the mailbox is theirs, also to every other clinic that trusts this address."""
    clinic, now, by = request.member.clinic, timezone.now(), member_actor(request.member)
    form = InviteForm(request.POST, prefix="invite")
    if not form.is_valid():
        return _page(request, invite_form=form)
    role = Member.Role(form.cleaned_data["role"])
    try:
        member = team.add_member(clinic, form.cleaned_data["email"], role, by=by, now=now)
    except Refused as refused:
        form.refuse(refused)
        return _page(request, invite_form=form)
    return _welcome(request, member)


@require_POST
@require("set up clinic")
def invite_again(request: StaffRequest, member_id: UUID) -> HttpResponse:
    """A fresh link for somebody who has not come in yet."""
    member = get_object_or_404(Member, pk=member_id, clinic=request.member.clinic)
    return _welcome(request, member)


def _welcome(request: StaffRequest, member: Member) -> HttpResponse:
    if member.user.has_usable_password():
        messages.success(request, _("Added. This person signs in with the password they have."))
        return redirect("dashboards:settings")
    link = invitations.invite(member, by=member_actor(request.member), now=timezone.now())
    return _page(request, invited=member.user.email, mailed=_mail(member, link))


def _mail(member: Member, link: str) -> bool:
    """Whether the mail server took it. The clinic's name may tell what is treated there."""
    mail = EmailMessage(
        subject=_("Your invitation to Afterglow"),
        body=render_to_string("dashboards/email/invitation.txt", {"link": link}),
        from_email=accounts.sender(),
        to=[accounts.mailbox_of(member.user.email)],
    )
    try:
        return bool(mail.send())
    except (OSError, AnymailError):  # smtplib's errors are OSErrors
        return False
