"""A lane's pauses pass ten times as fast: `hurrying`, until it is stopped.

A circuit rests for half a minute and more, a throttled lane for up to an hour; a storm lasts two
minutes. A pause is a time in the database, so that bringing it nearer is the same as waiting.
"""

import time
from datetime import UTC, datetime, timedelta

from django.db import DatabaseError, InterfaceError, connection

from reminders.models import Lane

LOOKS_EVERY_SECONDS = 0.5
FASTER = 10
LONGEST = timedelta(seconds=6)  # of what is left of a pause; longer than one call takes
SHORT = timedelta(seconds=1)


def main(arguments: list[str]) -> None:
    brought: dict[str, datetime] = {}
    while True:
        try:
            hurry(brought, datetime.now(UTC))
        except (DatabaseError, InterfaceError):
            connection.close()
        time.sleep(LOOKS_EVERY_SECONDS)


def hurry(brought: dict[str, datetime], now: datetime) -> None:
    """Bring each new pause nearer, once. `brought` remembers where to."""
    for lane in Lane.objects.paused(now):
        until = lane.paused_until
        if until is None or until == brought.get(lane.name) or until - now <= SHORT:
            continue
        nearer = now + min(max((until - now) / FASTER, SHORT), LONGEST)
        if Lane.objects.filter(pk=lane.pk, paused_until=until).update(paused_until=nearer):
            brought[lane.name] = nearer
