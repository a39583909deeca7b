"""`./dev test`: everything once, on both databases, with real servers, processes and a browser.

The last line printed is pytest's own summary: of the first stage that failed, else of the last.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from devtools import browser, check
from devtools.processes import ROOT, machine_environment
from devtools.servers.postgres import Postgres
from devtools.servers.valkey import describe, tests_binary

# The only things of the caller's environment that change what is tested.
HONOURED = ("REDIS_URL", "TEST_DATABASE_URL", "CHROMIUM", "HYPOTHESIS_PROFILE")
APART = "processes or browser"
TOGETHER = "not processes and not browser"
SUMMARY = re.compile(r"^(=+ )?.*\b(passed|failed|error|errors|skipped|no tests ran)\b.* in [\d.]+s")
COLOURS = re.compile(r"\x1b\[[\d;]*m")
NO_BROWSER = (
    "!" * 78 + "\n!! NO BROWSER was found, and none could be installed: the browser tests, the"
    "\n!! patient's journey among them, are LEFT OUT. This installs one:"
    f"\n!!     {browser.HOW_TO}\n" + "!" * 78
)


@dataclass(frozen=True)
class Stage:
    name: str
    marks: str
    env: Mapping[str, str]
    processes: int = 0
    without: str = ""  # a folder that this database changes nothing about


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["fast"]):
        print("usage: ./dev test [fast]", file=sys.stderr)
        return 2
    if arguments:
        fast = Stage("SQLite, fast", f"{TOGETHER} and not postgres and not slow", _environment(), 2)
        return _run(fast)[0]
    return _everything()


def _everything() -> int:
    began = time.monotonic()
    with ExitStack() as at_the_end:
        chromium = browser.find_or_install()
        database, version = _postgres(at_the_end)
        _introduce(version, chromium)
        print("\n-- Checks", flush=True)
        checked = check.main([])
        results = [_run(stage) for stage in _stages(database)]
    if not chromium:
        print(NO_BROWSER)
    print(f"\nEverything together: {time.monotonic() - began:.0f} s")
    if checked:
        print("THE CHECKS FAILED: see the top, or run ./dev check")
    failed = [result for result in results if result[0]]
    print((failed or results[-1:])[0][1], flush=True)
    return 1 if failed or checked else 0


def _stages(database: str) -> list[Stage]:
    sqlite = _environment()
    postgres = {**sqlite, "DATABASE_URL": database, "TEST_DATABASE_URL": database}
    return [
        Stage("SQLite", f"{TOGETHER} and not postgres", sqlite, 2),
        Stage("PostgreSQL", f"{TOGETHER} and database", postgres, 2, without="tests/devtools"),
        Stage("SQLite, processes and browser", APART, sqlite),
        Stage("PostgreSQL, processes and browser", APART, postgres, without="tests/devtools"),
    ]


def _environment() -> dict[str, str]:
    honoured = {name: os.environ[name] for name in HONOURED if name in os.environ}
    return {**machine_environment(), **honoured, "PYTHONUNBUFFERED": "1"}


def _postgres(at_the_end: ExitStack) -> tuple[str, str]:
    """A server's URL and what it is: the given one, or our own until the end of the run."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        return given, "PostgreSQL of $TEST_DATABASE_URL"
    server = Postgres()
    at_the_end.callback(server.stop)
    server.start()
    return server.url("afterglow"), server.version


def _introduce(postgres: str, chromium: str | None) -> None:
    redis = "Redis of $REDIS_URL" if "REDIS_URL" in os.environ else describe(tests_binary())
    print(f"Redis:    {redis}\nDatabase: SQLite, then {postgres}")
    print(f"Browser:  {browser.version(chromium)}" if chromium else NO_BROWSER, flush=True)


def _run(stage: Stage) -> tuple[int, str]:
    """pytest's exit status and summary line, having shown everything it printed."""
    print(f"\n-- Tests on {stage.name}", flush=True)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", stage.marks]
    command += ["-n", str(stage.processes)] if stage.processes else []
    command += ["--ignore", stage.without] if stage.without else []
    command += ["--color", "yes" if sys.stdout.isatty() else "no"]
    summary = "pytest printed no summary"
    with subprocess.Popen(
        command, cwd=ROOT, env=dict(stage.env), stdout=subprocess.PIPE, text=True
    ) as pytest:
        assert pytest.stdout is not None
        for line in pytest.stdout:
            print(line, end="", flush=True)
            if SUMMARY.match(COLOURS.sub("", line)):
                summary = line.rstrip("\n")
    return pytest.returncode, summary
