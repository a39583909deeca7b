"""Tick and drain in one process, without Celery or Redis: the simplest deployment, and the way on
when the broker is away. Any number may run, beside workers too."""

import gc
import logging
import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, close_old_connections, connection

from reminders import delivery, dispatch, heartbeat, pulses, ticking
from reminders.dispatch import Stop
from reminders.timekeeping import database_clock

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Plan, send and apply providers' reports until stopped; SIGTERM finishes what is begun."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="one round, then end")

    def handle(self, *args: Any, once: bool = False, **options: Any) -> None:
        stopping = threading.Event()
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signal_number, lambda number, frame: stopping.set())
        logger.info("the engine is ready")
        gc.freeze()  # what is loaded by now stays: not to be looked through again and again
        while not stopping.is_set():
            try:
                one_round(stopping.is_set)
            except DatabaseError as error:
                if once:
                    raise
                self.stderr.write(f"the database is away: {type(error).__name__}")
                connection.close()
            except Exception:  # like a failed task: logged without its text, and the next comes
                if once:
                    raise
                logger.exception("a round failed")
            if once:
                break
            stopping.wait(settings.TICK_SECONDS)


def one_round(stop: Stop) -> None:
    """A tick, and all the work it finds."""
    close_old_connections()
    ticking.tick(now=database_clock()())
    dispatch.drain(clock=database_clock(), stop=stop)
    heartbeat.send(clock=database_clock())
    delivery.drain_events(clock=database_clock(), stop=stop)
    pulses.beat(pulses.LOOP, now=database_clock()())
