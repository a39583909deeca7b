"""The demo on a folder of its own: it starts, an e-mail arrives, it stops, it starts again."""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.demo.folder import AlreadyRunning, Folder
from devtools.demo.supervisor import Supervisor
from devtools.mailbox.store import Store
from devtools.processes import Child, free_port
from devtools.stack import page_status

WITHIN_SECONDS = 60


@pytest.fixture
def folder(scratch: Path) -> Folder:
    return Folder(Path(tempfile.mkdtemp(dir=scratch)) / "demo")


@pytest.fixture
def demo(folder: Folder) -> Iterator[Supervisor]:
    folder.make()
    supervisor = Supervisor(folder, free_port(8200))
    yield supervisor
    supervisor.stop()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.processes
@pytest.mark.timeout(900)  # half a year of forty lives
def test_the_demo_starts_sends_a_follow_up_stops_and_starts_again(demo, folder):
    seed = demo.start()
    assert {"email", "password", "responder", "due_patient"} <= set(seed)
    assert page_status(demo.port, "/accounts/login/") == 200
    store, deadline = Store(folder.mail), time.monotonic() + WITHIN_SECONDS
    while not store.mails():
        assert time.monotonic() < deadline, demo.stack.worker().last_lines()
        time.sleep(0.5)
    pids = [child.pid for child in demo.children]
    demo.stop()
    assert not any(alive(pid) for pid in pids)
    again = Supervisor(folder, demo.port)
    try:
        assert again.start()["email"] == seed["email"]
        assert page_status(again.port, "/accounts/login/") == 200
    finally:
        again.stop()


def test_a_second_demo_says_where_the_first_one_runs(folder):
    folder.make()
    folder.remember("http://localhost:8000", [])
    with (
        folder.held(),
        pytest.raises(AlreadyRunning, match="localhost:8000"),
        Folder(folder.path).held(),
    ):
        pass


def test_the_demos_keys_are_private_and_stay_the_same(folder):
    folder.make()
    first = folder.secrets()
    assert Folder(folder.path).secrets() == first
    assert (folder.path / "secrets.json").stat().st_mode & 0o077 == 0


def test_a_demo_that_stopped_before_it_was_seeded_is_half_made(folder):
    assert not folder.half_made
    folder.make()
    assert folder.half_made
    folder.write("seeded.json", {})
    assert not folder.half_made


@pytest.mark.processes
def test_what_an_earlier_run_left_behind_is_stopped_and_nothing_else(folder):
    folder.make()
    idle = [sys.executable, "-c", "import time; time.sleep(60)"]
    left = Child("worker", [*idle, "celery"], dict(os.environ), folder.logs / "left.log")
    stranger = Child("web", idle, dict(os.environ), folder.logs / "stranger.log")
    for child in (left, stranger):
        child.start()
    folder.remember("http://localhost:8000", [left, stranger])
    with folder.held():
        assert left.process.wait(5) == -signal.SIGKILL
        assert stranger.alive
    stranger.kill()
