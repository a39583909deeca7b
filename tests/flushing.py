"""Let a test's database be emptied, although its append-only tables refuse it."""

from collections.abc import Iterator

import pytest
from django.db import connection

from clinic import append_only


@pytest.fixture(autouse=True)
def _flushable(request: pytest.FixtureRequest) -> Iterator[None]:
    """A transactional test ends with a flush; the migration signal after it puts them back."""
    marker = request.node.get_closest_marker("django_db")
    wanted = {"transactional_db", "live_server", "django_db_reset_sequences"}
    if not (marker and marker.kwargs.get("transaction")) and not wanted & set(request.fixturenames):
        yield
        return
    request.getfixturevalue("transactional_db")
    yield
    with connection.cursor() as cursor:
        for table in append_only.tables():
            for trigger in append_only.triggers(table, connection.vendor):
                on = f" ON {table}" if connection.vendor == "postgresql" else ""
                cursor.execute(f"DROP TRIGGER IF EXISTS {trigger}{on}")
