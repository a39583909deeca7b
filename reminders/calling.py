"""One call to the provider, from its intent to what came of it. Knows nothing of the database."""

import time
from collections.abc import Generator
from dataclasses import dataclass

from reminders import outcomes
from reminders.claiming import LEASE
from reminders.emails import Mail
from reminders.outcomes import Outcome
from reminders.settling import Call
from reminders.timekeeping import Clock
from reminders.transport import Transport

Steps = Generator[None, None, Outcome]

HELD_UP_SECONDS = LEASE.total_seconds() / 2  # from the intent; a process stopped for longer is out


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


def call(intent: Intent, transport: Transport, clock: Clock) -> Steps:
    """Hand the mail over, unless we were stopped for so long that others have decided."""
    if time.monotonic() - intent.began > HELD_UP_SECONDS:
        return outcomes.never_called("held up between intent and call")
    return (yield from hand_over(intent.mail, transport, clock))


def hand_over(mail: Mail, transport: Transport, clock: Clock) -> Steps:
    try:
        return outcomes.accepted((yield from transport.call(mail)))
    except Exception as error:  # whatever it was, the provider may have the mail
        return _failed(error, transport, clock)


def to_the_end(steps: Steps) -> Outcome:
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
