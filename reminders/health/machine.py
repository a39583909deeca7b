"""What an operator's machine facts mean. Pure, like `judging`."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from reminders.health.facts import Health, Machine, Redis, Setup, Verdict
from reminders.health.judging import pulse_limit

# Leases are the database's time, webhooks and pages this machine's: minutes apart they contradict.
SKEW_WARNS = timedelta(seconds=5)
SKEW_FAILS = timedelta(seconds=60)
NAMED = 5  # of many, the first few


def judge(machine: Machine, setup: Setup, now: datetime) -> list[Verdict]:
    return [
        Verdict("database", Health.OK, "answers"),
        migrations(()),
        durability(machine),
        clock(machine),
        redis(machine, setup, now),
        mail_mode(setup),
        configuration(machine),
        responders(machine),
    ]


def without_database(server: Redis, setup: Setup) -> list[Verdict]:
    """What can be said while nothing can be read."""
    return [_redis(server, replaced=False), mail_mode(setup)]


def migrations(pending: Sequence[str]) -> Verdict:
    if not pending:
        return Verdict("migrations", Health.OK, "all applied")
    more = f" and {len(pending) - NAMED} more" if len(pending) > NAMED else ""
    named = ", ".join(pending[:NAMED])
    return Verdict("migrations", Health.FAILED, f"not applied: {named}{more}")


def durability(machine: Machine) -> Verdict:
    """SQLite as we open it may forget its last commits in a power cut: known, so no failure."""
    if not machine.relaxed:
        return Verdict("durability", Health.OK, "a commit survives a power cut")
    health = Health.WARNING if machine.on_sqlite else Health.FAILED
    return Verdict("durability", health, ", ".join(machine.relaxed))


def clock(machine: Machine) -> Verdict:
    apart = abs(machine.skew)
    state = Health.OK if apart <= SKEW_WARNS else Health.WARNING
    if apart > SKEW_FAILS:
        state = Health.FAILED
    return Verdict("clock", state, f"{apart.total_seconds():.1f} s from the database's")


def redis(machine: Machine, setup: Setup, now: datetime) -> Verdict:
    """Away it stops Celery; an engine that goes round without it makes that a warning."""
    replaced = machine.loop_at is not None and now - machine.loop_at <= pulse_limit(setup)
    return _redis(machine.redis, replaced=replaced)


def mail_mode(setup: Setup) -> Verdict:
    if setup.mail_mode == "hold":
        return Verdict("mail_mode", Health.FAILED, "hold: nobody is written to")
    if setup.mail_mode != "send":
        return Verdict("mail_mode", Health.WARNING, "redirect: all mail goes to one address")
    return Verdict("mail_mode", Health.OK, "send")


def configuration(machine: Machine) -> Verdict:
    if machine.errors:
        return Verdict("settings", Health.FAILED, ", ".join(machine.errors))
    if machine.warnings:
        return Verdict("settings", Health.WARNING, ", ".join(machine.warnings))
    return Verdict("settings", Health.OK, "pass the deployment checks")


def responders(machine: Machine) -> Verdict:
    """Such a clinic asks nothing that could need a person: the gate sends PHQ-8."""
    if not machine.unproven:
        return Verdict("responders", Health.OK, "each clinic's chain of alerts is proven")
    return Verdict("responders", Health.WARNING, f"clinic {', '.join(machine.unproven)}")


def _redis(server: Redis, *, replaced: bool) -> Verdict:
    if server.error:
        health = Health.WARNING if replaced else Health.FAILED
        return Verdict("redis", health, f"does not answer ({server.error})")
    if server.policy not in ("", "noeviction"):
        return Verdict("redis", Health.FAILED, f"maxmemory-policy is {server.policy}")
    if server.evicted:
        return Verdict("redis", Health.WARNING, f"has thrown away {server.evicted} keys")
    return Verdict("redis", Health.OK, "answers")
