"""The invented clinic and the people who work in it."""

from datetime import datetime, time

from clinic import enrolment, invitations, settling
from clinic.actors import member_actor, system
from clinic.models import Clinic, Member
from clinic.team import add_member, set_responder
from dashboards.living.stage import Team

NAME = "Lanternfield Infusion Clinic"
ZONE = "America/Denver"
PASSWORD = "lanterns-in-the-field"  # known to everybody: only ever on somebody's own machine
ADMIN, CLINICIAN = "rosalind@lanternfield.example", "tobias@lanternfield.example"
COORDINATOR, VIEWER = "imogen@lanternfield.example", "casper@lanternfield.example"
_STAFF = {
    CLINICIAN: ("Tobias Winterfen", Member.Role.CLINICIAN),
    COORDINATOR: ("Imogen Marshlight", Member.Role.COORDINATOR),
    VIEWER: ("Casper Lowmeadow", Member.Role.VIEWER),
}
_OPENING = system("demo")
# Somebody reads alerts at all hours, so that nothing in the demo waits for a weekday.
_SETTINGS = {
    "cover": Clinic.Cover.ALWAYS,
    "staffed_days": [0, 1, 2, 3, 4],
    "staffed_from": time(8),
    "staffed_until": time(18),
    "mailbox_reader": "Tobias Winterfen",
    "phone": "555-0100",
    "greet_by_first_name": True,
    "shows_own_trend": True,
}


def opened(now: datetime) -> Team:
    """The clinic with its people, opened, set up and invited as any other."""
    admin = enrolment.open_clinic(NAME, zone=ZONE, admin_email=ADMIN, by=_OPENING, now=now)
    _join(admin, "Rosalind Amberly", now)
    clinic, by = admin.clinic, member_actor(admin)
    settling.change(clinic, _SETTINGS, by=by, now=now)
    settling.switch_text(clinic, "gad7:es", True, by=by, now=now)
    for email, (name, role) in _STAFF.items():
        member = add_member(clinic, email, role, by=by, now=now)
        _join(member, name, now)
        set_responder(member, email == CLINICIAN, by=by, now=now)
    return team(Clinic.objects.get(pk=clinic.pk))


def standing() -> Clinic | None:
    """The demo's clinic, if this database has it."""
    return Clinic.objects.filter(name=NAME, members__user__email=ADMIN).first()


def team(clinic: Clinic) -> Team:
    members = {member.user.email: member for member in clinic.members.select_related("user")}
    return Team(clinic, members[ADMIN], members[CLINICIAN], members[COORDINATOR])


def _join(member: Member, name: str, now: datetime) -> None:
    link = invitations.invite(member, by=_OPENING, now=now)
    token = link.rstrip("/").rpartition("/")[2]
    by = member_actor(member)
    invitations.accept(member, token, name=name, password=PASSWORD, by=by, now=now)
