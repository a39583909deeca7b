"""`replan`: looking again at many patients together, as the tick does, beside one by one."""

from collections.abc import Iterator

from devtools.bench.ground import Ground
from devtools.bench.lines import Line, at_least, middle

PATIENTS = 300
PAIRS = 5


def replan(ground: Ground) -> Iterator[Line]:
    with ground.side("ours", ground.database("replan")) as ours:
        ours.ask("crowd", size=PATIENTS)
        for together in (True, False):
            ours.ask("replan", together=together)
        pairs = [
            (ours.ask("replan", together=True), ours.ask("replan", together=False))
            for _ in range(PAIRS)
        ]
    size = f"{PATIENTS} patients"
    ratios = tuple(together.rate / alone.rate for together, alone in pairs)
    rate = middle(together.rate for together, _ in pairs)
    yield Line("replan", size, rate, "patients/s", "one by one", ratios, at_least(1))
    each = middle(together.statements / together.done for together, _ in pairs)
    yield Line("replan", size, each, "statements/patient")
