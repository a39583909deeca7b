"""Is the service well? One line a check, each with what it means and what to do. Ids only."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import Error
from django.utils import timezone

from reminders.health import asking, judging, machine, reading
from reminders.health.advice import ADVICE
from reminders.health.facts import Health, Verdict
from reminders.timekeeping import database_clock

_SHOWN = {Health.OK: "ok", Health.WARNING: "warning", Health.FAILED: "FAILED"}


class Command(BaseCommand):
    help = "Check the service; exit status 1 if something failed. Prints no patient's data."
    requires_system_checks: list[str] = []  # a broken setting is a finding, not the end

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for machines")

    def handle(self, *args: Any, **options: Any) -> None:
        verdicts = examine()
        self.stdout.write(as_json(verdicts) if options["json"] else as_text(verdicts))
        if _failed(verdicts):
            raise SystemExit(1)


def examine() -> list[Verdict]:
    """All checks. Without a database, or with an older one, what can be asked all the same."""
    chosen = reading.setup()
    try:
        pending = asking.pending_migrations()
    except Error as error:
        return [_away(error), *machine.without_database(asking.redis(), chosen)]
    if pending:
        return [machine.migrations(pending), machine.mail_mode(chosen)]
    try:
        found = machine.judge(asking.machine(timezone.now()), chosen, database_clock()())
        with reading.impatiently():
            now = database_clock()()
            return [*found, *judging.judge(reading.engine(chosen, now), chosen, now)]
    except Error as error:
        return [_away(error)]


def as_text(verdicts: list[Verdict]) -> str:
    lines = [line(verdict) for verdict in verdicts]
    counted = {health: sum(v.health is health for v in verdicts) for health in Health}
    summary = ", ".join(f"{n} {_SHOWN[health]}" for health, n in counted.items() if n)
    return "\n".join([*lines, summary])


def line(verdict: Verdict) -> str:
    said = f"{_SHOWN[verdict.health]:<8} {verdict.check:<10} {verdict.finding}"
    if verdict.health is Health.OK:
        return said
    advice = ADVICE[verdict.check]
    return f"{said}. It means: {advice.means}. Do: {advice.do}."


def as_json(verdicts: list[Verdict]) -> str:
    return json.dumps(
        {
            "ok": not _failed(verdicts),
            "checks": [
                {
                    "check": verdict.check,
                    "state": verdict.health,
                    "finding": verdict.finding,
                    "means": ADVICE[verdict.check].means,
                    "do": ADVICE[verdict.check].do,
                }
                for verdict in verdicts
            ],
        },
        indent=2,
    )


def _failed(verdicts: list[Verdict]) -> bool:
    return any(verdict.health is Health.FAILED for verdict in verdicts)


def _away(error: Error) -> Verdict:
    return Verdict("database", Health.FAILED, f"does not answer ({type(error).__name__})")
