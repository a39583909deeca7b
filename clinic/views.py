"""Account pages that are ours: an invitation, and the choice of a clinic."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from clinic import access, invitations
from clinic.actors import member_actor
from clinic.forms import InvitationForm
from clinic.models import User
from clinic.refusals import Refused


@login_not_required
@sensitive_post_parameters("password", "again")
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    now = timezone.now()
    member = invitations.standing(uid, token, now=now)
    if member is None:
        return _no_invitation(request)
    form = InvitationForm(member.user, request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "account/invitation.html", {"form": form, "invited": member})
    given = {"name": form.cleaned_data["name"], "password": form.cleaned_data["password"]}
    try:
        invitations.accept(member, token, **given, by=member_actor(member), now=now)
    except Refused:
        return _no_invitation(request)
    messages.success(request, _("Your account is ready. Sign in with your password."))
    return redirect("account_login")


def _no_invitation(request: HttpRequest) -> HttpResponse:
    return render(request, "account/no_invitation.html", status=410)


@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest) -> HttpResponse:
    """In which clinic to work now: one at a time, and only where one works."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    members = access.memberships(request.user)
    if request.method == "POST":
        wanted = request.POST.get("member")
        member = next((each for each in members if str(each.pk) == wanted), None)
        if member is None:
            raise Http404
        access.choose(request, member)
        return redirect("dashboards:patients")
    return render(request, "clinic/choose.html", {"memberships": members})
