"""Celery's entry points: alarm clocks without a payload. What is due stands in the database."""

import logging
import uuid
from multiprocessing.sharedctypes import RawValue
from typing import Any

from celery import current_app, shared_task
from celery.signals import worker_shutting_down
from django.conf import settings
from django.dispatch import receiver
from kombu.exceptions import OperationalError

from reminders import delivery, dispatch, heartbeat, notices, pulses, ticking
from reminders.timekeeping import database_clock
from surveys.signals import alert_raised

logger = logging.getLogger(__name__)

# A patient's page waits while we publish: without a broker it must not wait long.
_IMPATIENT = {"max_retries": 0, "socket_connect_timeout": 1, "socket_timeout": 2}

_NOTHING = ticking.Work(drains=0, event_drains=0)

# Made before the worker forks, so that the parent can ask its children to stop before a new intent.
_stopping = RawValue("b", 0)


@shared_task(ignore_result=True)
def tick() -> None:
    """Do what time made necessary, and wake as many drains as there is work for: first for what is
    due already, then for what planning brought."""
    clock = database_clock()
    ticking.heal(now=clock())
    woken = _wake(ticking.work(now=clock()))
    ticking.look_ahead(now=clock())
    _wake(ticking.work(now=clock()), already=woken)


def _wake(work: ticking.Work, already: ticking.Work = _NOTHING) -> ticking.Work:
    for _ in range(work.drains - already.drains):
        drain.apply_async(expires=settings.TICK_SECONDS)
    for _ in range(work.event_drains - already.event_drains):
        drain_events.apply_async(expires=settings.TICK_SECONDS)
    return work


@shared_task(ignore_result=True)
def drain() -> None:
    clock = database_clock()
    dispatch.drain(clock=clock, stop=stopping)
    heartbeat.send(clock=clock)
    pulses.beat(pulses.SENDS, now=clock())


@shared_task(ignore_result=True)
def drain_events() -> None:
    clock = database_clock()
    delivery.drain_events(clock=clock, stop=stopping)
    pulses.beat(pulses.EVENTS, now=clock())


@receiver(alert_raised, dispatch_uid="reminders.tasks")
def tell_responders(sender: Any, alert_id: uuid.UUID, **kwargs: Any) -> None:
    """An alert does not wait for the tick, which would find it as well."""
    notices.create_for(alert_id, now=database_clock()())
    wake_drain()


def wake_drain() -> None:
    """Only hastens: if the broker is away, the tick finds the same rows."""
    options = {**settings.CELERY_BROKER_TRANSPORT_OPTIONS, **_IMPATIENT}
    try:
        with current_app.connection_for_write(transport_options=options) as connection:
            drain.apply_async(connection=connection, expires=settings.TICK_SECONDS, retry=False)
    except OperationalError:
        logger.warning("the broker is away: the next tick sends what is due")


def stopping() -> bool:
    return bool(_stopping.value)


@worker_shutting_down.connect
def _stop(**kwargs: Any) -> None:
    _stopping.value = 1
