"""Two thousand due messages, four drains at once, a worker killed half way, Redis flushed once.

The mail server's own list is the judge: nobody is mailed twice, and nothing is lost.
"""

import logging
from collections import Counter

import pytest
from django.db import models
from django.utils import timezone
from redis import Redis

from reminders.models import Attempt, Message, State
from reminders.models.claims import TERMINAL
from tests.reminders.crowd import make_crowd, wait_until

pytestmark = pytest.mark.processes

DUE = 2000
ENOUGH = 600  # that one connection is not done with before it is asked to stop
CONNECTIONS = 8
IN_FLIGHT = 2 * CONNECTIONS  # calls that the killed worker's two processes could be in


def unsettled() -> models.QuerySet[Message]:
    return Message.objects.filter(
        kind=Message.Kind.INVITATION, state__in=[State.SCHEDULED, State.CLAIMED, State.SENDING]
    )


def test_a_storm_loses_nothing_and_mails_nobody_twice(stack, redis_server, smtp_server, caplog):
    caplog.set_level(logging.WARNING, logger="mail.log")  # the server's, a dozen lines a mail
    make_crowd(DUE, now=timezone.now())
    stack.env |= {"TICK_SECONDS": "1", "LEASE_SECONDS": "15", "MAIL_CONNECTIONS": str(CONNECTIONS)}
    stack.start_worker("worker-1", concurrency=2)
    victim = stack.start_worker("worker-2", concurrency=2)
    stack.start_beat()

    wait_until(lambda: len(smtp_server.messages) >= DUE / 4, 240)
    Redis.from_url(redis_server.client_url).flushall()
    wait_until(lambda: len(smtp_server.messages) >= DUE / 2, 240)
    victim.kill()
    stack.start_worker("worker-3", concurrency=2)

    wait_until(lambda: not unsettled().exists(), 240)

    invitations = Message.objects.filter(kind=Message.Kind.INVITATION)
    received = Counter(taken.recipients for taken in smtp_server.messages)
    assert set(received.values()) == {1}
    assert invitations.count() == DUE
    assert not invitations.exclude(state__in=[*TERMINAL, State.UNKNOWN]).exists()
    unknown = invitations.filter(state=State.UNKNOWN).count()
    accepted = invitations.filter(state=State.ACCEPTED).count()
    assert unknown <= IN_FLIGHT
    assert accepted + unknown == DUE
    assert accepted <= len(received) <= accepted + unknown
    live = [Attempt.Outcome.ACCEPTED, Attempt.Outcome.UNKNOWN]
    assert Attempt.objects.filter(outcome__in=live).count() == DUE


def test_a_worker_that_is_asked_to_stop_finishes_its_call_and_begins_no_other(
    stack, smtp_server, caplog
):
    caplog.set_level(logging.WARNING, logger="mail.log")
    make_crowd(ENOUGH, now=timezone.now())
    stack.env |= {"TICK_SECONDS": "1", "MAIL_CONNECTIONS": "1"}  # so that it is not done too soon
    worker = stack.start_worker()
    stack.start_beat()
    wait_until(lambda: len(smtp_server.messages) >= 10, 120)
    worker.stop(60)
    invitations = Message.objects.filter(kind=Message.Kind.INVITATION)
    left = dict(invitations.values_list("state").annotate(n=models.Count("pk")).order_by())
    assert set(left) == {State.ACCEPTED, State.SCHEDULED}, "nothing held, nothing in doubt"
    assert left[State.ACCEPTED] == len(smtp_server.messages) < ENOUGH
