"""One batch of due rows after the other, the next fetched while the last is sent.

To claim, read and write a batch takes half as long as to send it, and no connection to the provider
should wait for that. On PostgreSQL a thread with a database connection of its own does it. SQLite
has one writer: there nothing is fetched ahead.
"""

import sys
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

from django.db import connection

from reminders import claiming, preparing
from reminders.claiming import BATCH, Taken
from reminders.models import Notice
from reminders.preparing import Prepared
from reminders.timekeeping import Clock
from reminders.turns import Turns

FIRST = 40  # so that the first mail need not wait until a whole batch has been read
# While one thread reads and writes a batch, the other has to be let in after every answer.
SWITCH_SECONDS = 0.0005
LOW = BATCH // 2  # with so many left the next batch is fetched: early enough, and still fresh then


class Batches:
    """What is due, for one drain. What was fetched in vain is given back in the end."""

    def __init__(self, lane: str, clock: Clock) -> None:
        self._lane = lane
        self._clock = clock
        self._turns = Turns()
        self._limit = FIRST
        self._more = False  # the last one was as large as it might be
        self._ahead: Future[list[Prepared]] | None = None
        self._thread: ThreadPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.give_back()
        finally:
            if self._thread is not None:
                self._thread.submit(_hang_up)
                self._thread.shutdown()

    def next(self) -> list[Prepared]:
        """Empty: nothing is due. Notices go first, also before what has been fetched already."""
        if self._ahead is None:
            return self._fetch(self._limit)
        urgent = claiming.take(Notice, BATCH, now=self._clock())
        if urgent.ids:
            return self._prepared(urgent)
        ahead, self._ahead = self._ahead, None
        return ahead.result() or self._fetch(self._limit)

    def one(self) -> list[Prepared]:
        """A single row, and nothing else in our hands."""
        self.give_back()
        return self._fetch(1)

    def look_ahead(self) -> None:
        """Begin to fetch the next batch, if there may be one."""
        if self._ahead is None and self._more and _has_threads():
            sys.setswitchinterval(SWITCH_SECONDS)
            self._thread = self._thread or ThreadPoolExecutor(1, thread_name_prefix="batch")
            self._ahead = self._thread.submit(self._fetch, self._limit)

    def give_back(self) -> None:
        """What was fetched ahead is due as it was."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            claiming.release_rest([each.row for each in ahead.result()])

    def _fetch(self, limit: int) -> list[Prepared]:
        """On whichever thread, but never on both: the other waits for what this one fetches."""
        taken = claiming.take_next(self._turns, limit, now=self._clock())
        self._more = len(taken.ids) == limit
        self._limit = BATCH
        return self._prepared(taken)

    def _prepared(self, taken: Taken[Any]) -> list[Prepared]:
        return preparing.prepare(taken, self._lane, now=self._clock())


def _has_threads() -> bool:
    """Another connection sees nothing of a transaction that is open on this one."""
    return connection.vendor == "postgresql" and not connection.in_atomic_block


def _hang_up() -> None:
    """In the thread, whose connection it is."""
    connection.close()
