"""The fixture that shows whether looking changes anything."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.guards.pages import writes

AssertNoWrites = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def assert_no_writes() -> AssertNoWrites:
    """Within it, SQL that is more than a look fails the test."""

    @contextmanager
    def looking() -> Iterator[None]:
        with CaptureQueriesContext(connection) as queries:
            yield
        assert writes([query["sql"] for query in queries.captured_queries]) == []

    return looking
