"""Our side: orders carried out through the product's own entry points."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db import connection

from devtools.bench import filling, profiling
from devtools.bench.counting import Count, counted
from reminders import dispatch
from reminders.models import Attempt, Message
from reminders.timekeeping import database_clock
from surveys.models import FollowUp

LONG = 3600.0  # a drain that is measured ends when nothing is due


def drain() -> Count:
    """Send everything that is due, in this process."""
    with counted() as count:
        count.done = dispatch.drain(clock=database_clock(), seconds=LONG)
    return count


def drain_profiled() -> str:
    with profiling.profiled() as report:
        dispatch.drain(clock=database_clock(), seconds=LONG)
    return report.text


def expected(addresses: list[str]) -> dict[str, tuple[str, str, str]]:
    """Address -> language, and the digests that the two links in its mail must have."""
    wanted, found = set(addresses), {}
    rows = FollowUp.objects.select_related("patient").only(
        "link_digest", "unsubscribe_digest", "patient__email", "patient__language"
    )
    for row in rows.order_by("-pk"):
        if row.patient.email in wanted:
            links = (row.link_digest, row.unsubscribe_digest)
            found[row.patient.email] = (row.patient.language, *links)
    return found


def states() -> dict[str, int]:
    """How many messages and attempts there are of each kind."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT state, count(*) FROM {Message._meta.db_table} GROUP BY 1 UNION ALL"
            f" SELECT 'attempt ' || outcome, count(*) FROM {Attempt._meta.db_table} GROUP BY 1"
        )
        return {str(name): int(count) for name, count in cursor.fetchall()}


def crowd(size: int, clinics: int = 4) -> list[str]:
    """New patients who are all due an invitation now, every other one in Spanish."""
    return filling.crowd(size, clinics=clinics, now=database_clock()())


ORDERS: Mapping[str, Callable[..., Any]] = {
    "crowd": crowd,
    "drain": drain,
    "drain_profiled": drain_profiled,
    "expected": expected,
    "states": states,
}
