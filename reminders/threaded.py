"""Calls to a provider's API: each waits for its answer in a thread."""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue

from reminders import calling, outcomes
from reminders.calling import Ended, Intent, to_the_end
from reminders.outcomes import Outcome, Way
from reminders.timekeeping import Clock
from reminders.transport import Transport

# For so many connections one more call is recorded, and waits for the next that is free.
WAITING_SHARE = 2


class Threaded:
    """As long as all goes well, no thread has to wait until the next call has been recorded: a few
    are recorded already. At the first trouble they are called off."""

    def __init__(self, transports: Sequence[Transport]) -> None:
        self._waiting_at_most = len(transports) // WAITING_SHARE
        self._room = len(transports) + self._waiting_at_most
        self._most = self._room
        self._free = deque(transports)
        self._threads = ThreadPoolExecutor(len(transports), thread_name_prefix="call")
        self._ended: SimpleQueue[Ended] = SimpleQueue()
        self._trouble = False

    @property
    def idle(self) -> int:
        return self._room

    ready = idle

    @property
    def pressing(self) -> bool:
        """Whether half of the places for those that wait are empty."""
        return self._room > 0 and self._room * 2 >= self._waiting_at_most

    def open(self, count: int) -> Outcome | None:
        """The threads open what they need. Here it is only seen whether that can be done."""
        if self._room == self._most:
            try:
                self._free[-1].open()
            except Exception as error:  # backends raise what they like
                return outcomes.of_opening(error)
        return None

    def begin(self, intent: Intent, clock: Clock) -> None:
        self._threads.submit(self._call, intent, clock)
        self._room -= 1

    def next(self, *, wait: bool) -> Ended | None:
        try:
            ended = self._ended.get(block=wait)
        except Empty:
            return None
        self._room += 1
        if self._room == self._most:
            self._trouble = False
        return ended

    def end(self) -> None:
        self._threads.shutdown()

    def _call(self, intent: Intent, clock: Clock) -> None:
        """In a thread. Whatever happens is told to the thread that waits for it."""
        transport = self._free.pop()
        try:
            outcome: Outcome | BaseException = self._outcome(intent, transport, clock)
        except BaseException as error:
            outcome = error
        self._free.append(transport)
        if isinstance(outcome, BaseException) or outcome.way not in (Way.GOOD, Way.UNTRIED):
            self._trouble = True
        self._ended.put(Ended(intent, outcome))

    def _outcome(self, intent: Intent, transport: Transport, clock: Clock) -> Outcome:
        if self._trouble:
            return outcomes.never_called("called off")
        try:
            transport.open()
        except Exception as error:  # backends raise what they like
            return outcomes.of_opening(error)
        return to_the_end(calling.call(intent, transport, clock))
