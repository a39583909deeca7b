"""Processes that are held for longer than their lease, or told to stop and not waited for."""

import os
import signal
import time
from pathlib import Path

import pytest

from devtools.processes import Child, children_of
from reminders.threaded import WAITING_SHARE
from tests.reminders.crowd import make_crowd
from tests.reminders.faults.child import (
    AFTER_CLAIM,
    AFTER_INTENT,
    NOWHERE,
)
from tests.reminders.faults.conftest import CONNECTIONS
from tests.reminders.faults.healing import heal, states, today, until

pytestmark = pytest.mark.processes

DUE = 40
IN_DOUBT = CONNECTIONS + CONNECTIONS // WAITING_SHARE  # calls under way, and those recorded ahead
LEASE_SECONDS = 1


def is_held(child: Child) -> bool:
    assert child.alive, child.last_lines()
    return Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
@pytest.mark.parametrize(
    ("point", "meanwhile"),
    [
        pytest.param(AFTER_CLAIM, {"accepted": 1}, id="after its claim: others have sent it"),
        pytest.param(AFTER_INTENT, {"unknown": 1}, id="before its call: it makes none"),
    ],
)
def test_who_wakes_after_twice_its_lease_sends_nothing_a_second_time(ours, house, point, meanwhile):
    make_crowd(1, now=today())
    child = ours(point, signal.SIGSTOP, LEASE_SECONDS=str(LEASE_SECONDS))
    until(lambda: is_held(child))
    time.sleep(2 * LEASE_SECONDS)
    heal()
    assert states() == meanwhile
    os.kill(child.pid, signal.SIGCONT)
    assert child.process.wait(60) == 0, child.last_lines()
    heal()
    assert (len(house.taken()), states()) == (1, {"accepted": 1})


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
def test_what_a_sleeper_saw_is_merged_and_not_sent_again(ours, house):
    """Held while the provider answers. In between its message became `unknown`."""
    make_crowd(1, now=today())
    house.mood("slow")
    child = ours(NOWHERE, LEASE_SECONDS=str(LEASE_SECONDS))
    until(house.taken)
    os.kill(child.pid, signal.SIGSTOP)
    time.sleep(2 * LEASE_SECONDS)
    house.mood("calm")
    heal()
    assert states() == {"unknown": 1}
    os.kill(child.pid, signal.SIGCONT)
    assert child.process.wait(60) == 0, child.last_lines()
    assert (len(house.taken()), states()) == (1, {"accepted": 1})


def test_what_is_killed_while_it_stops_leaves_at_most_its_calls_in_doubt(ours, house):
    make_crowd(4 * CONNECTIONS, now=today())
    house.mood("slow")
    child = ours(NOWHERE)
    until(house.taken)
    os.kill(child.pid, signal.SIGTERM)
    time.sleep(0.2)
    os.kill(child.pid, signal.SIGKILL)
    assert child.process.wait(10) == -signal.SIGKILL
    house.mood("calm")
    heal()
    found, taken = states(), house.taken()
    assert len(set(taken)) == len(taken)
    assert set(found) <= {"accepted", "unknown"}
    assert found["unknown"] <= IN_DOUBT


def test_a_killed_pool_child_and_then_a_killed_worker_cost_nothing(service, broker, house):
    """One process of the pool while it sends, as when memory runs out; its worker lives on. Then
    the worker is asked to stop and not waited for."""
    make_crowd(DUE, now=today())
    house.mood("slow")
    worker = service.start_worker(concurrency=2)
    beat = service.start_beat()
    until(house.taken)
    pool = children_of(worker.pid)
    for each in pool:
        os.kill(each, signal.SIGKILL)
    until(lambda: len(set(children_of(worker.pid)) - set(pool)) == len(pool))
    assert worker.alive
    beat.kill()
    os.kill(worker.pid, signal.SIGTERM)
    time.sleep(0.2)
    worker.kill()
    house.mood("calm")
    heal()
    found, taken = states(), house.taken()
    assert len(set(taken)) == len(taken)
    assert set(found) <= {"accepted", "unknown"}
    assert found["unknown"] <= 2 * len(pool) * IN_DOUBT
    assert sum(found.values()) == DUE
