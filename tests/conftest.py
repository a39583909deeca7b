"""Fixtures for every test. Real servers and processes are in `tests/servers.py`."""

pytest_plugins = ["tests.servers"]
