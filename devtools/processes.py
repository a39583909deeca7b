"""Child processes that cannot outlive us, with a log each and a wait until they are ready."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


# What a child may know of the machine. Nothing else of the caller's environment is handed on, so
# that a demo or a test can never reach a database or a mail server it was not given.
HANDED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ")


class StartFailed(Exception):
    """A child died, or did not become ready in time. The text ends with its last log lines."""


@dataclass
class Child:
    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    log: Path
    cwd: Path = ROOT
    user: int | None = None
    # What politely ends it; also sent by the kernel if we ourselves are killed.
    stop_signal: signal.Signals = signal.SIGTERM
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)
    _log_began: int = field(default=0, repr=False)
    _asked: bool = field(default=False, repr=False)

    def start(self) -> None:
        """Start in a session of its own, so that Ctrl-C reaches only the supervisor."""
        ids: dict[str, object] = {}
        if self.user is not None:
            ids = {"user": self.user, "group": self.user, "extra_groups": []}
        with self.log.open("ab") as log:
            self._log_began, self._asked = log.tell(), False
            self.process = subprocess.Popen(  # type: ignore[call-overload]
                list(self.command),
                env=dict(self.env),
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=tether(self.stop_signal),
                **ids,
            )

    @property
    def pid(self) -> int:
        assert self.process is not None, f"{self.name} was never started"
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def ask_to_stop(self) -> None:
        if self.process is not None and not self._asked:
            self.process.send_signal(self.stop_signal)
            self._asked = True  # Celery takes a second request for an order to drop everything

    def stop(self, seconds: float = 20) -> None:
        """Ask it to end; after `seconds` end its whole process group."""
        if self.process is None:
            return
        if self.alive:
            self.ask_to_stop()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
        self.kill()

    def kill(self) -> None:
        """SIGKILL to the whole group: what a machine does when it runs out of memory."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()

    @property
    def ending(self) -> str:
        code = self.process.poll() if self.process else None
        if code is not None and code < 0:
            return f"was killed ({signal.Signals(-code).name})"
        return f"ended with exit status {code}"

    def start_until(self, ready: Callable[[], bool], seconds: float = 30) -> None:
        """Start and wait until it is ready; if that does not come to pass, leave nothing behind."""
        self.start()
        try:
            self._wait_until(ready, seconds)
        except BaseException:
            self.stop(5)
            raise

    def _wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.alive:
                raise StartFailed(f"{self.name} {self.ending} at its start.\n{self.last_lines()}")
            if time.monotonic() > deadline:
                raise StartFailed(f"{self.name} not ready in {seconds:g} s.\n{self.last_lines()}")
            time.sleep(0.05)

    def written(self) -> str:
        """What it has logged since it was last started."""
        with self.log.open("rb") as log:
            log.seek(self._log_began)
            return log.read().decode(errors="replace")

    def last_lines(self, count: int = 15) -> str:
        lines = self.written().splitlines()[-count:] if self.log.exists() else []
        return "\n".join(f"  {self.name} | {line}" for line in lines)


def tether(ends_with: signal.Signals = signal.SIGTERM) -> Callable[[], None] | None:
    """Linux only: the kernel signals the child when the thread that started it is gone."""
    if _libc is None:
        return None
    libc, parent = _libc, os.getpid()

    def in_the_child() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(ends_with))
        if os.getppid() != parent:  # we were already gone
            os._exit(1)

    return in_the_child


def children_of(pid: int) -> list[int]:
    """The processes that one has started and that run still. Empty where there is no /proc."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
            if int(parent) == pid and state != "Z":
                found.append(int(path.parent.name))
    return sorted(found)


def machine_environment() -> dict[str, str]:
    return {name: os.environ[name] for name in HANDED_ON if name in os.environ}


def free_port(preferred: int = 0) -> int:
    """`preferred` if nobody listens there, else the next free one above it; 0 = any."""
    for port in range(preferred, preferred + 200) if preferred else [0]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return int(probe.getsockname()[1])
    raise StartFailed(f"No free port from {preferred} on")


def answers(port: int, host: str = "127.0.0.1") -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False
