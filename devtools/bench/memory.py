"""`memory`: what a worker holds, after many messages beside after some."""

from collections.abc import Iterator
from contextlib import ExitStack

from devtools.bench import machine
from devtools.bench.ground import Ground
from devtools.bench.lines import Line, at_most
from devtools.bench.relay import Relay, wait_until
from devtools.bench.sides import Side

MESSAGES = 10_000
MANY = 100_000  # with --full
PARTS = 5
MEGABYTE = 1024 * 1024


def memory(ground: Ground) -> Iterator[Line]:
    """The first part warms up. The sink counts only; cheap for it, the same for the worker."""
    messages = MANY if ground.full else MESSAGES
    ground.valkey  # noqa: B018  started before anybody is told where it is
    database = ground.database("memory")
    ground.sink.take()
    ground.sink.keep(False)
    with ExitStack() as stack:
        stack.callback(ground.sink.keep, True)
        ours = stack.enter_context(ground.side("ours", database))
        relay = Relay(ground, stack, database, TICK_SECONDS="1")
        held = [_after(ground, ours, relay, messages // PARTS) for _ in range(PARTS + 1)]
    warm, last = held[0], held[-1]
    size = f"{messages:,} messages"
    against = f"after {messages // PARTS:,} of warm-up"
    yield Line("memory", size, last / MEGABYTE, "MB PSS", against, (last / warm,), at_most(1.05))


def _after(ground: Ground, ours: Side, relay: Relay, more: int) -> int:
    wanted = ours.ask("states").get("accepted", 0) + more
    ours.ask("crowd", size=more)
    relay.go()
    wait_until(lambda: ours.ask("states").get("accepted", 0) >= wanted, relay.worker)
    relay.hold()
    return sum(machine.resident(pid) for pid in machine.family(relay.worker.pid))
