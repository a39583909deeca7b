"""Who works in a clinic, and who of them is told about alerts."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from clinic import audit
from clinic.access import demand
from clinic.actors import Actor
from clinic.models import Clinic, Course, Member, User
from clinic.refusals import Conflicting, Refused


@transaction.atomic
def add_member(
    clinic: Clinic, email: str, role: Member.Role, *, by: Actor, now: datetime
) -> Member:
    """Somebody new, who gets in by an invitation, or somebody known who now works here too."""
    demand(by, "set up clinic", clinic)
    clinic = Clinic.objects.select_for_update(no_key=True).get(pk=clinic.pk)
    email = _checked(email)
    if clinic.members.active().filter(user__email=email).exists():
        raise Conflicting(_("This person works here already."), field="email")
    user = User.objects.at(email)
    member, is_new = Member.objects.get_or_create(
        clinic=clinic, user=user, defaults={"role": role, "joined_at": now}
    )
    if not is_new:
        member.role, member.active = role, True
        member.save(update_fields=["role", "active"])
    audit.write(by, "add member", clinic=clinic, now=now, subject=member, fields=["role"])
    return member


@transaction.atomic
def set_responder(member: Member, is_responder: bool, *, by: Actor, now: datetime) -> Member:
    """Whether this member is told about alerts. It counts once a test alert has reached them."""
    member = Member.objects.select_for_update(of=("self",), no_key=True).get(pk=member.pk)
    demand(by, "set up clinic", member.clinic)
    if is_responder and not (member.active and member.is_clinical):
        raise Refused(_("Only administrators and clinicians can take alerts."))
    if member.is_responder == is_responder:
        return member
    member.is_responder = is_responder
    member.save(update_fields=["is_responder"])
    Course.objects.under_way().filter(patient__clinic=member.clinic_id).touch(now)
    audit.write(
        by, "set responder", clinic=member.clinic, now=now, subject=member, fields=["is_responder"]
    )
    return member


def _checked(email: str) -> str:
    tidy = email.strip().lower()
    try:
        validate_email(tidy)
    except ValidationError:
        raise Refused(_("Enter an e-mail address."), field="email") from None
    return tidy
