"""Several calls at once: each on a connection of its own, in a thread that knows nothing of rows.

Everything that touches the database stays on the caller's thread.
"""

import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from reminders import outcomes
from reminders.claiming import LEASE
from reminders.emails import Mail
from reminders.outcomes import Outcome
from reminders.settling import Call
from reminders.timekeeping import Clock
from reminders.transport import Transport

HELD_UP_SECONDS = LEASE.total_seconds() / 2  # from the intent; a process stopped for longer is out


@dataclass(frozen=True, slots=True)
class Intent:
    """A call that has been recorded and may now be made. `began` is monotonic, before the gate."""

    call: Call
    mail: Mail
    began: float


class Calls:
    """At most `most` calls under way."""

    def __init__(self, most: int) -> None:
        self._idle = [Transport() for _ in range(most)]
        self._all = tuple(self._idle)
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="call")
        self._under_way: dict[Future[Outcome], tuple[Intent, Transport]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._threads.shutdown()
        for transport in self._all:
            transport.close()

    @property
    def lane(self) -> str:
        return self._all[0].lane

    @property
    def busy(self) -> bool:
        """Whether one must end before another can begin."""
        return not self._idle

    @property
    def under_way(self) -> bool:
        return bool(self._under_way)

    def open(self) -> Outcome | None:
        """Connect before any intent: a server that is away leaves nothing `unknown`."""
        try:
            self._idle[-1].open()
        except Exception as error:  # backends raise what they like
            return outcomes.of_opening(error)
        return None

    def start(self, intent: Intent, clock: Clock) -> None:
        """On the connection that `open` opened."""
        transport = self._idle.pop()
        call = self._threads.submit(_call, intent, transport, clock)
        self._under_way[call] = (intent, transport)

    def ended(self, *, at_least: int = 0) -> Iterator[tuple[Intent, Outcome]]:
        """Calls that have ended; waits until there are `at_least` so many, or none is left."""
        while self._under_way:
            done = [call for call in self._under_way if call.done()]
            if not done and at_least <= 0:
                return
            if not done:
                wait(self._under_way, return_when=FIRST_COMPLETED)
                continue
            for call in done:
                intent, transport = self._under_way.pop(call)
                self._idle.append(transport)
                at_least -= 1
                yield intent, call.result()


def _call(intent: Intent, transport: Transport, clock: Clock) -> Outcome:
    """Hand the mail over, unless we were stopped for so long that others have decided."""
    if time.monotonic() - intent.began > HELD_UP_SECONDS:
        return outcomes.never_called("held up between intent and call")
    try:
        return outcomes.accepted(transport.call(intent.mail))
    except Exception as error:  # whatever it was, the provider may have the mail
        transport.close()
        return outcomes.of_calling(error, now=clock())
