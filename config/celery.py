"""Celery carries wake-ups, never payloads: the database is the schedule.

Settings come from `config.settings` under the CELERY_ prefix.
"""

import gc
import logging.config
import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging, task_postrun, task_prerun, worker_process_init
from django.conf import settings
from structlog.contextvars import bind_contextvars, unbind_contextvars

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("afterglow")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def _log_as_everybody_else(**kwargs: Any) -> None:
    """Celery's own handlers would write exceptions with their texts."""
    logging.config.dictConfig(settings.LOGGING)


@task_prerun.connect
def _name_the_task(task_id: str, **kwargs: Any) -> None:
    bind_contextvars(task_id=task_id)


@task_postrun.connect
def _forget_the_task(**kwargs: Any) -> None:
    unbind_contextvars("task_id")


@worker_process_init.connect
def _freeze(**kwargs: Any) -> None:
    """What was loaded before the first task lives as long as the process: the garbage collector
    need not look through it again, which took a tenth of a drain's time."""
    gc.collect()
    gc.freeze()
