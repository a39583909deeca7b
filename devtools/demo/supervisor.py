"""Starts the demo's processes in order, watches them, and leaves none behind."""

import contextlib
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NoReturn

from devtools.demo.folder import Folder
from devtools.processes import ROOT, Child, StartFailed, answers, free_port, machine_environment
from devtools.servers.valkey import Valkey, embedded_binary
from devtools.stack import Stack, environment

FIRST_SMTP_PORT = 2525
FIRST_PAGE_PORT = 8025
SEED_SECONDS = 600
TO_THE_END_OF_LINE = "\x1b[K"  # clears it, on a terminal


@dataclass(frozen=True)
class MailPorts:
    host: str
    port: int
    page: int


@dataclass
class Supervisor:
    folder: Folder
    port: int
    tick_seconds: int = 5
    children: list[Child] = field(default_factory=list)

    def __post_init__(self) -> None:
        page = free_port(FIRST_PAGE_PORT)
        self.mail = MailPorts("127.0.0.1", free_port(FIRST_SMTP_PORT), page)
        self.valkey = Valkey(
            self.folder.valkey, binary=embedded_binary(), log=self.folder.logs / "valkey.log"
        )
        self.env = self._environment()
        self.stack = Stack(self.env, self.folder.logs)

    @property
    def site(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def mailbox(self) -> str:
        return f"http://localhost:{self.mail.page}"

    def start(self) -> dict[str, str]:
        """Everything, in order. Returns what the seed printed: whom to sign in as, who is due."""
        with _step("Valkey"):
            self.valkey.start()
            self._keep(self.valkey.child)
        with _step("mail server, mailbox"):
            self._start_mail()
        with _step("database"):
            self._manage("migrate", "--no-input")
        with _step("invented patients"):
            seed = self._seed()
        with _step("web server"):
            self._keep(self.stack.start_web(self.port))
        with _step("Celery worker"):
            self._keep(self.stack.start_worker())
        with _step("Celery beat"):
            self._keep(self.stack.start_beat())
        return seed

    def watch(self) -> NoReturn:
        """Returns only by an exception: a child that died, or a signal."""
        while True:
            for child in self.children:
                if not child.alive:
                    raise StartFailed(f"{child.name} {child.ending}.\n{child.last_lines()}")
            time.sleep(0.5)

    def stop(self) -> None:
        """First those that use the others."""
        last = [child for child in self.children if child.name in ("valkey", "mail")]
        _stop_together([child for child in self.children if child not in last])
        _stop_together(last)
        self.folder.remember(self.site, self.children)

    def _environment(self) -> dict[str, str]:
        at, secrets = self.folder.database_url, self.folder.secrets()
        mine = environment(secrets, database=at, redis=self.valkey, mail=self.mail, site=self.site)
        return {**mine, "TICK_SECONDS": str(self.tick_seconds)}

    def _seed(self) -> dict[str, str]:
        """On a demo that has its patients the command only says again who they are."""
        told: dict[str, str] = json.loads(self._manage("seed_demo").strip().splitlines()[-1])
        self.folder.write("seeded.json", told)
        return told

    def _start_mail(self) -> None:
        ports = [str(self.mail.port), str(self.mail.page)]
        command = [sys.executable, "-m", "devtools.mailbox", str(self.folder.mail), *ports]
        child = Child("mail", command, machine_environment(), self.folder.logs / "mail.log")
        child.start_until(lambda: answers(self.mail.port) and answers(self.mail.page))
        self._keep(child)

    def _manage(self, *arguments: str) -> str:
        """Run one management command to its end; its last output is not kept in any log."""
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        child = Child(arguments[0], command, self.env, self.folder.logs / f"{arguments[0]}.log")
        child.start()
        self._keep(child)
        deadline = time.monotonic() + SEED_SECONDS
        while child.alive and time.monotonic() < deadline:
            time.sleep(0.05)
            _show_progress(child)
        self.children.remove(child)
        printed = child.written()
        if child.alive or child.process is None or child.process.returncode != 0:
            child.kill()
            raise StartFailed(f"manage.py {' '.join(arguments)} failed.\n{child.last_lines(30)}")
        child.log.unlink()
        return printed

    def _keep(self, child: Child) -> None:
        self.children.append(child)
        self.folder.remember(self.site, self.children)


def _show_progress(child: Child) -> None:
    """What it printed last, rewritten in place: the first start takes a minute."""
    lines = child.written().splitlines()
    if lines and sys.stdout.isatty() and not lines[-1].startswith("{"):
        print(f"\r  {lines[-1].strip()[:60]}{TO_THE_END_OF_LINE}", end="", flush=True)


@contextlib.contextmanager
def _step(what: str) -> Iterator[None]:
    print(f"  {what:24}", end="", flush=True)
    began = time.monotonic()
    yield
    if sys.stdout.isatty():
        print(f"\r{TO_THE_END_OF_LINE}  {what:24}", end="")
    print(f"{time.monotonic() - began:5.1f} s", flush=True)


def _stop_together(children: list[Child]) -> None:
    for child in children:
        child.ask_to_stop()
    for child in children:
        child.stop(10)
