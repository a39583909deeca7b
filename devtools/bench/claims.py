"""`claim`: batches of 500 due rows out of ever more rows, beside the bare statement."""

from collections.abc import Iterator
from contextlib import ExitStack

from devtools.bench.counting import Count
from devtools.bench.ground import Ground
from devtools.bench.lines import Line, Wrong, at_least, at_most, middle
from devtools.bench.sides import Side
from devtools.bench.warehouse import PAIRS, Warehouse, sizes

BATCH = 500
MOST_DUE = 100_000
A_PASS = 10_000  # rows


def claim(ground: Ground) -> Iterator[Line]:
    alone: dict[int, list[float]] = {}
    for size in sizes(ground):
        with Warehouse(ground, size) as store:
            store.make_due(due_of(size))
            for workers in (1, 2):
                ours, raw = _pairs(store, workers, min(A_PASS, due_of(size)))
                yield from _lines(f"claim: {workers} at work", store, ours, raw)
                alone.setdefault(size, [count.rate for count in ours])
            if size == 10**6:
                yield from _until_empty(store, "take")
                yield from _until_empty(store, "claim")
    yield from _flat(alone)


def due_of(size: int) -> int:
    return min(size // 10, MOST_DUE)


def claim_on_sqlite(ground: Ground) -> Iterator[Line]:
    size = 10**6 if ground.full else 10**5
    with Warehouse(ground, size, sqlite=True) as store:
        store.make_due(due_of(size))
        ours, raw = _pairs(store, 1, min(A_PASS, due_of(size)))
        yield from _lines("claim, SQLite", store, ours, raw)


def _pairs(store: Warehouse, workers: int, rows: int) -> tuple[list[Count], list[Count]]:
    ours, raw = [], []
    with ExitStack() as stack:
        sides = [stack.enter_context(store.side(f"claimer{n}")) for n in range(workers)]
        for side in sides:  # what is done the first time in a process is in neither side's time
            for order in ("take", "take_raw"):
                side.ask(order, rows=1)
        for _ in range(PAIRS):
            ours.append(_pass(store, sides, "take", rows))
            raw.append(_pass(store, sides, "take_raw", rows))
    return ours, raw


def _pass(store: Warehouse, sides: list[Side], order: str, rows: int) -> Count:
    """All sides at once; each row to one of them only."""
    store.give_back()
    for side in sides:
        side.tell(order, rows=rows // len(sides))
    answers = [side.hear() for side in sides]
    keys = [key for _, keys in answers for key in keys]
    if len(set(keys)) != len(keys) or len(keys) < rows:
        raise Wrong(f"{order}: {len(keys)} rows, {len(set(keys))} different ones")
    return Count(
        done=len(keys),
        seconds=max(count.seconds for count, _ in answers),
        statements=sum(count.statements for count, _ in answers),
        cpu=sum(count.cpu for count, _ in answers),
    )


def _lines(name: str, store: Warehouse, ours: list[Count], raw: list[Count]) -> Iterator[Line]:
    ratios = tuple(a.rate / b.rate for a, b in zip(ours, raw, strict=True))
    rate = middle(count.rate for count in ours)
    yield Line(name, store.label, rate, "rows/s", "raw statement", ratios, at_least(0.5))
    yield Line(f"{name}: raw", store.label, middle(count.rate for count in raw), "rows/s")
    statements = max(count.statements * BATCH / count.done for count in ours)
    yield Line(name, store.label, statements, "statements/batch")


def _until_empty(store: Warehouse, order: str) -> Iterator[Line]:
    """Two workers until nothing is due: everything is taken, and once. `claim` also reads it."""
    store.give_back()
    with store.side("claimer0") as one, store.side("claimer1") as other:
        for side in (one, other):
            side.tell(order, rows=10**6)
        (first, its), (second, others) = one.hear(), other.hear()
    due, taken = due_of(store.size), {*its, *others}
    if len(taken) != due or len(its) + len(others) != due:
        raise Wrong(f"{due} were due, {len(its)} + {len(others)} were taken, {len(taken)} in all")
    rate = due / max(first.seconds, second.seconds)
    yield Line(f"claim: 2 workers {order} all", store.label, rate, "rows/s")


def _flat(alone: dict[int, list[float]]) -> Iterator[Line]:
    """The cost of a row beside its cost among 10^5, whatever the number of rows."""
    for size, rates in alone.items():
        if size > 10**5:
            ratios = tuple(a / b for a, b in zip(alone[10**5], rates, strict=True))
            rate = middle(1e6 / rate for rate in rates)
            label = f"10^{len(str(size)) - 1} rows"
            yield Line("claim: cost", label, rate, "us/row", "at 10^5 rows", ratios, at_most(2))
