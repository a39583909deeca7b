"""Fixtures for every test: people and things, real servers and processes, a real browser."""

import pytest

ON_A_DATABASE = {"db", "transactional_db", "django_db_reset_sequences", "live_server"}

pytest_plugins = [
    "tests.browsers",
    "tests.flushing",
    "tests.nouns",
    "tests.reading",
    "tests.servers",
    "tests.surveys.handset",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Name the tests that a second database has something to say about."""
    for item in items:
        if item.get_closest_marker("django_db") or ON_A_DATABASE & set(
            getattr(item, "fixturenames", ())
        ):
            item.add_marker("database")
