"""The engine's clock: the database's time, so that hosts that disagree still share one lease."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.db import connection

Clock = Callable[[], datetime]


def database_clock() -> Clock:
    """Ask the database once, then count on with this process's monotonic clock.

    Good for one drain: a host whose wall clock is wrong or jumps changes nothing.
    """
    at = _database_now()
    started = time.monotonic()  # afterwards: rather behind the database than ahead of it

    def clock() -> datetime:
        return at + timedelta(seconds=time.monotonic() - started)

    return clock


def _database_now() -> datetime:
    expression = "clock_timestamp()"
    if connection.vendor == "sqlite":
        expression = "strftime('%Y-%m-%dT%H:%M:%f', 'now')"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {expression}")
        (now,) = cursor.fetchone()
    if connection.vendor == "sqlite":
        return datetime.fromisoformat(str(now)).replace(tzinfo=UTC)
    moment: datetime = now
    return moment.astimezone(UTC)
