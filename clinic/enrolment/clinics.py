"""Open a clinic with its first administrator."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from clinic import audit
from clinic.access import demand
from clinic.actors import Actor
from clinic.models import Clinic, Member, User
from clinic.refusals import Conflicting, Refused
from clinic.zones import is_zone


@transaction.atomic
def open_clinic(name: str, *, zone: str, admin_email: str, by: Actor, now: datetime) -> Member:
    """A clinic and its first administrator, who has no password until the invitation is accepted.

    Repeated with the same name and administrator it gives back what stands; a second clinic of the
    same name under somebody else is refused, because two with one name would be mixed up.
    """
    name, email = _checked(name, zone, admin_email)
    if clinic := Clinic.objects.filter(name__iexact=name).first():
        return _administrator(clinic, email)
    clinic = Clinic.objects.create(
        name=name, zone=zone, created_at=now, staffed_days=[0, 1, 2, 3, 4]
    )
    demand(by, "set up clinic", clinic)
    user = User.objects.at(email)
    member = Member.objects.create(clinic=clinic, user=user, role=Member.Role.ADMIN, joined_at=now)
    audit.write(by, "open clinic", clinic=clinic, now=now, subject=member, fields=["zone"])
    return member


def _checked(name: str, zone: str, email: str) -> tuple[str, str]:
    name, email = " ".join(name.split()), email.strip().lower()
    if not 1 <= len(name) <= 120:
        raise Refused(_("The clinic's name must have 1 to 120 characters."), field="name")
    if not is_zone(zone):
        raise Refused(
            _("%(zone)r is not a time zone. Use a name like America/Chicago.") % {"zone": zone},
            field="zone",
        )
    try:
        validate_email(email)
    except ValidationError:
        raise Refused(
            _("%(email)r is not an e-mail address.") % {"email": email}, field="admin"
        ) from None
    return name, email


def _administrator(clinic: Clinic, email: str) -> Member:
    member = clinic.members.active().filter(user__email=email, role=Member.Role.ADMIN).first()
    if member is None:
        raise Conflicting(_("A clinic of this name exists already."), field="name")
    return member
