"""Each part of the engine says when it last did its work: health is progress, not a process."""

from datetime import datetime

from reminders.models import Pulse

TICK = "tick"
SENDS = "sends"  # a drain of messages and notices ended as it should
EVENTS = "events"  # a drain of providers' reports did
HEARTBEAT = "heartbeat"  # the daily e-mail to the operators was accepted
HEARTBEAT_TRIED = "heartbeat tried"
LOOP = "run_engine"  # the engine that needs no Celery and no Redis goes round


def beat(name: str, *, now: datetime) -> None:
    """One statement, whoever else beats at the same moment. `now` is the database's."""
    Pulse.objects.bulk_create(
        [Pulse(name=name, at=now)],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["at"],
    )
