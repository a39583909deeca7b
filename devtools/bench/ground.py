"""The servers that everything is measured on, each started when first asked for."""

import secrets
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from devtools.bench.lines import Wrong
from devtools.bench.postmark import Postmark
from devtools.bench.sides import Side
from devtools.bench.sink import Sink
from devtools.processes import ROOT, Child, answers, free_port
from devtools.servers.postgres import Postgres
from devtools.servers.valkey import Valkey, embedded_binary
from devtools.stack import Stack, environment

OURS = "devtools.bench.ours"
MIGRATED = "migrated"
SAFE = ("fsync", "synchronous_commit", "full_page_writes")
# As on a server that is set up with care; what makes it durable stays on.
TUNED = {
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "maintenance_work_mem": "512MB",
    "checkpoint_timeout": "15min",
}


@dataclass(frozen=True)
class NoBroker:
    """For sides that never ask for Redis."""

    broker_url: str = "redis://127.0.0.1:1/0"
    cache_url: str = "redis://127.0.0.1:1/1"


@dataclass
class Ground:
    full: bool = False
    profile: bool = False
    filled: dict[str, str] = field(default_factory=dict)  # databases that hold a stock of rows

    def __enter__(self) -> Self:
        self._ends = ExitStack()
        self.folder = Path(self._ends.enter_context(tempfile.TemporaryDirectory(prefix="ag-b-")))
        self.secrets = {
            "SECRET_KEY": secrets.token_urlsafe(60),
            "FIELD_KEYS": f"b1:{secrets.token_hex(32)}",
            "LINK_KEYS": f"b1:{secrets.token_hex(32)}",
            "INDEX_KEY": f"b1:{secrets.token_hex(32)}",
        }
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ends.close()

    @cached_property
    def postgres(self) -> Postgres:
        """Durable, and that is checked: a fast machine that forgets proves nothing."""
        server = Postgres(durable=True)
        self._ends.callback(server.stop)
        server.start()
        self.on(server, *(f"ALTER SYSTEM SET {name} = '{value}'" for name, value in TUNED.items()))
        server.child.stop()
        server.start()
        with server.connect() as connection:
            for name in SAFE:
                row = connection.execute(f"SHOW {name}").fetchone()
                if row != ("on",):
                    raise Wrong(f"PostgreSQL runs with {name} {row}")
        self.on(server, f"CREATE DATABASE {MIGRATED}")
        self._migrate(server.url(MIGRATED))
        return server

    def on(self, server: Postgres, *statements: str, database: str = "postgres") -> None:
        with server.connect(database) as connection:
            connection.autocommit = True
            for statement in statements:
                connection.execute(statement)

    def database(self, name: str, *, like: str = MIGRATED) -> str:
        """The address of a new database, which is a copy of `like`."""
        self.on(self.postgres, f"CREATE DATABASE {name} TEMPLATE {like}")
        return self.postgres.url(name)

    def drop(self, name: str) -> None:
        self.on(self.postgres, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    @cached_property
    def migrated_file(self) -> Path:
        """An SQLite database with our tables, to be copied."""
        file = self.folder / "migrated.sqlite3"
        self._migrate(f"sqlite:///{file}")
        return file

    @cached_property
    def sink(self) -> Sink:
        sink = Sink(free_port(28000))
        child = self._python("sink", str(sink.port))
        child.start_until(lambda: answers(sink.port))
        sink.take()
        return sink

    def postmark(self, latency: float) -> Postmark:
        server = Postmark(free_port(28500))
        child = self._python("postmark", str(server.port), str(latency))
        child.start_until(lambda: answers(server.port))
        return server

    @cached_property
    def valkey(self) -> Valkey:
        server = Valkey(self.folder / "valkey", binary=embedded_binary())
        self._ends.callback(server.stop)
        server.start()
        return server

    def env(self, database: str, **more: str) -> dict[str, str]:
        """Everything a process of ours is told."""
        broker = self.valkey if "valkey" in self.__dict__ else NoBroker()
        site = "http://localhost:8000"
        given = environment(
            self.secrets, database=database, redis=broker, mail=self.sink, site=site
        )
        return {**given, **more}

    def side(self, name: str, database: str, module: str = OURS, **more: str) -> Side:
        return Side(name, module, self.env(database, **more), self.folder)

    def stack(self, database: str, **more: str) -> Stack:
        return Stack(self.env(database, **more), self.folder)

    def _python(self, module: str, *arguments: str) -> Child:
        code = f"from devtools.bench import {module}; {module}.main()"
        command = [sys.executable, "-c", code, *arguments]
        child = Child(module, command, self._machine(), self.folder / f"{module}.log")
        self._ends.callback(child.stop, 5)
        return child

    def _machine(self) -> dict[str, Any]:
        return {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT)}

    def _migrate(self, database: str) -> None:
        command = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0"]
        env = self.env(database)
        done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            raise Wrong(f"migrate failed:\n{done.stderr[-2000:]}")
