"""`./dev test`: everything once, on both databases, with real servers, processes and a browser.

The last line printed is pytest's own summary: of the first stage that failed, else of the last.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from io import StringIO
from typing import TextIO

from devtools import browser, check, safeguards
from devtools.processes import ROOT, machine_environment
from devtools.servers.postgres import Postgres
from devtools.servers.valkey import describe, tests_binary

# The only things of the caller's environment that change what is tested.
HONOURED = ("REDIS_URL", "TEST_DATABASE_URL", "CHROMIUM", "HYPOTHESIS_PROFILE")
PROCESSES = "processes and not browser"
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
    without: Sequence[str] = ()  # what this database changes nothing about


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["safeguards"]:
        return safeguards.main(arguments[1:])
    if arguments not in ([], ["fast"]):
        print("usage: ./dev test [fast | safeguards [N ...]]", file=sys.stderr)
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
        results = [_run(stage) for stage in _without_processes(database)]
        results += _side_by_side(_lanes(database))
    if not chromium:
        print(NO_BROWSER)
    print(f"\nEverything together: {time.monotonic() - began:.0f} s")
    if checked:
        print("THE CHECKS FAILED: see the top, or run ./dev check")
    failed = [result for result in results if result[0]]
    print((failed or results[-1:])[0][1], flush=True)
    return 1 if failed or checked else 0


def _without_processes(database: str) -> list[Stage]:
    return [
        Stage("SQLite", f"{TOGETHER} and not postgres", _environment(), 2),
        Stage(
            "PostgreSQL", f"{TOGETHER} and database", _on(database), 2, without=["tests/devtools"]
        ),
    ]


def _lanes(database: str) -> list[list[Stage]]:
    """About as long as each other. What a page looks like is the same on both databases; the
    journeys, which use processes and a browser, are made on both."""
    own_servers = ["tests/devtools", "tests/test_deploy.py"]
    on_postgresql = Stage("PostgreSQL, processes", "processes", _on(database), without=own_servers)
    return [
        [Stage("SQLite, browser", "browser", _environment()), on_postgresql],
        [Stage("SQLite, processes", PROCESSES, _environment())],
    ]


def _on(database: str) -> dict[str, str]:
    return {**_environment(), "DATABASE_URL": database, "TEST_DATABASE_URL": database}


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


def _side_by_side(lanes: Sequence[Sequence[Stage]]) -> list[tuple[int, str]]:
    """At the same time, for they mostly wait. The first is shown as it goes, the others after it.

    A Redis that was given to us is emptied by the tests of one, so there they take turns.
    """
    if "REDIS_URL" in os.environ:
        return [_run(stage) for lane in lanes for stage in lane]
    first, *others = lanes
    with ThreadPoolExecutor() as threads:
        written = [StringIO() for _ in others]
        running = [threads.submit(_in_turn, *pair) for pair in zip(others, written, strict=True)]
        results = _in_turn(first)
        for lane, text in zip(running, written, strict=True):
            results += lane.result()
            print(text.getvalue(), end="", flush=True)
    return results


def _in_turn(lane: Sequence[Stage], out: TextIO | None = None) -> list[tuple[int, str]]:
    return [_run(stage, out) for stage in lane]


def _run(stage: Stage, out: TextIO | None = None) -> tuple[int, str]:
    """pytest's exit status and summary line, having shown everything it printed."""
    print(f"\n-- Tests on {stage.name}", file=out, flush=True)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", stage.marks]
    command += ["-n", str(stage.processes)] if stage.processes else []
    command += [f"--ignore={path}" for path in stage.without]
    command += ["--color", "yes" if sys.stdout.isatty() else "no"]
    summary = "pytest printed no summary"
    with subprocess.Popen(
        command, cwd=ROOT, env=dict(stage.env), stdout=subprocess.PIPE, text=True
    ) as pytest:
        assert pytest.stdout is not None
        for line in pytest.stdout:
            print(line, end="", file=out, flush=True)
            if SUMMARY.match(COLOURS.sub("", line)):
                summary = line.rstrip("\n")
    return pytest.returncode, summary
