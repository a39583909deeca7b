"""Our side: orders carried out through the product's own entry points."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.db import connection

from clinic.models import Course
from devtools.bench import filling, profiling
from devtools.bench.counting import Count, counted
from devtools.bench.lines import Wrong
from reminders import dispatch, planning
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


def crowd(size: int, first: int = 0, clinics: int = 4) -> list[str]:
    """New patients who are all due an invitation now, every other one in Spanish."""
    some = range(first, first + clinics)
    return filling.crowd(size, clinics=some, now=database_clock()())


def newly_due(clinic: int) -> tuple[str, float]:
    """One more patient, whose message is due at this moment: the address, and the moment."""
    (address,) = crowd(1, first=clinic, clinics=1)
    return address, time.monotonic()


def connections() -> int:
    return settings.MAIL_CONNECTIONS


def replan(together: bool) -> Count:
    """Look again at everybody: as the tick does, or one patient after the other."""
    now = database_clock()()
    Course.objects.update(replan_at=now)
    patients = planning.lagging(10**6, now=now)
    with counted() as count:
        if together:
            count.done = planning.reconcile_lagging(10**6, now=now, seconds=LONG)
        else:
            for patient in patients:
                planning.reconcile(patient, now=now, by=filling.BY)
                count.done += 1
    left = len(planning.lagging(10**6, now=now))
    if left or count.done != len(patients):
        raise Wrong(f"{count.done} of {len(patients)} were looked at, {left} are left")
    return count


ORDERS: Mapping[str, Callable[..., Any]] = {
    order.__name__: order
    for order in (
        *(crowd, drain, drain_profiled, expected, states),
        *(newly_due, connections, replan),
    )
}
