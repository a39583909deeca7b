"""Who may see and do what. The only place that decides it."""

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from clinic.models import Member, User

SESSION_KEY = "clinic"  # the chosen clinic of a person who works in several


def current_member(request: HttpRequest) -> Member | None:
    """The membership this request acts under: the clinic chosen in the session, else the first."""
    user: User | AnonymousUser = request.user
    if not isinstance(user, User):
        return None
    members = Member.objects.active().filter(user=user).select_related("clinic", "user")
    chosen = request.session.get(SESSION_KEY)
    ordered = sorted(
        members, key=lambda member: (str(member.clinic_id) != chosen, member.joined_at)
    )
    return ordered[0] if ordered else None
