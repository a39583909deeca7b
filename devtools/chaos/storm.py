"""One storm on one database, from an empty folder to the verdict."""

import json
import time
from dataclasses import dataclass
from typing import Any

from devtools.chaos.crew import Crew
from devtools.chaos.havoc import Havoc
from devtools.chaos.place import Place
from devtools.processes import Child, StartFailed

PER_MINUTE = 1200  # patients
SETTLE_SECONDS = 60
SETTLED_BEFORE = 3.0  # seconds: what falls due while the engine is stopped is not left undone
UNTIL_BEGIN = 25.0  # for the web server, the workers and beat to start
GAP_SECONDS = (1.0, 4.0)  # from one blow to the next


@dataclass(frozen=True)
class Verdict:
    told: dict[str, Any]

    @property
    def violations(self) -> list[str]:
        return list(self.told["violations"])


def run(place: Place, minutes: float) -> Verdict:
    seconds, begins = 60 * minutes, time.time() + UNTIL_BEGIN
    set_up(place, begins, seconds, round(PER_MINUTE * minutes))
    crew = Crew(place)
    crew.start()
    place.part("hurrying")
    folder, seed = str(place.folder), str(place.seed)
    while time.time() < begins:
        time.sleep(0.1)
    place.part("acting", folder, place.site, str(seconds), seed)
    havoc = Havoc(place, crew)
    _rage(havoc, seconds)
    return settle_and_judge(havoc)


def settle_and_judge(havoc: Havoc, seconds: float = SETTLE_SECONDS) -> Verdict:
    """All is well again: let the engine finish, stop it, then look."""
    place = havoc.place
    havoc.end()
    settling = place.part("settling", str(seconds))
    _tend_until_ended(havoc, settling, seconds + 60)
    say(place.wait(settling, 1))
    settled = str(time.time() - SETTLED_BEFORE)
    havoc.crew.halt()
    arguments = [str(place.folder), str(place.connections), settled]
    return Verdict(json.loads(place.run("judging", *arguments, seconds=120)))


def set_up(place: Place, begins: float, seconds: float, size: int) -> None:
    """Servers, tables, and a crowd that is due from `begins` on."""
    place.start_servers()
    place.manage("migrate", "--no-input", "--verbosity", "0")
    say("servers and tables ready")
    arguments = [str(place.folder), str(begins), str(seconds), str(size), str(place.seed)]
    count = place.run("enrolling", *arguments, seconds=240)
    say(f"enrolled {count} patients")


def _rage(havoc: Havoc, seconds: float) -> None:
    began = time.monotonic()
    strikes_at = began
    while time.monotonic() - began < seconds:
        havoc.tend()
        watch(havoc)
        if time.monotonic() >= strikes_at:
            what = havoc.strike()
            say(f"{time.monotonic() - began:5.1f} s  {what}")
            strikes_at = time.monotonic() + havoc.rng.uniform(*GAP_SECONDS)
        time.sleep(0.05)


def _tend_until_ended(havoc: Havoc, part: Child, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while part.alive and time.monotonic() < deadline:
        havoc.tend()
        watch(havoc)
        time.sleep(0.1)


def watch(havoc: Havoc) -> None:
    """The provider is the witness: without it there is no verdict."""
    emulator = havoc.place.emulator
    if not emulator.alive:
        raise StartFailed(f"the emulator {emulator.ending}.\n{emulator.last_lines()}")


def say(text: str) -> None:
    print(f"  {text}", flush=True)
