"""`growth`: how the cost of a claim and of a tick grows with all rows, and with the due ones."""

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from devtools.bench.ground import Ground
from devtools.bench.lines import Line, at_most
from devtools.bench.sides import Side
from devtools.bench.warehouse import PAIRS, Warehouse, sizes

DUE = 1000
TICKS = 10
FLAT = 0.1  # slope of log(cost) over log(rows)
FROM = 10**5  # with fewer rows everything lies on a few pages


def growth(ground: Ground) -> Iterator[Line]:
    yield from _by_total(ground)
    yield from _by_due(ground)


def _by_total(ground: Ground) -> Iterator[Line]:
    """The same rows due, among ever more."""
    totals = [size for size in sizes(ground) if size >= FROM]
    with ExitStack() as stack:
        stores = [stack.enter_context(Warehouse(ground, size)) for size in totals]
        sides = [stack.enter_context(store.side("grower")) for store in stores]
        for side in sides:
            side.ask("ticks", count=3)
        ticks = [[side.ask("ticks", count=TICKS)[0] for side in sides] for _ in range(PAIRS)]
        for store, side in zip(stores, sides, strict=True):
            store.make_due(DUE)
            side.ask("take", rows=1)
        claims = [
            [_claim(store, side) for store, side in zip(stores, sides, strict=True)]
            for _ in range(PAIRS)
        ]
    label = f"10^5 to 10^{len(str(totals[-1])) - 1} rows"
    yield _line("growth: claim", label, totals, claims, limited=True)
    yield _line("growth: tick", label, totals, ticks, limited=True)


def _by_due(ground: Ground) -> Iterator[Line]:
    """Ever more rows due, among the same."""
    dues = [10**3, 10**4, 10**5]
    claims: list[list[float]] = [[] for _ in range(PAIRS)]
    ticks: list[list[float]] = [[] for _ in range(PAIRS)]
    with Warehouse(ground, 10**6) as store, store.side("grower") as side:
        for more in (10**3, 9 * 10**3, 9 * 10**4):
            store.make_due(more)
            side.ask("take", rows=1)
            for round in range(PAIRS):
                claims[round].append(_claim(store, side))
                store.give_back()
                ticks[round].append(side.ask("ticks", count=3)[0])
    label = "10^3 to 10^5 due"
    yield _line("growth: claim", label, dues, claims, limited=True)
    yield _line("growth: tick", label, dues, ticks, limited=False)


def _claim(store: Warehouse, side: Side) -> float:
    """Seconds for one row of a claim."""
    store.give_back()
    count, _ = side.ask("take", rows=DUE // 2)
    return float(count.seconds / count.done)


def _line(
    name: str, label: str, sizes: Sequence[int], rounds: list[list[float]], *, limited: bool
) -> Line:
    slopes = tuple(slope(sizes, costs) for costs in rounds)
    middle = sorted(slopes)[len(slopes) // 2]
    limit = at_most(FLAT) if limited else None
    return Line(name, label, middle, "slope, log-log", "0 is flat", slopes, limit)


def slope(sizes: Sequence[int], costs: Sequence[float]) -> float:
    """Of the straight line that fits log(cost) over log(size) best."""
    xs, ys = [math.log(size) for size in sizes], [math.log(cost) for cost in costs]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    above = sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True))
    return above / sum((a - x) ** 2 for a in xs)
