"""What a stretch of work cost: time, and counts that have no noise."""

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created


@dataclass
class Count:
    """`writes` are transactions that wrote, savepoints that wrote among them (PostgreSQL only)."""

    done: int = 0
    seconds: float = 0.0
    cpu: float = 0.0  # of this process, all its threads
    statements: int = 0
    writes: int = 0

    @property
    def rate(self) -> float:
        return self.done / self.seconds


@contextmanager
def counted() -> Iterator[Count]:
    """Counts the statements of all threads of this process."""
    count, statements = Count(), itertools.count()
    with _watched(statements):
        writes, cpu, began = _transactions(), time.process_time(), time.perf_counter()
        yield count
        count.seconds = time.perf_counter() - began
        count.cpu = time.process_time() - cpu
        count.statements = next(statements) - 1  # one is the question at the start
        count.writes = _transactions() - writes


@contextmanager
def _watched(statements: Iterator[int]) -> Iterator[None]:
    def wrapper(execute: Callable[..., Any], *arguments: Any) -> Any:
        next(statements)
        return execute(*arguments)

    def watch(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
        connection.execute_wrappers.append(wrapper)

    open_now = connections.all(initialized_only=True)
    for each in open_now:
        each.execute_wrappers.append(wrapper)
    connection_created.connect(watch, weak=False, dispatch_uid="bench")
    try:
        yield
    finally:
        connection_created.disconnect(dispatch_uid="bench")
        for each in open_now:
            if wrapper in each.execute_wrappers:
                each.execute_wrappers.remove(wrapper)


def _transactions() -> int:
    """How many transactions have got a number, which PostgreSQL gives to those that write."""
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
        (number,) = cursor.fetchone()
    return int(number)
