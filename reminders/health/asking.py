"""Ask the machine: migrations, Redis, clocks, the database's own settings. For the doctor only."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.conf import settings
from django.core import checks
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from redis import Redis as RedisClient
from redis.exceptions import RedisError

from clinic.models import Clinic
from reminders import pulses
from reminders.health.facts import Machine, Redis
from reminders.health.reading import NAMED
from reminders.models import Pulse
from reminders.timekeeping import database_clock
from surveys.cover import cover_of

_NEEDED_ON = ("fsync", "full_page_writes", "synchronous_commit")
_ENOUGH = {"on", "remote_apply", "remote_write", "local"}  # all flush here before they answer
_SQLITE_FULL = 2


def pending_migrations() -> tuple[str, ...]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return tuple(f"{migration.app_label}.{migration.name}" for migration, _ in plan)


def machine(host: datetime) -> Machine:
    """`host` is this machine's time at the moment of the call."""
    began = time.monotonic()
    skew = database_clock()() - host - timedelta(seconds=time.monotonic() - began) / 2
    errors, warnings = _complaints()
    return Machine(
        redis=redis(),
        loop_at=Pulse.objects.filter(name=pulses.LOOP).values_list("at", flat=True).first(),
        skew=skew,
        relaxed=tuple(_relaxed()),
        on_sqlite=connection.vendor == "sqlite",
        errors=errors,
        warnings=warnings,
        unproven=_unproven(host),
    )


def redis() -> Redis:
    """One short question to the broker."""
    # kombu's own spelling of a unix socket, as redis-py spells it
    address = settings.REDIS_URL.replace("redis+socket://", "unix://")
    address = address.replace("virtual_host=", "db=")
    client = RedisClient.from_url(address, socket_connect_timeout=1, socket_timeout=2)
    try:
        told = {**client.info("memory"), **client.info("stats")}
    except (RedisError, OSError) as error:
        return Redis(error=type(error).__name__)
    finally:
        client.close()
    return Redis(
        policy=str(told.get("maxmemory_policy", "")), evicted=int(told.get("evicted_keys", 0))
    )


def _complaints() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ids only: what a check says may quote a setting."""
    found = checks.run_checks(include_deployment_checks=True)
    told = [message for message in found if not message.is_silenced()]
    errors = {str(message.id) for message in told if message.level >= checks.ERROR}
    warnings = {str(message.id) for message in told if message.level == checks.WARNING}
    return tuple(sorted(errors)), tuple(sorted(warnings))


def _relaxed() -> Iterator[str]:
    if connection.vendor == "sqlite":
        if _asked("PRAGMA synchronous")[0][0] < _SQLITE_FULL:
            yield "synchronous is not FULL"
        return
    yield from (
        f"{name} is {value}"
        for name, value in _asked("SELECT name, setting FROM pg_settings ORDER BY name")
        if name in _NEEDED_ON and value not in _ENOUGH
    )


def _asked(question: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(question)
        return list(cursor.fetchall())


def _unproven(now: datetime) -> tuple[str, ...]:
    """The first few clinics in whose place the gate asks PHQ-8."""
    clinics = Clinic.objects.order_by("pk").iterator()
    without = (clinic.pk for clinic in clinics if cover_of(clinic, now=now) == "none")
    return tuple(str(pk) for pk in islice(without, NAMED))
