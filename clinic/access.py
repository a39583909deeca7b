"""Who may see and do what. The only place that decides it.

Rows are walled off by `visible_to`: another clinic's object does not exist (404). What a role may
do with its own clinic's rows is the table below: what it may not is refused (403).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Concatenate, Literal, ParamSpec, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django_htmx.middleware import HtmxDetails

from clinic.actors import Actor
from clinic.models import AuditEntry, Clinic, Member, User

SESSION_KEY = "clinic"  # the chosen clinic of a person who works in several

Permission = Literal[
    "see patients",
    "see scores",
    "see safety",
    "edit patients",
    "end follow-up",
    "reinstate patients",
    "log infusion",
    "record clinical details",
    "send messages",
    "take alert",
    "enter answers",
    "set up clinic",
]

_ADMIN, _CLINICIAN, _COORDINATOR, _VIEWER = Member.Role
_CLINICAL = frozenset({_ADMIN, _CLINICIAN})
_CARE_TEAM = _CLINICAL | {_COORDINATOR}

# One membership is one role, and in a small clinic its administrator is often its clinician, so an
# administrator may do what a clinician may. The front desk sees no score and no answer.
PERMISSIONS: Mapping[Permission, frozenset[Member.Role]] = {
    "see patients": _CARE_TEAM | {_VIEWER},
    "see scores": _CLINICAL | {_VIEWER},  # scores, trends, answers but those about safety
    "see safety": _CLINICAL,  # alerts with their reason, item 9, free text
    "edit patients": _CARE_TEAM,  # enrol, details, language, e-mail, pause, courses
    "end follow-up": _CARE_TEAM,  # withdrawn, deceased
    "reinstate patients": _CLINICAL,
    "log infusion": _CARE_TEAM,  # when, by which route, stopped early
    "record clinical details": _CLINICAL,  # dose, vitals, complication, note
    "send messages": _CARE_TEAM,
    "take alert": _CLINICAL,  # take and close
    "enter answers": _CLINICAL,  # by telephone: whoever does it hears them all
    "set up clinic": frozenset({_ADMIN}),
}


class StaffRequest(HttpRequest):
    """A request that passed `require`: signed in, and at work in one clinic."""

    user: User
    member: Member
    htmx: HtmxDetails


def may(member: Member, permission: Permission) -> bool:
    return member.active and member.role in PERMISSIONS[permission]


def demand(by: Actor, permission: Permission, clinic: Clinic) -> None:
    """The first line of every verb: refuse a member of another clinic, or in another role.

    A patient's link may answer, choose how e-mail comes, and unsubscribe, and nothing else; those
    verbs do not ask here.
    """
    if by.kind == AuditEntry.Actor.SYSTEM:
        return
    if by.member is None or by.member.clinic_id != clinic.pk or not may(by.member, permission):
        raise PermissionDenied(permission)


_P = ParamSpec("_P")


def require(
    permission: Permission,
) -> Callable[
    [Callable[Concatenate[StaffRequest, _P], HttpResponse]],
    Callable[Concatenate[HttpRequest, _P], HttpResponse],
]:
    """For staff views: 403 unless the signed-in member's role may do this."""

    def decorate(
        view: Callable[Concatenate[StaffRequest, _P], HttpResponse],
    ) -> Callable[Concatenate[HttpRequest, _P], HttpResponse]:
        @wraps(view)
        def checked(request: HttpRequest, /, *args: _P.args, **kwargs: _P.kwargs) -> HttpResponse:
            member: Member | None = getattr(request, "member", None)
            if member is None or not may(member, permission):
                raise PermissionDenied(permission)
            return view(cast(StaffRequest, request), *args, **kwargs)

        return checked

    return decorate


def memberships(user: User) -> list[Member]:
    """Where this person works now, longest first."""
    members = Member.objects.active().filter(user=user).select_related("clinic", "user")
    return list(members.order_by("joined_at", "pk"))


def acting(request: HttpRequest, members: Sequence[Member]) -> Member | None:
    """The membership this request acts under: the clinic chosen in the session, else the first."""
    chosen = request.session.get(SESSION_KEY)
    return next(
        (member for member in members if str(member.clinic_id) == chosen),
        members[0] if members else None,
    )


def choose(request: HttpRequest, member: Member) -> None:
    """Work in this member's clinic from now on, under a new session id."""
    request.session[SESSION_KEY] = str(member.clinic_id)
    request.session.cycle_key()
