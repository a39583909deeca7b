"""How staff get in: a link that works once, for 72 hours, for one person in one clinic.

The link carries a signature and nothing else. It is made from the password column, which holds a
random unusable value until the invitation is accepted: accepting it, or making a newer link, ends
every older one. Opening the link changes nothing, because mail scanners open links.
"""

import uuid
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.urls import reverse
from django.utils.http import (
    base36_to_int,
    int_to_base36,
    urlsafe_base64_decode,
    urlsafe_base64_encode,
)
from django.utils.translation import gettext as _

from clinic import audit
from clinic.access import demand
from clinic.actors import Actor, member_actor
from clinic.models import Member, User
from clinic.refusals import Refused

LASTS = timedelta(hours=72)


@transaction.atomic
def invite(member: Member, *, by: Actor, now: datetime) -> str:
    """A fresh link for a member who has no password yet. Older links die."""
    demand(by, "set up clinic", member.clinic)
    user = User.objects.select_for_update(no_key=True).get(pk=member.user_id)
    if user.has_usable_password():
        raise Refused(_("This person has accepted already and can sign in."))
    user.set_unusable_password()
    user.save(update_fields=["password"])
    audit.write(by, "invite", clinic=member.clinic, now=now, subject=member)
    uid = urlsafe_base64_encode(member.pk.bytes)
    token = _signer(member, user).sign(int_to_base36(int(now.timestamp())))
    return settings.SITE_ROOT + reverse("clinic:invitation", args=[uid, token])


def standing(uid: str, token: str, *, now: datetime) -> Member | None:
    """The member an open invitation is for; none if it was used, replaced, or is too old."""
    try:
        pk = uuid.UUID(bytes=urlsafe_base64_decode(uid))
    except ValueError:
        return None
    member = Member.objects.active().select_related("user", "clinic").filter(pk=pk).first()
    return member if member and _is_good(member, member.user, token, now) else None


@transaction.atomic
def accept(
    member: Member, token: str, *, name: str, password: str, by: Actor, now: datetime
) -> User:
    """Set name and first password. Of two who try at once, one succeeds."""
    user = User.objects.select_for_update(no_key=True).get(pk=member.user_id)
    if by != member_actor(member) or not _is_good(member, user, token, now):
        raise Refused(_("This invitation has been used already or has expired."))
    user.name = " ".join(name.split())
    user.set_password(password)
    user.save(update_fields=["name", "password"])
    fields = ["name", "password"]
    audit.write(
        by, "accept invitation", clinic=member.clinic, now=now, subject=member, fields=fields
    )
    return user


def _is_good(member: Member, user: User, token: str, now: datetime) -> bool:
    if user.has_usable_password():
        return False
    try:
        issued = base36_to_int(_signer(member, user).unsign(token))
    except (BadSignature, ValueError):
        return False
    return now - datetime.fromtimestamp(issued, UTC) <= LASTS


def _signer(member: Member, user: User) -> Signer:
    salt = f"clinic.invitation {member.pk} {user.email} {user.password}"
    return Signer(salt=salt, sep=".", algorithm="sha256")
