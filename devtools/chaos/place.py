"""Where one storm takes place: servers, processes and settings, all its own, all removed."""

import http.client
import json
import secrets
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devtools.processes import ROOT, Child, StartFailed, answers, free_port, machine_environment
from devtools.servers.emulator.reporting import SIGNING_KEY
from devtools.servers.postgres import Postgres
from devtools.servers.provider import TOKEN
from devtools.servers.valkey import Valkey, tests_binary
from devtools.stack import Stack, environment

LEASE_SECONDS = 12  # in production five minutes
CALL_SECONDS = 4  # how long we wait for the provider
CONCURRENCY = 2  # processes of one worker
WORKERS = 2
CONNECTIONS = 4  # to the provider, of each process
SECRET = "storm:not-a-secret"
BACKENDS = {
    "postmark": "anymail.backends.postmark.EmailBackend",
    "resend": "reminders.backends.resend.EmailBackend",
}


@dataclass(frozen=True)
class Provider:
    """The emulator is also where our mail goes; the SMTP settings lead nowhere."""

    port: int
    host: str = "127.0.0.1"

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/"

    def tell(self, what: str, **said: Any) -> None:
        self._ask("POST", f"/control/{what}", json.dumps(said))

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._ask("GET", "/control/state"))
        return found

    def _ask(self, method: str, path: str, body: str = "") -> str:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=10)
        try:
            connection.request(method, path, body)
            return connection.getresponse().read().decode()
        finally:
            connection.close()


@dataclass
class Place:
    database: str  # sqlite | postgresql
    speaks: str  # postmark | resend
    seed: int
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="ag-chaos-")))
    children: list[Child] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.port, self.provider = free_port(), Provider(free_port())
        self.valkey = Valkey(self.folder / "redis", binary=tests_binary())
        self.postgres = Postgres(durable=True) if self.database == "postgresql" else None
        self.env = self._environment()
        self.stack = Stack(self.env, self.folder)
        command = [sys.executable, "-m", "devtools.servers.emulator", str(self.folder)]
        self.emulator = Child(
            "emulator",
            [*command, str(self.provider.port), str(self.seed)],
            machine_environment(),
            self.folder / "emulator.log",
        )

    @property
    def site(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        """Calls that can be in flight at once."""
        return WORKERS * CONCURRENCY * CONNECTIONS

    def start_servers(self) -> None:
        if self.postgres is not None:
            self.postgres.start()
            with self.postgres.connect() as connection:
                connection.autocommit = True
                connection.execute("CREATE DATABASE storm")
        self.valkey.start()
        self.emulator.start_until(lambda: answers(self.provider.port))
        hook = f"{self.site}/anymail/{self.speaks}/tracking/"
        self.provider.tell("habits", url=hook, secret=SECRET, share=0.3)

    def run(self, name: str, *arguments: str, seconds: float = 120) -> str:
        """One part of the storm, to its end. Returns the last line it printed."""
        return self.wait(self.part(name, *arguments), seconds)

    def manage(self, *arguments: str) -> None:
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        child = Child(arguments[0], command, self.env, self.folder / "manage.log")
        child.start()
        self.children.append(child)
        self.wait(child, 120)

    def start_worker(self, name: str) -> Child:
        env = {**self.env, "ANYMAIL_SETTINGS": self._anymail(name)}
        return Stack(env, self.folder).start_worker(name, concurrency=CONCURRENCY)

    def part(self, name: str, *arguments: str) -> Child:
        """Start one of our own processes inside Afterglow's settings."""
        command = [sys.executable, "-m", "devtools.chaos", name, *arguments]
        child = Child(name, command, self.env, self.folder / f"{name}.log")
        child.start()
        self.children.append(child)
        return child

    def wait(self, child: Child, seconds: float) -> str:
        deadline = time.monotonic() + seconds
        while child.alive and time.monotonic() < deadline:
            time.sleep(0.05)
        if child.alive or child.process is None or child.process.returncode != 0:
            child.kill()
            raise StartFailed(f"{child.name} {child.ending}.\n{child.last_lines(30)}")
        return (child.written().strip().splitlines() or [""])[-1]

    def remove(self, *, keep: bool = False) -> None:
        """Leaves no process, and no file unless asked to."""
        for child in [*reversed(self.children), self.emulator, self.valkey.child]:
            child.kill()
        if self.postgres is not None:
            self.postgres.stop()
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _environment(self) -> dict[str, str]:
        at = f"sqlite:///{self.folder / 'storm.sqlite3'}"
        if self.postgres is not None:
            at = self.postgres.url("storm")
        keys = {name: f"s1:{secrets.token_hex(32)}" for name in ("FIELD_KEYS", "LINK_KEYS",
                                                                "INDEX_KEY")}  # fmt: skip
        keys["SECRET_KEY"] = secrets.token_urlsafe(60)
        ours = environment(keys, database=at, redis=self.valkey, mail=self.provider, site=self.site)
        return {
            **ours,
            "TMPDIR": str(self.folder),  # whoever is killed tidies nothing away
            "EMAIL_BACKEND": BACKENDS[self.speaks],
            "ANYMAIL_SETTINGS": self._anymail("somebody"),
            "ANYMAIL_WEBHOOK_SECRET": SECRET,
            "LEASE_SECONDS": str(LEASE_SECONDS),
            "MAIL_CONNECTIONS": str(CONNECTIONS),
            "TICK_SECONDS": "1",
        }

    def _anymail(self, caller: str) -> str:
        """The provider's address names who calls, so that it can tell us whose call it holds."""
        url = f"{self.provider.url}{caller}/"
        spoken = {
            "POSTMARK_SERVER_TOKEN": TOKEN,
            "POSTMARK_API_URL": url,
            "RESEND_API_KEY": TOKEN,
            "RESEND_API_URL": url,
            "RESEND_SIGNING_SECRET": f"whsec_{SIGNING_KEY}",
            "REQUESTS_TIMEOUT": CALL_SECONDS,
        }
        return json.dumps(spoken)
