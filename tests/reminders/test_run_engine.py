"""The engine in one process: no Celery, no Redis."""

import os
import signal
import sys

import pytest
from django.utils import timezone

from devtools.processes import ROOT, Child
from reminders.models import Message, State
from tests.reminders.crowd import make_crowd, wait_until

pytestmark = pytest.mark.processes


@pytest.fixture
def moment():
    """The engine's own clock is the database's."""
    return timezone.now()


@pytest.fixture
def engine(service_env, tmp_path):
    """Without a broker: a Redis that nobody runs."""
    env = {
        **service_env,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "CACHE_URL": "redis://127.0.0.1:1/1",
    }
    env["TICK_SECONDS"] = "1"
    children = []

    def start(*arguments: str) -> Child:
        command = [sys.executable, str(ROOT / "manage.py"), "run_engine", *arguments]
        child = Child("engine", command, env, tmp_path / "engine.log")
        child.start()
        children.append(child)
        return child

    yield start
    for child in children:
        child.stop()


def test_once_sends_what_is_due_and_ends(engine, smtp_server, moment):
    make_crowd(3, now=moment)
    child = engine("--once")
    assert child.process.wait(60) == 0, child.last_lines()
    assert Message.objects.filter(state=State.ACCEPTED).count() == 3
    assert len(smtp_server.messages) == 3


def test_it_goes_on_until_it_is_asked_to_stop(engine, smtp_server, moment):
    child = engine()
    make_crowd(3, now=moment)
    wait_until(lambda: len(smtp_server.messages) == 3, 60)
    os.kill(child.pid, signal.SIGTERM)
    assert child.process.wait(30) == 0, child.last_lines()
    assert Message.objects.filter(state=State.ACCEPTED).count() == 3
