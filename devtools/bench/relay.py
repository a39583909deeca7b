"""`send-celery`: beat, broker and two worker processes, beside one process that drains alone."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from redis import Redis

from devtools.bench import letters, sending
from devtools.bench.ground import Ground
from devtools.bench.lines import Line, Wrong, at_least, at_most, middle
from devtools.bench.sides import Side
from devtools.bench.sink import Taken
from devtools.processes import Child

DUE = 2000
PAIRS = 5
PATIENCE = 300  # seconds


class Relay:
    """Worker and beat of one database. Beat stands still unless the relay is to send."""

    def __init__(self, ground: Ground, stack: ExitStack, database: str, **env: str) -> None:
        self.redis = Redis.from_url(ground.valkey.client_url)
        processes = ground.stack(database, **env)
        self.worker = processes.start_worker()
        stack.callback(self.worker.stop)
        self.beat = processes.start_beat()
        stack.callback(self._end_beat)
        self.hold()

    def hold(self) -> None:
        os.kill(self.beat.pid, signal.SIGSTOP)

    def go(self) -> None:
        """The tick that is overdue comes at once."""
        os.kill(self.beat.pid, signal.SIGCONT)

    def messages(self) -> int:
        """How many Celery messages have been published so far."""
        return int(self.redis.info("commandstats").get("cmdstat_lpush", {"calls": 0})["calls"])

    def _end_beat(self) -> None:
        self.go()
        self.beat.stop()


def send_celery(ground: Ground) -> Iterator[Line]:
    ground.valkey  # noqa: B018  started before anybody is told where it is
    database = ground.database("relay")
    with ExitStack() as stack:
        ours = stack.enter_context(ground.side("ours", database))
        sending.warm_up(ground, ours)
        relay = Relay(ground, stack, database)
        _relayed(ground, ours, relay)  # once, so that both have done everything once
        pairs = [(_relayed(ground, ours, relay), _alone(ground, ours)) for _ in range(PAIRS)]
    size = f"{DUE:,} due, 2 languages"
    ratios = tuple(through.rate / alone.rate for (through, _), alone in pairs)
    rate = middle(through.rate for (through, _), _ in pairs)
    yield Line("send-celery", size, rate, "messages/s", "in one process", ratios, at_least(0.85))
    alone_rate = middle(alone.rate for _, alone in pairs)
    yield Line("send-celery: one process", size, alone_rate, "messages/s")
    published = max(published for (_, published), _ in pairs)
    limit = at_most(DUE / 100 + 2)
    yield Line("send-celery", size, published, "Celery messages", limit=limit)


def _relayed(ground: Ground, ours: Side, relay: Relay) -> tuple[Taken, int]:
    expected = ours.ask("expected", addresses=ours.ask("crowd", size=DUE))
    before, published = ours.ask("states"), relay.messages()
    wanted = before.get("accepted", 0) + DUE
    relay.go()
    wait_until(lambda: ours.ask("states").get("accepted", 0) >= wanted, relay.worker)
    relay.hold()
    published = relay.messages() - published
    taken = ground.sink.take()
    letters.check(taken.messages, expected)
    sending.check_states(before, ours.ask("states"), DUE)
    return taken, published


def _alone(ground: Ground, ours: Side) -> Taken:
    expected = ours.ask("expected", addresses=ours.ask("crowd", size=DUE))
    before = ours.ask("states")
    ours.ask("drain")
    taken = ground.sink.take()
    letters.check(taken.messages, expected)
    sending.check_states(before, ours.ask("states"), DUE)
    return taken


def wait_until(done: Callable[[], bool], worker: Child) -> None:
    deadline = time.monotonic() + PATIENCE
    while not done():
        if not worker.alive or time.monotonic() > deadline:
            raise Wrong(f"the worker does not send everything.\n{worker.last_lines()}")
        time.sleep(0.25)
