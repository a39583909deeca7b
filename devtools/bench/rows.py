"""Our side of `claim`, `tick` and `growth`: orders about very many rows."""

import json
import statistics
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from django.db import connection

from devtools.bench import stocks
from devtools.bench.counting import Count, counted
from reminders import claiming, ticking
from reminders.models import Message
from reminders.timekeeping import database_clock
from reminders.turns import Turns

TABLE = Message._meta.db_table
BATCH = 500
# What a claim is at the least: one statement, and the keys of the rows it took.
_RAW = {
    "postgresql": f"""
        WITH due AS MATERIALIZED (
            SELECT id FROM {TABLE} WHERE state = 'scheduled' AND due_at <= %s
            ORDER BY due_at, id LIMIT {BATCH} FOR UPDATE SKIP LOCKED
        )
        UPDATE {TABLE} SET state = 'claimed', lease_token = %s, lease_until = %s,
            claims = claims + 1
        FROM due WHERE {TABLE}.id = due.id AND {TABLE}.state = 'scheduled' RETURNING {TABLE}.id
    """,
    "sqlite": f"""
        UPDATE {TABLE} SET state = 'claimed', lease_token = %s, lease_until = %s,
            claims = claims + 1
        WHERE id IN (
            SELECT id FROM {TABLE} WHERE state = 'scheduled' AND due_at <= %s
            ORDER BY due_at, id LIMIT {BATCH}
        ) AND state = 'scheduled' RETURNING id
    """,
}


def stock(total: int) -> None:
    stocks.stock(total, now=database_clock()())


def make_due(count: int) -> None:
    """So many of the sent ones are to be sent anew, as if they had just fallen due."""
    now = stocks.stored(database_clock()() - timedelta(seconds=1))
    _run(
        f"UPDATE {TABLE} SET state = 'scheduled', due_at = %s, accepted_at = NULL, ended_at = NULL"
        f" WHERE id IN (SELECT id FROM {TABLE} WHERE state = 'accepted' ORDER BY id LIMIT {count})",
        now,
    )


def give_back() -> None:
    """What was claimed is due again."""
    _run(
        f"UPDATE {TABLE} SET state = 'scheduled', lease_token = NULL, lease_until = NULL"
        " WHERE state = 'claimed'"
    )


def clear() -> None:
    """Nothing is due and nothing claimed."""
    end()
    now = stocks.stored(database_clock()())
    _run(
        f"UPDATE {TABLE} SET state = 'accepted', accepted_at = %s, ended_at = %s"
        " WHERE state = 'scheduled' AND due_at <= %s",
        *(now, now, now),
    )


def end() -> None:
    """What was claimed has been sent: as a drain leaves the table, dead rows and all."""
    now = stocks.stored(database_clock()())
    _run(
        f"UPDATE {TABLE} SET state = 'accepted', lease_token = NULL, lease_until = NULL,"
        " accepted_at = %s, ended_at = %s WHERE state = 'claimed'",
        *(now, now),
    )


def take(rows: int) -> tuple[Count, list[bytes]]:
    """As a drain does: notices first, then the clinics by turns."""
    clock, turns = database_clock(), Turns()
    return _claimed(rows, lambda: list(claiming.take_next(turns, BATCH, now=clock()).ids))


def claim(rows: int) -> tuple[Count, list[bytes]]:
    """The same, and the rows read with all that a mail needs."""
    clock, turns = database_clock(), Turns()

    def once() -> list[uuid.UUID]:
        return [row.pk for row in claiming.load(claiming.take_next(turns, BATCH, now=clock()))]

    return _claimed(rows, once)


def take_raw(rows: int) -> tuple[Count, list[bytes]]:
    """By the statement alone."""
    clock, postgresql = database_clock(), connection.vendor == "postgresql"
    token = uuid.uuid4() if postgresql else uuid.uuid4().hex

    def once() -> list[uuid.UUID]:
        now = clock()
        due, lease = stocks.stored(now), stocks.stored(now + timedelta(minutes=5))
        values = [due, token, lease] if postgresql else [token, lease, due]
        with connection.cursor() as cursor:
            cursor.execute(_RAW[connection.vendor], values)
            return [pk if postgresql else uuid.UUID(pk) for (pk,) in cursor.fetchall()]

    return _claimed(rows, once)


def ticks(count: int) -> tuple[float, int]:
    """The middle of so many ticks, in seconds, and the statements of the last one."""
    clock, seconds = database_clock(), []
    for _ in range(count):
        began = time.perf_counter()
        ticking.tick(now=clock())
        seconds.append(time.perf_counter() - began)
    with counted() as last:
        ticking.tick(now=clock())
    return statistics.median(seconds), last.statements


def plans() -> dict[str, list[str]]:
    """Each statement of a tick that reads messages -> how it finds them, as PostgreSQL plans it."""
    statements: list[tuple[str, Any]] = []

    def note(execute: Callable[..., Any], sql: str, values: Any, many: bool, context: Any) -> Any:
        if TABLE in sql:
            statements.append((sql, values))
        return execute(sql, values, many, context)

    with connection.execute_wrapper(note):
        ticking.tick(now=database_clock()())
    found = {}
    with connection.cursor() as cursor:
        for sql, values in statements:
            cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", values)
            (answer,) = cursor.fetchone()
            plan = answer if isinstance(answer, list) else json.loads(answer)
            found[sql] = sorted(set(_ways(plan[0]["Plan"], "")))
    return found


def partial_indexes() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = %s::regclass"
            " AND indpred IS NOT NULL",
            [TABLE],
        )
        return [name for (name,) in cursor.fetchall()]


def _ways(plan: Mapping[str, Any], table: str) -> Iterator[str]:
    """Index names by which messages are found; `Seq Scan` where none is used."""
    table = plan.get("Relation Name", table)
    if table == TABLE:
        if "Index Name" in plan:
            yield plan["Index Name"]
        elif plan["Node Type"] == "Seq Scan":
            yield "Seq Scan"
    for part in plan.get("Plans", []):
        yield from _ways(part, table)


def _claimed(rows: int, once: Callable[[], list[uuid.UUID]]) -> tuple[Count, list[bytes]]:
    """Batch after batch, until so many rows are taken or none is left."""
    keys: list[uuid.UUID] = []
    with counted() as count:
        while len(keys) < rows and (taken := once()):
            keys += taken
    count.done = len(keys)
    return count, [key.bytes for key in keys]


def _run(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET statement_timeout = 0")
        cursor.execute(statement, values)


ORDERS: Mapping[str, Callable[..., Any]] = {
    order.__name__: order
    for order in (
        *(stock, make_due, give_back, clear, end),
        *(claim, take, take_raw),
        *(ticks, plans, partial_indexes),
    )
}
