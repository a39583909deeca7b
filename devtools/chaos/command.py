"""`./dev chaos [--seed N] [--minutes M] [--database sqlite|postgresql] [--sabotage NAME]`."""

import argparse
import os
import signal
import sys
from itertools import groupby
from random import Random
from types import FrameType
from typing import NoReturn

from devtools.chaos import outage, sabotage, storm
from devtools.chaos.place import BACKENDS, Place
from devtools.processes import StartFailed

CLEAN, VIOLATED, NOT_RUN = 0, 1, 2
SHOWN = 20  # violations of one rule
DATABASES = ("sqlite", "postgresql")
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(arguments: list[str]) -> int:
    asked = _parser().parse_args(arguments)
    if "DATABASE_URL" in os.environ:
        print("DATABASE_URL is set: chaos makes a database of its own.", file=sys.stderr)
        return NOT_RUN
    for number in ENDINGS:
        signal.signal(number, _as_ctrl_c)
    seed = asked.seed if asked.seed is not None else Random().randrange(10**6)
    try:
        if asked.sabotage:
            return sabotage.run(asked.sabotage, seed, asked.minutes, asked.database)
        chosen = [asked.database] if asked.database else DATABASES
        return max(_storm(seed, database, asked) for database in chosen)
    except StartFailed as failure:
        print(f"\n{failure}", file=sys.stderr)
        return NOT_RUN


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./dev chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="fixes what is chosen, not when it happens")
    parser.add_argument("--minutes", type=float, default=2.0, help="of storm; then it settles")
    parser.add_argument("--database", choices=DATABASES, help="without it both, in turn")
    parser.add_argument("--sabotage", choices=sabotage.NAMES, help="take one safeguard away")
    parser.add_argument("--provider", choices=sorted(BACKENDS), help="without it by the seed")
    parser.add_argument("--outage", action="store_true", help="no storm: 500 to all, M minutes")
    parser.add_argument("--keep", action="store_true", help="keep the logs, and say where")
    return parser


def _storm(seed: int, database: str, asked: argparse.Namespace) -> int:
    speaks = asked.provider or sorted(BACKENDS)[seed % len(BACKENDS)]
    place = Place(database, speaks, seed)
    what, run = ("Outage", outage.run) if asked.outage else ("Storm", storm.run)
    print(f"\n{what} with seed {seed} on {database}, sending through {speaks}", flush=True)
    try:
        verdict = run(place, asked.minutes)
    finally:
        for number in ENDINGS:  # a second Ctrl-C changes nothing: this ends in seconds
            signal.signal(number, signal.SIG_IGN)
        place.remove(keep=asked.keep)
        for number in ENDINGS:
            signal.signal(number, _as_ctrl_c)
    return _tell(verdict, seed, database, place if asked.keep else None)


def _tell(verdict: storm.Verdict, seed: int, database: str, kept: Place | None) -> int:
    told = verdict.told
    for name in ("acts", "states"):
        pairs = ", ".join(f"{key} {n}" for key, n in sorted(told[name].items()))
        print(f"  {name}: {pairs}")
    if kept is not None:
        print(f"  kept in {kept.folder}")
    for rule, found in groupby(verdict.violations, lambda line: line.partition(" ")[0]):
        lines = list(found)
        print("\n".join(f"  {line}" for line in lines[:SHOWN]))
        if len(lines) > SHOWN:
            print(f"  {rule}  … and {len(lines) - SHOWN} more")
    counts = f"sent={told['sent']} unknown={told['unknown']} violations={len(verdict.violations)}"
    print(f"chaos seed={seed} database={database} {counts}", flush=True)
    return VIOLATED if verdict.violations else CLEAN


def _as_ctrl_c(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
