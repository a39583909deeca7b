"""Once a day an e-mail to a mailbox of the operators, over the way of every notice to staff.

Beat wakes a worker, the worker asks the database and calls the provider: what the mailbox holds
proves all of them. It says nothing, so a second one does no harm: after a crash it goes again.
"""

import uuid
from datetime import datetime, timedelta

from django.conf import settings

from reminders import calls, emails, lanes, pulses
from reminders.letters import Letter, mailbox
from reminders.models import Attempt, Pulse
from reminders.timekeeping import Clock

EVERY = timedelta(hours=24)
AGAIN = timedelta(minutes=15)  # when the last try came to nothing, or its worker died


def is_due(*, now: datetime) -> bool:
    """No query where HEARTBEAT_TO is empty."""
    if not settings.HEARTBEAT_TO or settings.MAIL_MODE == "hold":
        return False
    names = (pulses.HEARTBEAT, pulses.HEARTBEAT_TRIED)
    at = dict(Pulse.objects.filter(name__in=names).values_list("name", "at"))
    accepted, tried = (at.get(name) for name in names)
    return (accepted is None or accepted <= now - EVERY) and (tried is None or tried <= now - AGAIN)


def send(*, clock: Clock) -> bool:
    """Whether one was accepted now. Of two workers one sends."""
    lane, now = lanes.current(), clock()
    if not is_due(now=now) or not lanes.is_open(lane, now=now) or not _is_mine(now):
        return False
    outcome = calls.alone(emails.write(letter(), lane), clock)
    lanes.note(lane, outcome, now=clock())
    if outcome.came != Attempt.Outcome.ACCEPTED:
        return False
    pulses.beat(pulses.HEARTBEAT, now=clock())
    return True


def letter() -> Letter:
    return Letter(
        template="heartbeat",
        ref=str(uuid.uuid4()),
        to=mailbox(settings.HEARTBEAT_TO),
        sender="Afterglow",
        language="en",
        message_id=uuid.uuid4(),
        stored={},
        context={"sender": "Afterglow"},
    )


def _is_mine(now: datetime) -> bool:
    first = Pulse(name=pulses.HEARTBEAT_TRIED, at=now - AGAIN)
    Pulse.objects.bulk_create([first], ignore_conflicts=True)
    waiting = Pulse.objects.filter(name=pulses.HEARTBEAT_TRIED, at__lte=now - AGAIN)
    return waiting.update(at=now) == 1
