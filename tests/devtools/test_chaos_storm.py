"""`./dev chaos` itself: a short storm ends well, leaves nothing behind, and notices sabotage."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from devtools.chaos import sabotage
from devtools.chaos.zones import day_zones, night_zones
from devtools.processes import ROOT, StartFailed, machine_environment
from tests.devtools.test_stack import running

CHAOS = [sys.executable, "-m", "devtools", "chaos"]
LAST = re.compile(r"^chaos seed=11 database=sqlite sent=(\d+) unknown=\d+ violations=0$")
IMPORTS = "import django; django.setup(); import reminders.tasks, reminders.views"


def marked(folder: Path) -> dict[str, str]:
    """Whatever is started from here carries the folder's name in its environment."""
    return {**machine_environment(), "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"}


def left_behind(folder: Path) -> list[int]:
    mark, found = f"TMPDIR={folder}".encode(), []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in path.read_bytes() and running(int(path.parent.name)):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


@pytest.mark.processes
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_short_storm(tmp_path):
    command = [*CHAOS, "--seed", "11", "--minutes", "0.3", "--database", "sqlite"]
    ran = subprocess.run(command, cwd=ROOT, env=marked(tmp_path), capture_output=True, text=True)
    last = LAST.match(ran.stdout.splitlines()[-1])
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert last
    assert int(last[1]) > 100
    assert "example" not in ran.stdout, "no address is printed"
    assert left_behind(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.processes
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_ctrl_c(tmp_path):
    command = [*CHAOS, "--minutes", "2", "--database", "sqlite"]
    with subprocess.Popen(command, cwd=ROOT, env=marked(tmp_path), stdout=subprocess.PIPE) as storm:
        deadline = time.monotonic() + 90
        while len(left_behind(tmp_path)) < 8 and time.monotonic() < deadline:
            time.sleep(0.2)
        assert len(left_behind(tmp_path)) >= 8
        storm.send_signal(signal.SIGINT)
        assert storm.wait(30) == 130
    assert left_behind(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_it_never_touches_a_database_it_was_given():
    env = {**os.environ, "DATABASE_URL": "postgres://somebody@elsewhere/patients"}
    ran = subprocess.run(CHAOS, cwd=ROOT, env=env, capture_output=True, text=True)
    assert ran.returncode == 2
    assert "DATABASE_URL is set" in ran.stderr
    assert "elsewhere" not in ran.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", sabotage.NAMES)
def test_a_sabotaged_copy_is_really_changed_and_runs(name, tmp_path):
    sabotage.copy_tree(tmp_path)
    sabotage.apply(name, tmp_path)
    changed = [
        path
        for path in (tmp_path / "reminders").rglob("*.py")
        if path.read_bytes() != (ROOT / path.relative_to(tmp_path)).read_bytes()
    ]
    assert changed
    env = {**machine_environment(), "DEBUG": "True", "DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "-c", IMPORTS]
    ran = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_a_patch_that_fits_no_more_is_said_to(tmp_path):
    with pytest.raises(StartFailed, match=r"gate\.patch does not apply any more"):
        sabotage.apply("gate", tmp_path)


def test_at_any_hour_it_is_day_somewhere_and_night_elsewhere(now):
    hours = [now.replace(hour=hour, minute=59) for hour in range(24)]
    assert all(len(day_zones(each)) >= 3 for each in hours)
    assert all(night_zones(each) for each in hours)
