"""Celery as configured: what a worker listens to, and what may never be asked of it."""

from datetime import timedelta

import pytest
from celery import shared_task
from django.conf import settings
from redis import Redis

from config.celery import app


def test_a_plain_worker_listens_to_every_queue_that_tasks_are_routed_to():
    routed = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}
    assert routed | {settings.CELERY_TASK_DEFAULT_QUEUE} == set(app.amqp.queues)


def test_no_time_limit_is_longer_than_a_third_of_the_visibility_timeout():
    visible = settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]
    assert settings.CELERY_TASK_SOFT_TIME_LIMIT < settings.CELERY_TASK_TIME_LIMIT < visible / 3


def test_beat_keeps_fixed_intervals_and_a_late_tick_expires():
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        assert isinstance(entry["schedule"], timedelta)
        assert entry["options"]["expires"] <= entry["schedule"].total_seconds()


@pytest.mark.processes
def test_a_task_is_published_on_its_own_queue_and_keeps_no_result(redis_server):

    @shared_task
    def nothing() -> None:
        """Never run: no worker listens here."""

    client = Redis.from_url(redis_server.client_url)
    client.flushdb()
    with app.connection_for_write(redis_server.broker_url) as connection:
        nothing.apply_async(connection=connection)
        nothing.apply_async(connection=connection, queue="webhook")
    assert (client.llen("send"), client.llen("webhook"), client.llen("periodic")) == (1, 1, 0)
    assert not client.keys("celery-task-meta-*")
