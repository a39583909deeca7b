"""Send what is due.

The promise: at most one acceptance by the provider for each message, unless a person decides
otherwise; every message ends in a terminal state or on the list of `unknown`; nothing goes in
quiet hours, after its window, or after the patient answered, withdrew, unsubscribed or died.

    claim    a batch of rows gets our token and a lease       a crash: back to scheduled
    gate     every reason not to send, read again under lock  a crash: back to scheduled
    intent   the row says `sending`, an attempt is written    a crash: `unknown`, never sent again
    call     the provider; no transaction is open             a crash: `unknown`
    settle   what came of it, if the lease is still ours      a crash: `unknown`

`unknown` is settled by the provider's events, by the same call repeated where the provider knows
our key, or by a person. A notice to staff differs in one thing: after `unknown` it goes again,
until somebody takes its alert.
"""

import time
from collections.abc import Callable, Iterator

from django.conf import settings

from reminders import claiming, intending, lanes, replaying
from reminders.batches import LOW, Batches
from reminders.calling import Intent
from reminders.calls import Calls
from reminders.lanes import Admission
from reminders.outcomes import Outcome, Way
from reminders.preparing import Prepared
from reminders.settling import settle_all
from reminders.timekeeping import Clock

Stop = Callable[[], bool]

DRAIN_SECONDS = 30  # then a slow last call still ends before the task is ended


def drain(*, clock: Clock, stop: Stop = lambda: False, seconds: float = DRAIN_SECONDS) -> int:
    """Send until nothing is due, `stop` says so or the time is up. Returns the calls tried."""
    if settings.MAIL_MODE == "hold":
        return 0
    ends = time.monotonic() + seconds
    with Calls(settings.MAIL_CONNECTIONS) as calls, Batches(calls.lane, clock) as batches:
        return _Drain(calls, batches, clock, lambda: stop() or time.monotonic() > ends).run()


class _Drain:
    """One drain: claims batch after batch, and has up to so many calls under way at once."""

    def __init__(self, calls: Calls, batches: Batches, clock: Clock, over: Stop) -> None:
        self.calls = calls
        self.batches = batches
        self.clock = clock
        self.over = over
        self.tried = 0
        self.wary = False  # there was trouble lately: the lane is told of every outcome
        self.probing = False  # one message is to find out whether an open circuit may close
        self.trouble = False  # nothing more may be begun before the lane has been asked again

    def run(self) -> int:
        try:
            while not self.over() and self._batch():
                self.trouble = False
        finally:
            self._settle_all()
        return self.tried

    def _batch(self) -> bool:
        """Claim and send one batch. False: there is nothing to do now."""
        admission = lanes.admit(self.calls.lane, now=self.clock())
        if admission is Admission.NONE:
            return False
        if admission is Admission.PROBE:
            self._settle_all()  # so that what ends next is the probe
        self.wary = admission is not Admission.FREE
        self.probing = admission is Admission.PROBE
        tried = self.tried
        self._ask_again()
        if self.probing and self.tried > tried:
            return True
        batch = self.batches.one() if self.probing else self.batches.next()
        if not self.probing and not lanes.is_open(self.calls.lane, now=self.clock()):
            claiming.release_rest([each.row for each in batch])  # another drain shut it meanwhile
            return False
        self._work_off(batch)
        if self.probing and self.tried == tried:
            lanes.hand_back(self.calls.lane, now=self.clock())
        return bool(batch) or self._was_waiting()

    def _ask_again(self) -> None:
        """Where the provider knows our key, an `unknown` resolves itself."""
        for attempt in replaying.due(self.calls.lane, now=self.clock()):
            self._settle(self.calls.some_ended())
            if self.trouble or self.over() or not self._connected():
                break
            intent = replaying.intend(attempt, self.calls.lane, now=self.clock())
            if intent is None:
                continue
            self.calls.start(intent, self.clock)
            self.tried += 1
            if self.probing:
                self._settle_all()
                break

    def _connected(self) -> bool:
        """A repeat is not used up on a provider that cannot be reached."""
        return self.calls.open(1) is None and self.calls.ready > 0

    def _was_waiting(self) -> bool:
        """Nothing more is due, unless what is under way comes back."""
        waiting = self.calls.under_way > 0
        self._settle_all()
        return waiting

    def _work_off(self, batch: list[Prepared]) -> None:
        """Send the claimed rows; give back the rest when the way out is in doubt."""
        waiting = batch
        try:
            while waiting:
                self._settle(self.calls.some_ended())
                if self.trouble or self.over():
                    break
                sent = self._send(waiting[: self.calls.idle])
                waiting = waiting[sent:]
                if len(waiting) <= LOW:
                    self.batches.look_ahead()
        except Exception:  # the database failed us: the others need not wait for their lease
            claiming.release_rest([each.row for each in batch])
            raise
        claiming.release_rest([each.row for each in waiting])
        if self.trouble or self.probing:
            self._settle_all()

    def _send(self, group: list[Prepared]) -> int:
        """One row for each connection that is free. Returns how many rows were dealt with."""
        unreachable = self.calls.open(len(group))
        if unreachable is not None:
            self.tried += 1
            self._note(unreachable)
            return 0
        group = group[: self.calls.ready]
        way = intending.Way(self.calls.lane, self.probing)
        for intent in intending.intend_all(group, way, clock=self.clock):
            self.tried += 1
            self.calls.start(intent, self.clock)
        return len(group)

    def _settle_all(self) -> None:
        self._settle(self.calls.all_ended())

    def _settle(self, ended: Iterator[tuple[Intent, Outcome]]) -> None:
        """Those that ended together are recorded together, each if need be by itself."""
        calls: list[tuple[Intent, Outcome]] = []
        try:
            calls.extend(ended)
        finally:  # also what is known of the others when one thread died
            if calls:
                settle_all([(intent.call, outcome) for intent, outcome in calls], now=self.clock())
        for _, outcome in calls:
            self._note(outcome)

    def _note(self, outcome: Outcome) -> None:
        if outcome.way is not Way.GOOD or self.wary:
            lanes.note(self.calls.lane, outcome, probing=self.probing, now=self.clock())
        if outcome.way not in (Way.GOOD, Way.UNTRIED):
            self.trouble = self.wary = True
