"""What one demo keeps on disk, in one private folder that may be thrown away at any time."""

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devtools.processes import Child


class AlreadyRunning(Exception):
    """Another supervisor holds this folder; the text says where its demo is."""


@dataclass(frozen=True)
class Folder:
    path: Path

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def mail(self) -> Path:
        return self.path / "mail"

    @property
    def valkey(self) -> Path:
        return self.path / "valkey"

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.path / 'afterglow.sqlite3'}"

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Only one supervisor at a time; the kernel lets go when it dies."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_suffix(".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise AlreadyRunning(self._read("running.json").get("site", "")) from None
            self._stop_leftovers()
            yield

    def make(self) -> None:
        for each in (self.path, self.logs, self.mail):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in self.logs.iterdir():
            old.unlink()

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)

    @property
    def half_made(self) -> bool:
        """Stopped before its patients were complete: nothing in it is worth keeping."""
        return self.path.exists() and not (self.path / "seeded.json").exists()

    def secrets(self) -> dict[str, str]:
        """Made once for each demo, because its data cannot be read with other keys."""
        kept = self._read("secrets.json")
        if not kept:
            kept = {"SECRET_KEY": secrets.token_urlsafe(60)}
            for name in ("FIELD_KEYS", "LINK_KEYS", "INDEX_KEY"):
                kept[name] = f"d1:{secrets.token_hex(32)}"
            self.write("secrets.json", kept)
        return kept

    def write(self, name: str, content: Any) -> None:
        path = self.path / name
        path.touch(mode=0o600)
        path.write_text(json.dumps(content))

    def remember(self, site: str, children: list[Child]) -> None:
        pids = {child.name: child.pid for child in children if child.alive}
        self.write("running.json", {"site": site, "pids": pids})

    def _stop_leftovers(self) -> None:
        """Where the kernel does not end children with us (macOS), the last run's may still be."""
        ours = ("celery", "gunicorn", "valkey", "devtools.mailbox", "manage.py")
        for name, pid in self._read("running.json").get("pids", {}).items():
            if any(word in _command_of(pid) for word in ours):
                print(f"Stopping {name}, left over from an earlier run")
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)

    def _read(self, name: str) -> dict[str, Any]:
        try:
            content: dict[str, Any] = json.loads((self.path / name).read_text())
        except (OSError, ValueError):
            return {}
        return content


def _command_of(pid: int) -> str:
    """Empty if it runs no more, or if this machine has no `ps`: then it is left alone."""
    command = ["ps", "-o", "command=", "-p", str(pid)]
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout
    except FileNotFoundError:
        return ""
