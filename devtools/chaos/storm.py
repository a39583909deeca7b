"""One storm on one database, from an empty folder to the verdict."""

import json
import time
from dataclasses import dataclass
from random import Random
from typing import Any

from devtools.chaos.crew import Crew
from devtools.chaos.havoc import Havoc
from devtools.chaos.place import Place
from devtools.processes import Child, StartFailed

PER_MINUTE = 1000  # patients
SETTLE_SECONDS = 60
UNTIL_BEGIN = 25.0  # for the web server, the workers and beat to start
GAP_SECONDS = (1.0, 4.0)  # from one blow to the next


@dataclass(frozen=True)
class Verdict:
    told: dict[str, Any]

    @property
    def violations(self) -> list[str]:
        return list(self.told["violations"])


def run(place: Place, minutes: float) -> Verdict:
    rng, seconds = Random(f"{place.seed}/havoc"), 60 * minutes
    begins = _set_up(place, seconds, round(PER_MINUTE * minutes))
    crew = Crew(place)
    crew.start()
    place.part("hurrying")
    folder, seed = str(place.folder), str(place.seed)
    while time.time() < begins:
        time.sleep(0.1)
    place.part("acting", folder, place.site, str(seconds), seed)
    havoc = Havoc(place, crew, rng)
    _rage(havoc, seconds)
    return settle_and_judge(havoc)


def settle_and_judge(havoc: Havoc, seconds: float = SETTLE_SECONDS) -> Verdict:
    """All is well again: let the engine finish, stop it, then look."""
    place = havoc.place
    havoc.end()
    settling = place.part("settling", str(seconds))
    _tend_until_ended(havoc, settling, seconds + 60)
    _say(f"settled after {place.wait(settling, 1)} s")
    havoc.crew.halt()
    return Verdict(
        json.loads(place.run("judging", str(place.folder), str(place.connections), seconds=120))
    )


def _set_up(place: Place, seconds: float, size: int) -> float:
    """Servers, tables and a crowd. Returns when the first of them are due."""
    place.start_servers()
    _say("servers ready")
    place.manage("migrate", "--no-input", "--verbosity", "0")
    begins = time.time() + UNTIL_BEGIN
    arguments = [str(place.folder), str(begins), str(seconds), str(size), str(place.seed)]
    count = place.run("enrolling", *arguments, seconds=240)
    _say(f"enrolled {count} patients")
    return begins


def _rage(havoc: Havoc, seconds: float) -> None:
    began = time.monotonic()
    strikes_at = began
    while time.monotonic() - began < seconds:
        havoc.tend()
        _watch(havoc)
        if time.monotonic() >= strikes_at:
            what = havoc.strike()
            _say(f"{time.monotonic() - began:5.1f} s  {what}")
            strikes_at = time.monotonic() + havoc.rng.uniform(*GAP_SECONDS)
        time.sleep(0.05)


def _tend_until_ended(havoc: Havoc, part: Child, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while part.alive and time.monotonic() < deadline:
        havoc.tend()
        _watch(havoc)
        time.sleep(0.1)


def _watch(havoc: Havoc) -> None:
    """The provider is the witness: without it there is no verdict."""
    emulator = havoc.place.emulator
    if not emulator.alive:
        raise StartFailed(f"the emulator {emulator.ending}.\n{emulator.last_lines()}")


def _say(text: str) -> None:
    print(f"  {text}", flush=True)
