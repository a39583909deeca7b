"""`./dev bench [NAME…] [--full] [--json FILE]`: exit 1 if one failed to run or misses its goal."""

import json
import sys
import time
import traceback
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from devtools.bench import claims, growth, machine, memory, relay, replans, sending, ticks, waiting
from devtools.bench.ground import Ground
from devtools.bench.lines import Line, headings

Benchmark = Callable[[Ground], Iterator[Line]]
BENCHMARKS: Mapping[str, Benchmark] = {
    "send": sending.send,
    "send-celery": relay.send_celery,
    "latency": waiting.latency,
    "lag": waiting.lag,
    "memory": memory.memory,
    "replan": replans.replan,
    "tick": ticks.tick,
    "claim": claims.claim,
    "claim-sqlite": claims.claim_on_sqlite,
    "growth": growth.growth,
}


def main(arguments: list[str]) -> int:
    asked = _asked(arguments)
    lines = list(_shown(machine.calibration(), heading=True))
    failed: list[str] = []
    with Ground(full=asked.full, profile=asked.profile) as ground:
        for name in asked.names or BENCHMARKS:
            lines += _run(name, ground, failed)
    if asked.json:
        asked.json.write_text(json.dumps([line.as_json() for line in lines], indent=1) + "\n")
    missed = [line for line in lines if not line.ok]
    for name in failed:
        print(f"FAILED: {name}")
    for line in missed:
        print(f"MISSED: {line}")
    return 1 if failed or missed else 0


def _asked(arguments: list[str]) -> Namespace:
    parser = ArgumentParser("./dev bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[*BENCHMARKS, []])
    parser.add_argument("--full", action="store_true", help="10^7 rows too, and longer runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all lines there")
    parser.add_argument("--profile", action="store_true", help="where the time of `send` goes")
    return parser.parse_args(arguments)


def _run(name: str, ground: Ground, failed: list[str]) -> list[Line]:
    """What it said until it ended or failed; the others run all the same."""
    began = time.monotonic()
    lines: list[Line] = []
    try:
        lines.extend(_shown(BENCHMARKS[name](ground)))
    except Exception:
        traceback.print_exc(file=sys.stdout)
        failed.append(name)
    print(f"  ({name}: {time.monotonic() - began:.0f} s)", flush=True)
    return lines


def _shown(lines: Iterator[Line], *, heading: bool = False) -> Iterator[Line]:
    if heading:
        print(headings())
    for line in lines:
        print(line, flush=True)
        yield line
