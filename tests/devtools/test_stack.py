"""Our processes under test are the real ones, and none outlives the test that started it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from devtools.processes import Child, StartFailed, free_port
from devtools.stack import page_status

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]

pytestmark = pytest.mark.processes


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 5
    while running(pid) and time.monotonic() < deadline:
        time.sleep(0.02)


def test_web_worker_and_beat_start_in_the_database_of_the_test(live_stack):
    port = int(live_stack.url.rsplit(":", 1)[1])
    assert page_status(port, "/accounts/login/") == 200
    deadline = time.monotonic() + 15
    while not re.search(r"reminders\.tasks\.tick\[.*succeeded", live_stack.worker.written()):
        assert time.monotonic() < deadline, live_stack.worker.last_lines()
        time.sleep(0.1)


def test_a_child_that_dies_at_its_start_says_why_and_leaves_nothing(tmp_path):
    broken = [sys.executable, "-c", "raise SystemExit('no such setting')"]
    child = Child("broken", broken, dict(os.environ), tmp_path / "log")
    with pytest.raises(StartFailed, match="no such setting"):
        child.start_until(lambda: False)


def test_a_child_that_ignores_the_request_to_stop_is_killed(tmp_path):
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True)"
    command = [sys.executable, "-c", f"{stubborn}; time.sleep(60)"]
    child = Child("stubborn", command, dict(os.environ), tmp_path / "log")
    child.start_until(lambda: "up" in child.written())
    child.stop(0.2)
    assert child.process.returncode == -signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's tether is Linux only")
def test_children_end_with_a_parent_that_was_killed(tmp_path):
    parent = (
        "import json, os, sys, time; from pathlib import Path\n"
        "from devtools.processes import Child\n"
        f"child = Child('c', {SLEEPER!r}, dict(os.environ), Path({str(tmp_path / 'log')!r}))\n"
        "child.start(); print(json.dumps(child.pid), flush=True); time.sleep(60)\n"
    )
    command = [sys.executable, "-c", parent]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as started:
        child = json.loads(started.stdout.readline())
        assert running(child)
        started.kill()
    wait_until_gone(child)
    assert not running(child)


def test_the_next_free_port_is_taken_when_somebody_listens():
    taken = free_port()
    with subprocess.Popen([sys.executable, "-m", "http.server", str(taken)]) as other:
        try:
            deadline = time.monotonic() + 10
            while not page_status(taken, "/") and time.monotonic() < deadline:
                time.sleep(0.05)
            assert free_port(taken) > taken
        finally:
            other.kill()
