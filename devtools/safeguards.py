"""`./dev test safeguards [N ...]`: take each safeguard of the twenty safety tests away, one at a
time, in a copy of the tree, and see that its test notices.

The list is tests/sabotage/safety.toml. With everything in place each test must pass, else it says
nothing; without its safeguard it must fail, and not because the code is broken.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from devtools import browser
from devtools.chaos.sabotage import copy_tree
from devtools.processes import ROOT, machine_environment
from devtools.servers.postgres import Postgres

LIST = ROOT / "tests" / "sabotage" / "safety.toml"
BROKEN = re.compile(r"\b(SyntaxError|NameError|ImportError|TypeError|TemplateSyntaxError)\b")
PASSED, FAILED = 0, 1  # pytest's exit statuses


@dataclass(frozen=True, slots=True)
class Safeguard:
    """One line of code or template, and the test that must notice when it is gone."""

    number: int
    without: str
    file: str
    text: str
    becomes: str
    test: str
    postgresql: bool = False  # two at the same instant: only there do two wait for one row

    def times(self, tree: Path = ROOT) -> int:
        return (tree / self.file).read_text().count(self.text)

    def take_away(self, tree: Path) -> None:
        path = tree / self.file
        path.write_text(path.read_text().replace(self.text, self.becomes))

    def put_back(self, tree: Path) -> None:
        shutil.copy2(ROOT / self.file, tree / self.file)


def listed() -> list[Safeguard]:
    entries = tomllib.loads(LIST.read_text())["safeguard"]
    return [Safeguard(**entry) for entry in entries]


def main(arguments: Sequence[str]) -> int:
    """1 if a test passes without its safeguard, or says nothing. 2: not numbers of the list."""
    known = listed()
    numbers = {int(each) for each in arguments if each.isdigit()}
    if len(numbers) != len(arguments) or not numbers <= {each.number for each in known}:
        print("usage: ./dev test safeguards [N ...], numbers from 1 to 20", file=sys.stderr)
        return 2
    chosen = [each for each in known if not numbers or each.number in numbers]
    if not browser.find_or_install():
        print("No browser: a test that needs one says nothing, and counts as failed.")
    with ExitStack() as at_the_end:
        folder = Path(tempfile.mkdtemp(prefix="ag-safeguards-"))
        at_the_end.callback(shutil.rmtree, folder, ignore_errors=True)
        copy_tree(folder)
        env = _environment(chosen, at_the_end)
        seen = [_is_noticed(each, folder, env[each.postgresql]) for each in chosen]
    print(f"\n{sum(seen)} of {len(seen)} safeguards are guarded by their test")
    return 0 if all(seen) else 1


def _environment(
    chosen: Sequence[Safeguard], at_the_end: ExitStack
) -> Mapping[bool, dict[str, str]]:
    """By whether PostgreSQL is needed."""
    plain = {**machine_environment(), "PYTHONUNBUFFERED": "1"}
    if not any(each.postgresql for each in chosen):
        return {False: plain}
    server = Postgres()
    at_the_end.callback(server.stop)
    server.start()
    url = server.url("afterglow")
    return {False: plain, True: {**plain, "DATABASE_URL": url, "TEST_DATABASE_URL": url}}


def _is_noticed(each: Safeguard, folder: Path, env: Mapping[str, str]) -> bool:
    print(f"{each.number:2}  without {each.without}: ", end="", flush=True)
    verdict = _verdict(each, folder, env)
    print(verdict or f"noticed by {each.test}", flush=True)
    return not verdict


def _verdict(each: Safeguard, folder: Path, env: Mapping[str, str]) -> str:
    """What is wrong; nothing, if the test notices."""
    if each.times(folder) != 1:
        return f"NOT FOUND, or more than once, in {each.file}"
    status, said = _run(each.test, folder, env)
    if status != PASSED or " passed" not in said or " skipped" in said:
        return f"SAYS NOTHING: {each.test} does not pass with everything in place"
    each.take_away(folder)
    status, said = _run(each.test, folder, env)
    each.put_back(folder)
    if status == FAILED and not BROKEN.search(said):
        return ""
    return f"NOT NOTICED by {each.test}" if status == PASSED else f"BROKEN: {said[-2000:]}"


def _run(test: str, folder: Path, env: Mapping[str, str]) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rs", test]
    ran = subprocess.run(command, cwd=folder, env=dict(env), capture_output=True, text=True)
    return ran.returncode, ran.stdout + ran.stderr
