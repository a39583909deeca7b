"""Who a signed-in person is in this request, and whether the session still stands."""

from collections.abc import Callable
from datetime import UTC, datetime

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from clinic import access, sessions
from clinic.models import User

Handler = Callable[[HttpRequest], HttpResponse]


def session_limits(get_response: Handler) -> Handler:
    """Sign out who has been away too long, and have the browser forget what it was shown."""

    def middleware(request: HttpRequest) -> HttpResponse:
        was_signed_in = request.user.is_authenticated
        if was_signed_in:
            _hold_to_limits(request, datetime.now(UTC))
        response = get_response(request)
        if was_signed_in and not request.user.is_authenticated:
            response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response

    return middleware


def _hold_to_limits(request: HttpRequest, now: datetime) -> None:
    if sessions.is_over(request.session, now=now):
        logout(request)
        messages.info(request, _("You were signed out because this page had not been used."))
    elif "X-Background" not in request.headers:
        sessions.note_use(request.session, now=now)


def membership(get_response: Handler) -> Handler:
    """`request.member`: the one active membership, or none. Read on each request, so that a
    change of role applies at once. Staff read English, whatever the browser asks for, and the
    clock on their clinic's wall."""

    def middleware(request: HttpRequest) -> HttpResponse:
        members = access.memberships(request.user) if isinstance(request.user, User) else []
        member = access.acting(request, members)
        request.member = member  # type: ignore[attr-defined]
        request.works_in_several = len(members) > 1  # type: ignore[attr-defined]
        if not (request.user.is_authenticated or request.path.startswith("/accounts/")):
            return get_response(request)
        with translation.override("en"), timezone.override(member.clinic.tz if member else None):
            return get_response(request)

    return middleware
