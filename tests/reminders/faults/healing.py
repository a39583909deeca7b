"""What another process does about what a dead one left, once its lease is over."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from reminders import replaying, ticking
from reminders.models import Message
from reminders.timekeeping import database_clock
from tests.reminders.faults.conftest import LEASE_SECONDS
from tests.reminders.letters import drain_at

SOON = timedelta(seconds=1)


def states() -> Counter[str]:
    found = Message.objects.filter(kind="invitation").values_list("state", flat=True)
    return Counter(str(state) for state in found)


def heal() -> datetime:
    """As if the lease were over and a little more: tick, drain, and what waited a minute."""
    now = database_clock()() + timedelta(seconds=LEASE_SECONDS) + SOON
    for moment in (now, now + replaying.FIRST):
        ticking.tick(now=moment)
        drain_at(moment)
    return moment


def until(done: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, states()
        time.sleep(0.02)


def today() -> datetime:
    return datetime.now(UTC)
