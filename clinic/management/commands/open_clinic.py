"""Make a clinic and invite its first administrator."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from django.utils import timezone

from clinic import actors, enrolment, invitations
from clinic.models import Member
from clinic.refusals import Refused

OPERATOR = actors.system("open_clinic")


class Command(BaseCommand):
    help = "Make a clinic and print a one-use invitation link for its first administrator."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="what staff call the clinic; patients never see it")
        parser.add_argument("--zone", required=True, help="its time zone: America/Chicago")
        parser.add_argument("--admin", required=True, help="e-mail address of the administrator")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        try:
            member = enrolment.open_clinic(
                options["name"],
                zone=options["zone"],
                admin_email=options["admin"],
                by=OPERATOR,
                now=now,
            )
        except Refused as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(f"Clinic {member.clinic.name!r} is open ({member.clinic.zone}).")
        self.stdout.write(self._way_in(member, now))

    def _way_in(self, member: Member, now: datetime) -> str:
        if member.user.has_usable_password():
            sign_in = settings.SITE_ROOT + reverse("account_login")
            return f"{member.user.email} has an account and can sign in: {sign_in}"
        link = invitations.invite(member, by=OPERATOR, now=now)
        until = now + invitations.LASTS
        return (
            f"Invitation for {member.user.email}, good once, until {until:%d %b %Y %H:%M} UTC.\n"
            f"Run this command again for a fresh one.\n\n{link}"
        )
