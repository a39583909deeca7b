"""`latency` and `lag`: a provider that takes its time, and mail that must not wait for others."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median, quantiles

from devtools.bench import letters
from devtools.bench.counting import Count
from devtools.bench.ground import Ground
from devtools.bench.letters import SURVEY, Expected
from devtools.bench.lines import Line, Wrong, at_least, at_most, middle
from devtools.bench.postmark import Accepted, Postmark
from devtools.bench.relay import PATIENCE, Relay
from devtools.bench.sides import Side

LATENCY = 0.1  # seconds for one call
RUNS = 5
DUE = 1000
BACKLOG = 8000
ARRIVALS = 25
PAUSE = 0.73  # seconds between arrivals, in no step with the ticks
TICK_SECONDS = 15


def latency(ground: Ground) -> Iterator[Line]:
    """Calls wait for the provider, so as many as there are connections must wait at once."""
    provider = ground.postmark(LATENCY)
    with ground.side("ours", ground.database("latency"), **provider.env) as ours:
        connections = ours.ask("connections")
        most = connections / LATENCY
        _sent(provider, ours, 100)
        counts = [_sent(provider, ours, DUE) for _ in range(RUNS)]
    size = f"{DUE:,} due, {connections} connections"
    ratios = tuple(count.rate / most for count in counts)
    rate = middle(count.rate for count in counts)
    against = "connections / 100 ms"
    yield Line("latency", size, rate, "messages/s", against, ratios, at_least(0.9))


def lag(ground: Ground) -> Iterator[Line]:
    """Beat and two workers send a backlog of some clinics; another clinic's message falls due."""
    provider = ground.postmark(LATENCY)
    ground.valkey  # noqa: B018  started before anybody is told where it is
    database = ground.database("lag")
    tick = {"TICK_SECONDS": str(TICK_SECONDS)}
    with ExitStack() as stack:
        ours = stack.enter_context(ground.side("ours", database, **provider.env))
        ours.ask("crowd", size=BACKLOG)
        ours.ask("newly_due", clinic=9)
        relay = Relay(ground, stack, database, **provider.env, **tick)
        relay.go()
        waits, left = _waits(provider, ours)
    size = f"{len(waits)} beside {BACKLOG:,} due"
    if left < ARRIVALS:
        raise Wrong(f"the backlog was gone too early: {left} left at the end")
    yield Line("lag: middle", size, median(waits), "s", "a tick", (median(waits) / TICK_SECONDS,))
    slow = quantiles(waits, n=20)[-1]
    yield Line("lag: 95th of 100", size, slow, "s", "a tick", (slow / TICK_SECONDS,), at_most(2))


def _sent(provider: Postmark, ours: Side, due: int) -> Count:
    expected = ours.ask("expected", addresses=ours.ask("crowd", size=due))
    count: Count = ours.ask("drain")
    _check(provider.take(), expected)
    return count


def _check(accepted: list[Accepted], expected: Expected) -> None:
    if sorted(each.recipient for each in accepted) != sorted(expected):
        raise Wrong(f"{len(accepted)} mails for {len(expected)} people")
    for each in accepted:
        digests = {letters.digest(token) for token in SURVEY.findall(each.text)}
        if digests != {expected[each.recipient][1]}:
            raise Wrong("a link in the mail does not open")


def _waits(provider: Postmark, ours: Side) -> tuple[list[float], int]:
    """Seconds from falling due to the provider's yes, and how much of the backlog was left."""
    accepted = _first(provider)
    due: dict[str, float] = {}
    for _ in range(ARRIVALS):
        address, moment = ours.ask("newly_due", clinic=9)
        due[address] = moment
        time.sleep(PAUSE)
    left = ours.ask("states").get("scheduled", 0)
    deadline = time.monotonic() + PATIENCE
    while not due.keys() <= accepted.keys():
        accepted |= {each.recipient: each.at for each in provider.take()}
        if time.monotonic() > deadline:
            raise Wrong(f"{len(due.keys() - accepted.keys())} messages never came")
        time.sleep(0.2)
    return [accepted[address] - moment for address, moment in due.items()], left


def _first(provider: Postmark) -> dict[str, float]:
    """The backlog is being sent."""
    deadline = time.monotonic() + PATIENCE
    while not (some := provider.take()):
        if time.monotonic() > deadline:
            raise Wrong("nothing is sent")
        time.sleep(0.2)
    return {each.recipient: each.at for each in some}
