"""Redis flushed, read-only, out of memory, killed, and back empty: it carried nothing that matters.

A real worker and a real beat; the provider's own log is the judge.
"""

import shutil
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection

from reminders.models import Message, State
from tests.reminders.crowd import make_crowd
from tests.reminders.faults.healing import states, today, until

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(connection.vendor == "postgresql", reason="the database is not in it"),
]

EACH = 3
AWAY_SECONDS = 1.5  # a tick at least


def test_whatever_becomes_of_redis_each_message_goes_once(service, broker, house):
    def lose_it() -> None:
        broker.kill()
        shutil.rmtree(broker.socket.parent / "appendonlydir")
        broker.start()

    blows: list[tuple[Callable[[], object], Callable[[], object]]] = [
        (lambda: broker.command("FLUSHALL"), lambda: None),
        (
            lambda: broker.command("REPLICAOF", "127.0.0.1", "1"),
            lambda: broker.command("REPLICAOF", "NO", "ONE"),
        ),
        (
            lambda: broker.command("CONFIG", "SET", "maxmemory", "1"),
            lambda: broker.command("CONFIG", "SET", "maxmemory", "0"),
        ),
        (lose_it, lambda: None),
        (broker.kill, broker.start),
    ]
    make_crowd(EACH * len(blows), now=today())
    waiting = list(Message.objects.values_list("pk", flat=True))
    Message.objects.update(due_at=today() + timedelta(hours=1))
    service.start_worker(concurrency=1)
    service.start_beat()
    for strike, mend in blows:
        batch = [waiting.pop() for _ in range(EACH)]
        strike()
        Message.objects.filter(pk__in=batch).update(due_at=today())
        time.sleep(AWAY_SECONDS)
        mend()
        until(partial(all_accepted, service, batch), 40)
    taken = house.taken()
    assert (len(set(taken)), len(taken)) == (EACH * len(blows), EACH * len(blows))
    assert states() == {"accepted": EACH * len(blows)}


def restart(service) -> None:
    """As systemd does: of a Redis that is read-only, Celery's worker takes its leave."""
    for child in service.children:
        if not child.alive:
            child.start()


def all_accepted(service, batch: list[object]) -> bool:
    restart(service)
    found = Message.objects.filter(pk__in=batch, state=State.ACCEPTED)
    return found.count() == EACH
