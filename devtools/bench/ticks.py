"""`tick`: a tick that finds nothing to do, among ever more rows."""

from collections.abc import Iterator
from contextlib import ExitStack

from devtools.bench.ground import Ground
from devtools.bench.lines import Line, Wrong, at_most, middle
from devtools.bench.sides import Side
from devtools.bench.warehouse import PAIRS, Warehouse

TICKS = 20  # the middle one of these is one measurement
DRAINED = 100_000
SMALL = 10**5


def tick(ground: Ground) -> Iterator[Line]:
    for size in (10**6, *([10**7] if ground.full else [])):
        with ExitStack() as stack:
            small = stack.enter_context(Warehouse(ground, SMALL))
            large = stack.enter_context(Warehouse(ground, size))
            few, many = (stack.enter_context(store.side("ticker")) for store in (small, large))
            check_plans(many)
            yield from _pairs("tick", large.label, few, many, limited=True)
            if size == 10**6:
                yield from _after_drains(ground, large, few, many)


def check_plans(side: Side) -> None:
    """Every statement of a tick finds messages by an index of the few rows it is about."""
    allowed = set(side.ask("partial_indexes"))
    plans: dict[str, list[str]] = side.ask("plans")
    if not plans:
        raise Wrong("a tick that asks nothing about messages")
    for statement, ways in plans.items():
        if not ways or not allowed.issuperset(ways):
            raise Wrong(f"found by {ways or 'nothing'} instead of {sorted(allowed)}: {statement}")


def _after_drains(ground: Ground, large: Warehouse, few: Side, many: Side) -> Iterator[Line]:
    """Dead rows lie where the due ones were; an open snapshot keeps them from being passed over."""
    _drain(large)
    yield from _pairs("tick: drained", f"{large.label}, 10^5 dead", few, many)
    with ground.postgres.connect(large.name) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.execute("SELECT count(*) FROM reminders_lane")
        _drain(large)
        yield from _pairs("tick: open snapshot", f"{large.label}, 10^5 dead", few, many)


def _drain(store: Warehouse) -> None:
    """Claim 10^5 due rows and end them, without a vacuum."""
    store.make_due(DRAINED, tidy=False)
    with store.side("drainer") as side:
        side.ask("take_raw", rows=DRAINED)
    store.end()


def _pairs(
    name: str, label: str, few: Side, many: Side, *, limited: bool = False
) -> Iterator[Line]:
    for side in (few, many):
        side.ask("ticks", count=3)
    pairs = [(few.ask("ticks", count=TICKS), many.ask("ticks", count=TICKS)) for _ in range(PAIRS)]
    ratios = tuple(large / small for (small, _), (large, _) in pairs)
    cost = middle(1000 * large for _, (large, _) in pairs)
    limit = at_most(2) if limited else None
    yield Line(name, label, cost, "ms", "at 10^5 rows", ratios, limit)
    if limited:
        yield Line(name, label, max(count for _, (_, count) in pairs), "statements")
