"""Several calls at once, each on a connection of its own. None of them knows anything of rows.

A provider's API is called from threads; everything that touches the database stays on the caller's
thread. Over SMTP the calls go abreast, on the caller's thread.
"""

from collections.abc import Iterator
from types import TracebackType
from typing import Protocol, Self

from reminders import outcomes
from reminders.abreast import Abreast
from reminders.calling import Ended, Intent, hand_over, to_the_end
from reminders.emails import Mail
from reminders.outcomes import Outcome
from reminders.threaded import Threaded
from reminders.timekeeping import Clock
from reminders.transport import Transport


class _Manner(Protocol):
    """How calls are made at the same time."""

    @property
    def idle(self) -> int:
        """How many calls may be begun now, as far as we know."""

    @property
    def ready(self) -> int:
        """How many may be begun now on connections that are open."""

    @property
    def pressing(self) -> bool:
        """Whether a connection has nothing to do, or soon will have."""

    def open(self, count: int) -> Outcome | None: ...

    def begin(self, intent: Intent, clock: Clock) -> None: ...

    def next(self, *, wait: bool) -> Ended | None:
        """One that has ended. There is at least one under way."""

    def end(self) -> None: ...


class Calls:
    """Calls under way, at most one on each of `most` connections; over an API a few more, which
    wait for the first connection that is free."""

    def __init__(self, most: int) -> None:
        self._transports = tuple(Transport() for _ in range(most))
        smtp = self._transports[0].is_smtp
        self._manner: _Manner = (Abreast if smtp else Threaded)(self._transports)
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
        for transport in self._transports:
            transport.close()

    @property
    def lane(self) -> str:
        return self._transports[0].lane

    @property
    def idle(self) -> int:
        """How many calls may be begun now."""
        return self._manner.idle

    @property
    def ready(self) -> int:
        """How many of them, after `open`."""
        return self._manner.ready

    def open(self, count: int) -> Outcome | None:
        """Connect before any intent: a server that is away leaves nothing `unknown`.

        One that allows fewer connections than we would like is used as far as it goes. Afterwards
        `ready` says how many calls may be begun.
        """
        return self._manner.open(count)

    def start(self, intent: Intent, clock: Clock) -> None:
        """One of those that are `ready`."""
        self._manner.begin(intent, clock)
        self.under_way += 1

    def some_ended(self) -> Iterator[tuple[Intent, Outcome]]:
        """The calls that have ended; waits for them until others are needed."""
        while self.under_way:
            ended = self._next(wait=not self._manner.pressing)
            if ended is None:
                return
            yield ended

    def all_ended(self) -> Iterator[tuple[Intent, Outcome]]:
        while self.under_way:
            ended = self._next(wait=True)
            if ended is not None:
                yield ended

    def _next(self, *, wait: bool) -> tuple[Intent, Outcome] | None:
        ended = self._manner.next(wait=wait)
        if ended is None:
            return None
        self.under_way -= 1
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
        return to_the_end(hand_over(mail, transport, clock))
