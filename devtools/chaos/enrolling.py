"""Enrol a crowd whose follow-ups fall due during the storm: `enrolling FOLDER BEGINS SECONDS SIZE`.

A few patients in each clinic, language and moment are enrolled and planned by the product's own
verbs; the others are copies of their rows.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import cycle
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from clinic import consent, enrolment, infusions, settling, team
from clinic.actors import member_actor, system
from clinic.enrolment import CourseDetails, PatientDetails
from clinic.infusions import InfusionDetails
from clinic.models import Clinic, Definition, Indication, Member, Patient
from devtools.chaos import roll
from devtools.chaos.doubling import double
from devtools.chaos.roll import CLOSING, DOUBLE, NIGHT, PLAIN, Enrolled
from devtools.chaos.zones import day_zones, night_zones
from devtools.crowd import copy_patients
from reminders import planning
from reminders.models import Message
from surveys import alerts

CLINICS = 3
MOMENTS = 12  # at which follow-ups of one clinic fall due
CLOSE_AT = (0.3, 0.6)  # of the storm: others have their last moment, half an hour into their window
HELD_BACK = timedelta(seconds=4)  # before it they may go, as when something held them up
LANGUAGES = ("en", "es")
# Of a hundred patients.
AT_NIGHT, TWICE = 4, 4
BY = system("storm")
HOUR = timedelta(hours=1)
PROTOCOL = """
id = "{key}"
version = "2026-11"
title = "Storm"
source = "made for a test"

[[steps]]
id = "S1"
title = "Day after"
anchor = "each_infusion"
offset_days = 1
send_at = "{wall}"
closes_after_hours = {hours}
instruments = ["{instrument}"]
reminder_days = [{reminders}]
"""


@dataclass(frozen=True, slots=True)
class Moment:
    key: str
    due: datetime
    hours: int
    instrument: str
    group: str


def main(arguments: list[str]) -> None:
    folder, begins, seconds, size = Path(arguments[0]), *map(float, arguments[1:4])
    rng = Random(f"{arguments[4]}/crowd")
    now = datetime.now(UTC)
    zones, nights = day_zones(now), night_zones(now)
    rng.shuffle(zones)
    begin = datetime.fromtimestamp(begins, UTC)
    moments = list(_moments(begin, seconds))
    each = max(1, round(size / (CLINICS * len(moments) * len(LANGUAGES))))
    everybody: list[Enrolled] = []
    for n in range(CLINICS):
        clinic = _open(n, zones[n % len(zones)], now)
        for moment in moments:
            _record(clinic, moment, now)
            for language in LANGUAGES:
                everybody += _crowd(clinic, moment, language, each, nights, now)
    roll.write(folder, everybody)
    print(len(everybody))


def _moments(begin: datetime, seconds: float) -> Iterator[Moment]:
    """Over the first two thirds of the storm, so that the last ones can go as well."""
    instruments = cycle(["mood", "phq9"])
    for n in range(MOMENTS):
        due = begin + timedelta(seconds=seconds * 0.7 * n / MOMENTS)
        yield Moment(f"storm-{n}", due, 36, next(instruments), PLAIN)
    for n, share in enumerate(CLOSE_AT):
        last = begin + timedelta(seconds=seconds * share)
        yield Moment(f"storm-closing-{n}", last - HOUR / 2, 1, "mood", CLOSING)


def _open(n: int, zone: str, now: datetime) -> Clinic:
    """A clinic whose responder has shown that alerts arrive."""
    long_ago = now - timedelta(days=30)
    admin = enrolment.open_clinic(
        f"Storm Clinic {n}", zone=zone, admin_email=f"admin{n}@storm.example", by=BY, now=long_ago
    )
    clinic, by = admin.clinic, member_actor(admin)
    settling.change(clinic, {"cover": Clinic.Cover.ALWAYS}, by=by, now=long_ago)
    responder = team.add_member(
        clinic, f"on-call{n}@storm.example", Member.Role.CLINICIAN, by=by, now=long_ago
    )
    team.set_responder(responder, True, by=by, now=long_ago)
    alert = alerts.send_test(clinic, responder, by=by, now=now)
    alerts.take(alert, by=member_actor(responder), now=now)
    return clinic


def _record(clinic: Clinic, moment: Moment, now: datetime) -> None:
    wall = moment.due.astimezone(clinic.tz).time().replace(microsecond=0).isoformat()
    text = PROTOCOL.format(
        key=moment.key,
        wall=wall,
        hours=moment.hours,
        instrument=moment.instrument,
        reminders="" if moment.group == CLOSING else 1,
    )
    Definition.objects.create(
        kind=Definition.Kind.PROTOCOL,
        key=moment.key,
        version="2026-11",
        clinic=clinic,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        text=text,
        recorded_at=now,
    )


def _crowd(
    clinic: Clinic, moment: Moment, language: str, size: int, nights: list[str], now: datetime
) -> list[Enrolled]:
    name = f"{moment.key}-{language}-{clinic.pk.hex[:6]}"
    message = _enrol(clinic, moment, language, name, now)
    if message is None:
        return []
    due = moment.due.timestamp()
    if moment.group == CLOSING:
        ids = copy_patients(message, ({"email": f"{name}-{n}@storm.example"} for n in range(size)))
        ids.append(message.patient_id)
        Message.objects.filter(patient__in=ids).update(due_at=message.not_after - HELD_BACK)
        return [Enrolled(str(pk), CLOSING, message.not_after.timestamp()) for pk in ids]
    sizes = {NIGHT: size * AT_NIGHT // 100 or 1, DOUBLE: size * TWICE // 100 or 1}
    sizes[PLAIN] = max(0, size - 1 - sum(sizes.values()))
    found = [Enrolled(str(message.patient_id), PLAIN, due)]
    for group, many in sizes.items():
        zones = cycle(nights if group == NIGHT else [""])
        details = (
            {"email": f"{name}-{group}-{n}@storm.example", "zone": next(zones)} for n in range(many)
        )
        ids = copy_patients(message, details)
        if group == DOUBLE:
            double(ids)
        found += [Enrolled(str(pk), group, due) for pk in ids]
    return found


def _enrol(
    clinic: Clinic, moment: Moment, language: str, name: str, now: datetime
) -> Message | None:
    """By the product's own verbs: enrolled last week, infused yesterday, asked today.

    None: this machine is so slow that the last moment has passed already.
    """
    details = PatientDetails(
        name=f"Storm {name}",
        birth_date=date(1984, 3, 5),
        consent_version=consent.CURRENT,
        email=f"{name}@storm.example",
        language=language,
    )
    course = enrolment.enrol(
        clinic,
        details,
        CourseDetails(protocol=moment.key, indication=Indication.DEPRESSION, planned_infusions=6),
        by=BY,
        now=now - timedelta(days=6),
    )
    infusions.log(course, InfusionDetails(started_at=yesterday(clinic.tz, now)), by=BY, now=now)
    patient = Patient.objects.get(pk=course.patient_id)
    planning.reconcile(patient, now=now, by=BY)
    return patient.messages.first()


def yesterday(zone: ZoneInfo, now: datetime) -> datetime:
    """An infusion yesterday in the morning; its follow-up is due today."""
    local = now.astimezone(zone) - timedelta(days=1)
    return local.replace(hour=8, minute=30, second=0, microsecond=0)
