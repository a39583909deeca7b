"""How answering goes: how long it takes, and where people stop. Pure; no answer is looked at."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median, quantiles

PAUSE = timedelta(minutes=5)  # more between two answers, and somebody had gone away


@dataclass(frozen=True, slots=True)
class Sitting:
    """One follow-up that somebody began: each question with the moment of its last answer, in the
    order of these moments, and when all was sent."""

    answers: tuple[tuple[str, datetime], ...]
    sent_at: datetime | None = None

    @property
    def seconds(self) -> float | None:
        """From the first answer to sending, without the pauses. None: it was never sent."""
        if self.sent_at is None or not self.answers:
            return None
        moments = [at for _, at in self.answers] + [self.sent_at]
        return sum(_gaps(moments))

    @property
    def stopped_at(self) -> str | None:
        """The last question that was answered, where nothing was sent."""
        return self.answers[-1][0] if self.answers and self.sent_at is None else None

    def steps(self) -> Iterator[tuple[str, float]]:
        """Each question but the first, with the seconds since the answer before. Pauses are out."""
        for (_, before), (name, at) in pairwise(self.answers):
            if at - before <= PAUSE:
                yield name, (at - before).total_seconds()


@dataclass(frozen=True, slots=True)
class Step:
    """Of one question: `seconds` is the median of so many `times`; so many `stopped` after it."""

    times: int = 0
    seconds: float | None = None
    stopped: int = 0


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds within which half, and three quarters, of the `sent` ones were answered."""

    sent: int
    half: float | None
    three_quarters: float | None
    steps: Mapping[str, Step]


def pace(sittings: Iterable[Sitting]) -> Pace:
    known = list(sittings)
    totals = [each.seconds for each in known if each.seconds is not None]
    times: dict[str, list[float]] = defaultdict(list)
    for each in known:
        for name, seconds in each.steps():
            times[name].append(seconds)
    stopped = Counter(each.stopped_at for each in known if each.stopped_at)
    named = dict.fromkeys([*(name for each in known for name, _ in each.answers), *stopped])
    return Pace(
        sent=len(totals),
        half=median(totals) if totals else None,
        three_quarters=quantiles(totals, n=4, method="inclusive")[2] if totals[1:] else None,
        steps={name: _step(times.get(name, []), stopped[name]) for name in named},
    )


def _step(times: list[float], stopped: int) -> Step:
    return Step(len(times), median(times) if times else None, stopped)


def _gaps(moments: list[datetime]) -> Iterator[float]:
    for before, after in pairwise(moments):
        if timedelta(0) <= after - before <= PAUSE:
            yield (after - before).total_seconds()
