"""Fill an empty database with an invented clinic and half a year of its patients' lives."""

import json
from argparse import ArgumentParser
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clinic.models import Clinic, Patient
from dashboards.demo import due_life, lives
from dashboards.living import Team, history, live, prove_responder, staff

HALF_A_YEAR = timedelta(days=200)
A_TEST_ALERT = timedelta(days=45)  # one every so often; each proves a responder for 90 days
# Around the globe: at any moment it is between nine and eight in one of them.
ZONES = (
    staff.ZONE,
    "America/New_York",
    "America/Sao_Paulo",
    "Europe/Madrid",
    "Asia/Dubai",
    "Asia/Tokyo",
    "Pacific/Auckland",
    "Pacific/Honolulu",
)
DAYTIME = range(9, 20)


class Command(BaseCommand):
    help = (
        "Fill an empty database with an invented clinic. Repeated, it adds one more patient whose "
        "check-in is due. The last line printed is JSON."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--at", type=datetime.fromisoformat, help="a moment instead of now")
        parser.add_argument("--patients", type=int, default=100, help="at most so many")

    def handle(self, *args: Any, **options: Any) -> None:
        now = options["at"] or timezone.now()
        if settings.SECURE:
            raise CommandError("An invented clinic with a known password is not for a server.")
        clinic = staff.standing()
        if clinic is None and Clinic.objects.exists():
            raise CommandError("This database has a clinic already: nothing was changed.")
        with history():
            team = staff.team(clinic) if clinic else self._made(now, options["patients"])
            patient = _live_until_due(team, now)
        told = {
            "email": staff.ADMIN,
            "password": staff.PASSWORD,
            "responder": staff.CLINICIAN,
            "due_patient": patient.name,
            "due_email": patient.email,
            "clinic": team.clinic.name,
            "patients": Patient.objects.filter(clinic=team.clinic).count(),
        }
        self.stdout.write(json.dumps(told))

    def _made(self, now: datetime, at_most: int) -> Team:
        team = staff.opened(now - HALF_A_YEAR)
        for n in range(HALF_A_YEAR // A_TEST_ALERT + 1):
            prove_responder(team, at=now - HALF_A_YEAR + n * A_TEST_ALERT)
        everybody = lives(now.astimezone(team.clinic.tz).date())[-at_most:]
        for number, life in enumerate(everybody, start=1):
            live(life, team, until=now)
            self.stdout.write(f"{number} of {len(everybody)} invented patients")
            self.stdout.flush()
        return team


def _live_until_due(team: Team, now: datetime) -> Patient:
    """A patient whose main follow-up falls due this hour, wherever it is daytime now.

    They live up to their last midnight: what is due since then, the engine sends.
    """
    local = now.astimezone(daytime_zone(now))
    already = team.clinic.patients.filter(send_hour__isnull=False).count()
    life = due_life(local.date(), str(local.tzinfo), local.hour, number=already)
    return live(life, team, until=datetime.combine(local, time(0), tzinfo=local.tzinfo))


def daytime_zone(now: datetime) -> ZoneInfo:
    return next(zone for zone in map(ZoneInfo, ZONES) if now.astimezone(zone).hour in DAYTIME)
