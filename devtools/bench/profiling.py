"""Where the processor's time goes in a piece of work, over all its threads.

Waiting is not in it, so that it says the same on a busy machine.
"""

import cProfile
import io
import pstats
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

SHOWN = 40


@dataclass
class Report:
    text: str = ""


@contextmanager
def profiled() -> Iterator[Report]:
    report, profiles = Report(), [cProfile.Profile(time.thread_time)]

    def begin(*event: Any) -> None:
        """Called at the first event of a new thread, whose profile then takes over."""
        profiles.append(cProfile.Profile(time.thread_time))
        profiles[-1].enable()

    threading.setprofile(begin)
    profiles[0].enable()
    try:
        yield report
    finally:
        profiles[0].disable()
        threading.setprofile(None)
    report.text = _printed(profiles)


def _printed(profiles: list[cProfile.Profile]) -> str:
    out = io.StringIO()
    stats = pstats.Stats(profiles[0], stream=out)
    for profile in profiles[1:]:
        stats.add(profile)
    for order in ("cumulative", "tottime"):
        stats.sort_stats(order).print_stats(SHOWN)
    return out.getvalue()
