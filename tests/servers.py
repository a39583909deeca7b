"""Fixtures that are real servers and real processes, named in the marker of who uses them.

`redis_server`         $REDIS_URL, the machine's Redis, or Valkey out of its wheel; `redis_url`
`own_valkey`           one for this test alone, to be killed
`postgres_url`         a PostgreSQL server ($TEST_DATABASE_URL comes first)
`smtp_server`          keeps what it was sent; can refuse, hang or hang up
`provider`             Postmark's API on loopback, the same way
`service_env`          the environment in which our processes share the test's own database
`stack`                starts web, worker and beat in that environment, stops them after the test
`celery_worker`        one worker, ready
`live_stack`           web, worker and beat, ready
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from redis import Redis

from devtools.processes import Child, free_port
from devtools.servers.postgres import Postgres
from devtools.servers.provider import Provider
from devtools.servers.smtp import SmtpServer
from devtools.servers.valkey import GivenRedis, Valkey, tests_binary
from devtools.stack import Stack, environment

SECRETS = ("SECRET_KEY", "FIELD_KEYS", "LINK_KEYS", "INDEX_KEY")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if connection.vendor == "postgresql":
        return
    skip = pytest.mark.skip(reason="needs DATABASE_URL to be PostgreSQL; ./dev test does that")
    for item in items:
        if item.get_closest_marker("postgres"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def scratch() -> Iterator[Path]:
    """A private folder with a short path, as unix sockets need."""
    folder = Path(tempfile.mkdtemp(prefix="ag-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def redis_server(scratch: Path) -> Iterator[Valkey | GivenRedis]:
    if given := os.environ.get("REDIS_URL"):
        yield GivenRedis(given)
        return
    server = Valkey(scratch / "redis", binary=tests_binary())
    server.start()
    yield server
    server.stop()


@pytest.fixture
def own_valkey(scratch: Path) -> Iterator[Valkey]:
    """A server of the test's own, to be killed, flushed and started again."""
    server = Valkey(Path(tempfile.mkdtemp(dir=scratch)), binary=tests_binary())
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def redis_url(redis_server: Valkey | GivenRedis) -> str:
    return redis_server.broker_url


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield given
        return
    server = Postgres()
    server.start()
    yield server.url()
    server.stop()


@pytest.fixture(scope="session")
def _smtp_server() -> Iterator[SmtpServer]:
    server = SmtpServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def smtp_server(_smtp_server: SmtpServer) -> SmtpServer:
    _smtp_server.clear()
    return _smtp_server


@pytest.fixture
def provider() -> Iterator[Provider]:
    server = Provider()
    server.start()
    yield server
    server.stop()


def database_url() -> str:
    """The test's own database, for other processes."""
    at = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{at['NAME']}"
    login = quote(at["USER"]) + (f":{quote(at['PASSWORD'])}" if at["PASSWORD"] else "")
    if str(at["HOST"]).startswith("/"):
        return f"postgres://{login}@/{at['HOST']}/{at['NAME']}"
    place = f"{at['HOST']}:{at['PORT']}" if at["PORT"] else at["HOST"]
    return f"postgres://{login}@{place}/{at['NAME']}"


@pytest.fixture
def service_env(
    transactional_db: None, redis_server: Valkey | GivenRedis, smtp_server: SmtpServer
) -> dict[str, str]:
    Redis.from_url(redis_server.client_url).flushdb()
    secrets = {name: os.environ[name] for name in SECRETS}
    site = f"http://localhost:{free_port()}"
    at = database_url()
    return environment(secrets, database=at, redis=redis_server, mail=smtp_server, site=site)


@dataclass
class RunningStack:
    """What of ours runs for this test. `env` may be changed before anything is started."""

    env: dict[str, str]
    logs: Path
    mail: SmtpServer
    children: list[Child] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.env["SITE_ROOT"]

    @property
    def worker(self) -> Child:
        return next(child for child in self.children if child.name.startswith("worker"))

    def start_web(self) -> Child:
        port = int(self.url.rsplit(":", 1)[1])
        return self._keep(Stack(self.env, self.logs).start_web(port, workers=1))

    def start_worker(self, name: str = "worker", **options: Any) -> Child:
        return self._keep(Stack(self.env, self.logs).start_worker(name, **options))

    def start_beat(self) -> Child:
        return self._keep(Stack(self.env, self.logs).start_beat())

    def stop(self) -> None:
        for child in reversed(self.children):
            child.stop()

    def _keep(self, child: Child) -> Child:
        self.children.append(child)
        return child


@pytest.fixture
def stack(
    service_env: dict[str, str], smtp_server: SmtpServer, tmp_path: Path
) -> Iterator[RunningStack]:
    running = RunningStack(service_env, tmp_path, smtp_server)
    yield running
    running.stop()


@pytest.fixture
def celery_worker(stack: RunningStack) -> Child:
    return stack.start_worker()


@pytest.fixture
def live_stack(stack: RunningStack) -> RunningStack:
    # A person waits here: ticks come once a second instead of every quarter of a minute.
    stack.env["TICK_SECONDS"] = "1"
    stack.start_web()
    stack.start_worker()
    stack.start_beat()
    return stack
