"""Transactions that last: on a connection whose commits count."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def lasting() -> Iterator[None]:
    """`transaction.atomic`, and never on a connection that will commit nothing.

    What interrupts a COMMIT (a worker's shutdown, a time limit) leaves PostgreSQL's connection
    inside that transaction, and Django writes on without ever committing: mail would go without
    its intent. Such a connection is closed, which undoes what nobody has relied on.
    """
    if not connection.in_atomic_block and connection.connection and not connection.autocommit:
        connection.close()
    with transaction.atomic():
        yield
