"""Where the time of a piece of work goes, over all its threads."""

import cProfile
import io
import pstats
import threading
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
    report, profiles = Report(), [cProfile.Profile()]

    def begin(*event: Any) -> None:
        """Called at the first event of a new thread, whose profile then takes over."""
        profiles.append(cProfile.Profile())
        profiles[-1].enable()

    threading.setprofile(begin)
    profiles[0].enable()
    try:
        yield report
    finally:
        profiles[0].disable()
        threading.setprofile(None)  # type: ignore[arg-type]
    report.text = _printed(profiles)


def _printed(profiles: list[cProfile.Profile]) -> str:
    out = io.StringIO()
    stats = pstats.Stats(profiles[0], stream=out)
    for profile in profiles[1:]:
        stats.add(profile)
    for order in ("cumulative", "tottime"):
        stats.sort_stats(order).print_stats(SHOWN)
    return out.getvalue()
