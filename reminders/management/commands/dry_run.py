"""Print what a protocol would send for given dates. Needs no database, no key, no network."""

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from reminders import protocols
from reminders.dry_run import DryRun, course_facts, dry_run
from reminders.dry_run_report import rows, table
from reminders.protocols.soundness import INDICATIONS
from reminders.schedule import CourseFacts, InfusionFacts, PatientFacts, instant
from reminders.schedule.clock import day_end
from reminders.schedule.facts import InfusionStatus
from reminders.schedule.questionnaires import instrument_facts

BAD_INPUT = 2
MORNING = time(8)  # an enrolment without a time
INFUSIONS: dict[str, InfusionStatus] = {
    "infusion": "completed",
    "planned": "planned",
    "cancelled": "cancelled",
}


class OneLine(CommandParser):
    """Says what is wrong in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        raise CommandError(message, returncode=BAD_INPUT)


class Command(BaseCommand):
    help = "Show what a protocol would send for given dates. Writes nothing, sends nothing."
    requires_system_checks: list[str] = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.__class__ = OneLine
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--protocol", required=True, choices=protocols.available())
        parser.add_argument(
            "--enrolled", required=True, metavar="DATE[THH:MM]", help="without an hour: at 08:00"
        )
        for option, status in INFUSIONS.items():
            parser.add_argument(
                f"--{option}", nargs="+", action="extend", default=[], metavar="TIME",
                help=f"{status}, by the clinic's clock: 2026-03-02T14:00",
            )  # fmt: skip
        parser.add_argument("--zone", required=True, help="the patient's: America/Denver")
        parser.add_argument("--clinic-zone", help="as the patient's unless given")
        parser.add_argument("--until", required=True, metavar="DATE", help="the last day shown")
        parser.add_argument("--indication", default="depression", choices=INDICATIONS)
        parser.add_argument(
            "--planned-count", type=_count, help="infusions the course is planned for"
        )
        parser.add_argument("--language", default="en", choices=list(dict(settings.LANGUAGES)))
        parser.add_argument("--answered", default="none", choices=["none", "all"])
        parser.add_argument("--cover", default="always", choices=["always", "weekdays"])
        parser.add_argument("--json", action="store_true", help="for machines")

    def run_from_argv(self, argv: list[str]) -> None:
        try:
            super().run_from_argv(argv)
        except CommandError as error:  # raised while the arguments are read
            self.stderr.write(f"dry_run: {error}")
            sys.exit(error.returncode)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run = _run(options)
        except OverflowError as error:
            raise _bad("a date is too near the end of the calendar") from error
        if options["json"]:
            self.stdout.write(json.dumps(rows(run), indent=2, ensure_ascii=False))
        else:
            self.stdout.writelines(f"{line}\n" for line in table(run))


def _run(options: dict[str, Any]) -> DryRun:
    zone = _zone(options["zone"])
    clinic_zone = _zone(options["clinic_zone"] or options["zone"])
    enrolled = _enrolled(options["enrolled"], zone)
    until = day_end(_day(options["until"], "--until"), zone)
    if until <= enrolled:
        raise _bad("--until is before --enrolled")
    course = CourseFacts(
        id="course",
        protocol=protocols.latest(options["protocol"]),
        indication=options["indication"],
        enrolled_at=enrolled,
        planned_count=options["planned_count"],
    )
    course, events = course_facts(course, _infusions(options, clinic_zone, enrolled))
    facts = PatientFacts(
        zone=zone,
        clinic_zone=clinic_zone,
        courses=(course,),
        instruments=instrument_facts(options["language"]),
        cover=options["cover"],
    )
    return dry_run(facts, events, until, options["answered"])


def _infusions(
    options: dict[str, Any], zone: ZoneInfo, enrolled: datetime
) -> Iterable[InfusionFacts]:
    found = [
        InfusionFacts(f"{option} {text}", _moment(text, f"--{option}", zone), status, enrolled)
        for option, status in INFUSIONS.items()
        for text in options[option]
    ]
    starts = [each.started_at for each in found if each.status == "completed"]
    if len(set(starts)) < len(starts):
        raise _bad("--infusion has the same time twice")
    return found


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise _bad(f"unknown time zone {name!r}") from error


def _enrolled(text: str, zone: ZoneInfo) -> datetime:
    if "T" in text or " " in text:
        return _moment(text, "--enrolled", zone)
    return instant(_day(text, "--enrolled"), MORNING, zone)


def _moment(text: str, option: str, zone: ZoneInfo) -> datetime:
    """A local time; one the zone skips or repeats follows the schedule's own rule."""
    try:
        local = datetime.fromisoformat(text)
    except ValueError as error:
        raise _bad(f"{option} {text!r} is not a time like 2026-03-02T14:00") from error
    if local.tzinfo is not None or len(text) <= len("2026-03-02"):
        raise _bad(f"{option} {text!r} must be a local time like 2026-03-02T14:00")
    return instant(local.date(), local.time(), zone)


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise ArgumentTypeError("must be 1 or more")
    return count


def _day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise _bad(f"{option} {text!r} is not a date like 2026-07-01") from error


def _bad(message: str) -> CommandError:
    return CommandError(message, returncode=BAD_INPUT)
