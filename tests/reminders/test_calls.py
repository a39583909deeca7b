"""Several calls under way: what is known of one is never lost to what happens to another."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db import OperationalError

from devtools.servers.provider import Behaviour
from reminders import calling, calls, dispatch, intending, outcomes
from reminders.calls import Calls
from reminders.models import Attempt, Message, State
from reminders.outcomes import Came, Way
from tests.builders import make_course
from tests.reminders.letters import drain_at, intended, make_message

MINUTE = timedelta(minutes=1)


@pytest.fixture
def postmark(provider, settings):
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    settings.ANYMAIL = {**settings.ANYMAIL, **provider.anymail_settings}
    return provider


@pytest.fixture
def three(clinic, now) -> list[Message]:
    return [
        make_message(make_course(clinic, now=now, mrn=f"M{n}", name=f"P {n}"), now=now)
        for n in range(3)
    ]


def test_a_failure_that_cannot_be_read_leaves_doubt_and_nothing_worse(
    message, mail_server, monkeypatch, now
):
    def unreadable(*args, **more):
        raise RecursionError

    mail_server.answer = "451 later"
    monkeypatch.setattr(outcomes, "of_calling", unreadable)
    drain_at(now)
    message.refresh_from_db()
    assert message.state == State.UNKNOWN
    assert Attempt.objects.get().outcome == Came.UNKNOWN


class Died(BaseException):
    """A thread ends as no code of ours ends one."""


def test_one_thread_that_dies_costs_the_others_nothing(three, postmark, monkeypatch, now):
    call, dying = calling.call, [three[0].pk]

    def die_once(intent, *args):
        if intent.call.row.pk in dying:
            raise Died
        return call(intent, *args)

    monkeypatch.setattr(calling, "call", die_once)
    with pytest.raises(Died):
        drain_at(now)
    states = dict(Message.objects.values_list("pk", "state"))
    assert states.pop(three[0].pk) == State.SENDING  # until its lease is over
    assert set(states.values()) <= {State.ACCEPTED, State.SCHEDULED}  # sent, or called off
    assert len(postmark.accepted) == list(states.values()).count(State.ACCEPTED)


def test_at_the_first_trouble_the_calls_that_wait_for_a_connection_are_called_off(
    three, postmark, settings, now
):
    settings.MAIL_CONNECTIONS = 2  # for which a third call is recorded ahead
    postmark.next += [Behaviour.ANSWER_500, Behaviour.ANSWER_500]
    drain_at(now)
    came = Counter(Attempt.objects.values_list("outcome", "error"))
    off = came[Came.NOT_SENT, "called off"]
    assert off >= 1  # or two, where the first call failed before the second had begun
    waiting = Message.objects.filter(state=State.SCHEDULED)
    assert set(waiting.values_list("attempts", flat=True)) == {0}
    assert (waiting.count(), Message.objects.filter(state=State.UNKNOWN).count()) == (off, 3 - off)
    postmark.next.clear()
    drain_at(now + MINUTE)
    assert Message.objects.filter(state=State.ACCEPTED).count() == off


def test_over_an_api_a_few_calls_wait_for_a_connection(message, postmark, now):
    with Calls(4) as calls:
        assert (calls.idle, calls.ready, calls.under_way) == (6, 6, 0)
        assert calls.open(6) is None
        intent = intended(message, now, lane="postmark")
        calls.start(intent, lambda: now)
        assert (calls.idle, calls.under_way) == (5, 1)
        ((ended, outcome),) = calls.all_ended()
        assert (ended, outcome.way) == (intent, Way.GOOD)
        assert (calls.idle, calls.under_way) == (6, 0)


def test_a_server_that_allows_fewer_connections_is_used_as_far_as_it_goes(
    three, mail_server, monkeypatch, now
):
    opened = []

    def open_two(transport):
        if len(opened) >= 2 and transport not in opened:
            raise ConnectionRefusedError
        opened.append(transport)
        return real(transport)

    real = calls.Transport.open
    monkeypatch.setattr(calls.Transport, "open", open_two)
    assert drain_at(now) == 3
    assert set(Message.objects.values_list("state", flat=True)) == {State.ACCEPTED}


def test_as_many_calls_are_under_way_as_there_are_connections(message, mail_server, now):
    with Calls(2) as calls:
        assert (calls.idle, calls.ready, calls.under_way) == (2, 0, 0)
        assert calls.open(2) is None
        intent = intended(message, now)
        calls.start(intent, lambda: now)
        assert (calls.idle, calls.under_way) == (1, 1)
        ((ended, outcome),) = calls.all_ended()
        assert (ended, outcome.way) == (intent, Way.GOOD)
        assert (calls.idle, calls.under_way) == (2, 0)


def test_a_drain_ends_in_time_for_its_task_to_end(settings):
    """Its time, and one last call through a slow server, stay within what Celery allows."""
    connect, read = settings.ANYMAIL["REQUESTS_TIMEOUT"]
    assert dispatch.DRAIN_SECONDS + connect + read < settings.CELERY_TASK_SOFT_TIME_LIMIT


def test_what_is_known_is_recorded_also_when_the_next_cannot_begin(
    three, mail_server, settings, monkeypatch, now
):
    settings.MAIL_CONNECTIONS = 1
    intend_all, left = intending.intend_all, [None]

    def fail_the_second_time(*args, **more):
        if left:
            left.pop()
            return intend_all(*args, **more)
        raise OperationalError

    monkeypatch.setattr(intending, "intend_all", fail_the_second_time)
    with pytest.raises(OperationalError):
        drain_at(now)
    states = Counter(Message.objects.values_list("state", flat=True))
    assert states == {State.ACCEPTED: 1, State.SCHEDULED: 2}


def test_trouble_is_recorded_and_heeded_before_another_call_begins(
    three, mail_server, settings, monkeypatch, now
):
    settings.MAIL_CONNECTIONS = 1
    mail_server.answer = "451 later"
    order: list[str] = []
    begin, record = Calls.start, dispatch.settle_all

    def started(*args):
        order.append("call")
        return begin(*args)

    def recorded(*args, **more):
        order.append("record")
        return record(*args, **more)

    monkeypatch.setattr(Calls, "start", started)
    monkeypatch.setattr(dispatch, "settle_all", recorded)
    drain_at(now)
    assert order[:2] == ["call", "record"]
