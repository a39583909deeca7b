"""What the machine can do at this moment: absolute figures mean nothing without it."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median, quantiles

from devtools.bench.lines import Line

LOOPS = 2_000_000
BLOCK = b"x" * 8192


def calibration() -> Iterator[Line]:
    cpu = [_seconds(_spin) for _ in range(5)]
    yield Line("machine", f"{LOOPS:,} additions", median(cpu), "s on one core")
    yield Line("machine", "load average, 1 min", os.getloadavg()[0], f"on {os.cpu_count()} cores")
    with tempfile.NamedTemporaryFile() as file:
        syncs = [_seconds(lambda: _sync(file.fileno())) * 1000 for _ in range(100)]
    yield Line("machine", "fdatasync of 8 KiB", median(syncs), "ms, middle")
    yield Line("machine", "fdatasync of 8 KiB", quantiles(syncs, n=20)[-1], "ms, 95th of 100")


def resident(pid: int) -> int:
    """PSS of one process in bytes: what it alone costs, shared pages divided."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(
        int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:")
    )


def family(pid: int) -> Iterator[int]:
    """The process and all that came of it."""
    yield pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield from family(int(child))


def _spin() -> None:
    total = 0
    for number in range(LOOPS):
        total += number


def _sync(descriptor: int) -> None:
    os.pwrite(descriptor, BLOCK, 0)
    os.fdatasync(descriptor)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
