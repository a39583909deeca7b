"""Calls over SMTP take their steps abreast, on one thread: all say what they have to say before the
first answer is waited for, so that they wait together, without a thread each."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from reminders import calling, outcomes
from reminders.calling import Ended, Intent, Steps
from reminders.outcomes import Outcome
from reminders.timekeeping import Clock
from reminders.transport import Transport


@dataclass(slots=True)
class _Talk:
    intent: Intent
    transport: Transport
    steps: Steps
    outcome: Outcome | None = None

    def step(self) -> bool:
        """Whether there is another step to take."""
        try:
            next(self.steps)
        except StopIteration as end:
            self.outcome = end.value
        return self.outcome is None

    @property
    def result(self) -> Outcome:
        assert self.outcome is not None
        return self.outcome


class Abreast:
    def __init__(self, transports: Sequence[Transport]) -> None:
        self._idle = list(transports)
        self._talking: list[_Talk] = []
        self._ended: list[_Talk] = []

    @property
    def idle(self) -> int:
        return len(self._idle)

    @property
    def ready(self) -> int:
        return sum(transport.is_open for transport in self._idle)

    @property
    def pressing(self) -> bool:
        return bool(self._idle)

    def open(self, count: int) -> Outcome | None:
        for transport in self._idle[-count:]:
            try:
                transport.open()
            except Exception as error:  # backends raise what they like
                if not self._talking and not self.ready:
                    return outcomes.of_opening(error)
                self._idle.remove(transport)
        return None

    def begin(self, intent: Intent, clock: Clock) -> None:
        """On a connection that `open` opened."""
        transport = next(each for each in reversed(self._idle) if each.is_open)
        self._idle.remove(transport)
        talk = _Talk(intent, transport, calling.call(intent, transport, clock))
        talk.step()
        self._talking.append(talk)

    def next(self, *, wait: bool) -> Ended | None:
        """Nobody is waited for while another may begin: they would not wait together."""
        if not self._ended and wait:
            self._walk()
        if not self._ended:
            return None
        talk = self._ended.pop()
        self._idle.append(talk.transport)
        return Ended(talk.intent, talk.result)

    def end(self) -> None:
        """What is still under way is dropped: its connection closes."""

    def _walk(self) -> None:
        """Step by step to the end, all of them within the time that one may take."""
        until = time.monotonic() + Transport.PATIENCE
        talking = [talk for talk in self._talking if talk.outcome is None]
        while talking:
            for talk in talking:
                talk.transport.wait_at_most(until - time.monotonic())
                talk.step()
            talking = [talk for talk in talking if talk.outcome is None]
        self._ended, self._talking = self._talking[::-1], []
