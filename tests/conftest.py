"""Fixtures for every test: people and things, real servers and processes, a real browser."""

pytest_plugins = [
    "tests.browsers",
    "tests.flushing",
    "tests.nouns",
    "tests.reading",
    "tests.servers",
    "tests.surveys.handset",
]
