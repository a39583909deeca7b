"""Several calls at once, each on a connection of its own. None of them knows anything of rows.

A provider's API is called from threads; everything that touches the database stays on the caller's
thread. Over SMTP the calls take their steps abreast, on the caller's thread: all say what they have
to say before the first answer is waited for, so that they wait together, without a thread each.
"""

import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Protocol, Self

from reminders import outcomes
from reminders.claiming import LEASE
from reminders.emails import Mail
from reminders.outcomes import Outcome
from reminders.settling import Call
from reminders.timekeeping import Clock
from reminders.transport import Transport

Steps = Generator[None, None, Outcome]

HELD_UP_SECONDS = LEASE.total_seconds() / 2  # from the intent; a process stopped for longer is out
# Calls that end within so many seconds of each other are recorded, and followed, together.
TOGETHER_SECONDS = 0.001


@dataclass(frozen=True, slots=True)
class Intent:
    """A call that has been recorded and may now be made. `began` is monotonic, before the gate."""

    call: Call
    mail: Mail
    began: float


@dataclass(frozen=True, slots=True)
class Ended:
    intent: Intent
    outcome: Outcome | BaseException
    transport: Transport


class _Manner(Protocol):
    """How calls are made at the same time."""

    def begin(self, intent: Intent, transport: Transport, clock: Clock) -> None: ...

    def next(self, wait: float | None) -> Ended | None:
        """One that has ended, waiting so long for it; None waits for ever."""

    def end(self) -> None: ...


class Calls:
    """At most `most` calls under way."""

    def __init__(self, most: int) -> None:
        self._idle = [Transport() for _ in range(most)]
        self._all = tuple(self._idle)
        self._manner: _Manner = _Abreast() if self._all[0].is_smtp else _Threads(most)
        self.under_way = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._manner.end()
        for transport in self._all:
            transport.close()

    @property
    def lane(self) -> str:
        return self._all[0].lane

    @property
    def idle(self) -> int:
        """How many calls may be begun now."""
        return len(self._idle)

    def open(self, count: int) -> Outcome | None:
        """Connect before any intent: a server that is away leaves nothing `unknown`.

        One that allows fewer connections than we would like is used as far as it goes. Afterwards
        `ready` says how many calls may be begun.
        """
        for transport in self._idle[-count:]:
            try:
                transport.open()
            except Exception as error:  # backends raise what they like
                if not any(each.is_open for each in self._all):
                    return outcomes.of_opening(error)
                self._idle.remove(transport)
        return None

    @property
    def ready(self) -> int:
        return sum(transport.is_open for transport in self._idle)

    def start(self, intent: Intent, clock: Clock) -> None:
        """On a connection that `open` opened."""
        transport = next(each for each in reversed(self._idle) if each.is_open)
        self._idle.remove(transport)
        self._manner.begin(intent, transport, clock)
        self.under_way += 1

    def some_ended(self) -> Iterator[tuple[Intent, Outcome]]:
        """The calls that have ended; waits for one if no other can begin, and then a moment more,
        so that calls that end together are worked on together."""
        wait: float | None = None if not self._idle else 0
        until = 0.0
        while self.under_way:
            ended = self._next(wait)
            if ended is None:
                return
            yield ended
            until = until or time.monotonic() + TOGETHER_SECONDS
            enough = len(self._idle) * 2 >= len(self._all)
            wait = 0 if enough or wait == 0 else max(0, until - time.monotonic())

    def all_ended(self) -> Iterator[tuple[Intent, Outcome]]:
        while self.under_way:
            ended = self._next(None)
            if ended is not None:
                yield ended

    def _next(self, wait: float | None) -> tuple[Intent, Outcome] | None:
        ended = self._manner.next(wait)
        if ended is None:
            return None
        self.under_way -= 1
        self._idle.append(ended.transport)
        if isinstance(ended.outcome, BaseException):
            raise ended.outcome
        return ended.intent, ended.outcome


def alone(mail: Mail, clock: Clock) -> Outcome:
    """One call that no row knows of, on a connection of its own."""
    with Transport() as transport:
        try:
            transport.open()
        except Exception as error:  # backends raise what they like
            return outcomes.of_opening(error)
        return _to_the_end(_hand_over(mail, transport, clock))


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


class _Threads:
    def __init__(self, most: int) -> None:
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="call")
        self._ended: SimpleQueue[Ended] = SimpleQueue()

    def begin(self, intent: Intent, transport: Transport, clock: Clock) -> None:
        self._threads.submit(self._call, intent, transport, clock)

    def next(self, wait: float | None) -> Ended | None:
        try:
            return self._ended.get(timeout=wait) if wait != 0 else self._ended.get_nowait()
        except Empty:
            return None

    def end(self) -> None:
        self._threads.shutdown()

    def _call(self, intent: Intent, transport: Transport, clock: Clock) -> None:
        """In a thread. Whatever happens is told to the thread that waits for it."""
        try:
            outcome: Outcome | BaseException = _to_the_end(_call(intent, transport, clock))
        except BaseException as error:
            outcome = error
        self._ended.put(Ended(intent, outcome, transport))


class _Abreast:
    def __init__(self) -> None:
        self._talking: list[_Talk] = []
        self._ended: list[_Talk] = []

    def begin(self, intent: Intent, transport: Transport, clock: Clock) -> None:
        talk = _Talk(intent, transport, _call(intent, transport, clock))
        talk.step()
        self._talking.append(talk)

    def next(self, wait: float | None) -> Ended | None:
        """Nobody is waited for while another may begin: they would not wait together."""
        if not self._ended and wait is None:
            self._walk()
        if not self._ended:
            return None
        talk = self._ended.pop()
        return Ended(talk.intent, talk.result, talk.transport)

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


def _call(intent: Intent, transport: Transport, clock: Clock) -> Steps:
    """Hand the mail over, unless we were stopped for so long that others have decided."""
    if time.monotonic() - intent.began > HELD_UP_SECONDS:
        return outcomes.never_called("held up between intent and call")
    return (yield from _hand_over(intent.mail, transport, clock))


def _hand_over(mail: Mail, transport: Transport, clock: Clock) -> Steps:
    try:
        return outcomes.accepted((yield from transport.call(mail)))
    except Exception as error:  # whatever it was, the provider may have the mail
        return _failed(error, transport, clock)


def _to_the_end(steps: Steps) -> Outcome:
    """On with it: nobody else is waiting."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome


def _failed(error: Exception, transport: Transport, clock: Clock) -> Outcome:
    try:
        transport.close()
        return outcomes.of_calling(error, now=clock())
    except Exception as second:  # an answer that cannot even be read
        return outcomes.unreadable(second)
