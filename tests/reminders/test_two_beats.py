"""Two beats and two workers do no more than one; a beat that dies and comes back does no less.

The mail server's own list is the judge.
"""

import logging
from collections import Counter
from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from devtools.processes import Child
from devtools.stack import Stack
from reminders.models import Message, Pulse, State
from tests.reminders.crowd import make_crowd, wait_until

pytestmark = pytest.mark.processes

FIRST, LATER = 40, 20


@pytest.fixture
def beats(stack, tmp_path):
    """Starts beats, each with a folder of its own, as if on hosts of their own."""
    stack.env["TICK_SECONDS"] = "1"

    def start(name: str) -> Child:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        child = Stack(stack.env, folder).start_beat()
        stack.children.append(child)
        return child

    return start


def accepted() -> int:
    return Message.objects.filter(kind="invitation", state=State.ACCEPTED).count()


def last_tick():
    return Pulse.objects.get(name="tick").at


def has_woken(beat: Child) -> bool:
    return "Sending due task tick" in beat.written()


def test_two_beats_send_once_and_a_beat_that_keeps_dying_is_enough(
    stack, beats, smtp_server, caplog
):
    caplog.set_level(logging.WARNING, logger="mail.log")
    now = timezone.now()
    make_crowd(FIRST + LATER, now=now)
    put_off = list(Message.objects.values_list("pk", flat=True)[:LATER])
    Message.objects.filter(pk__in=put_off).update(due_at=now + timedelta(hours=1))
    for n in (1, 2):
        stack.start_worker(f"worker-{n}", concurrency=1)
    two = [beats("one"), beats("two")]
    wait_until(lambda: accepted() == FIRST, 30)

    for beat in two:
        beat.kill()
    Message.objects.filter(pk__in=put_off).update(due_at=timezone.now())
    silent_since = last_tick()
    wait_until(lambda: timezone.now() - silent_since > timedelta(seconds=3), 10)
    assert last_tick() - silent_since < timedelta(seconds=3), "nobody ticks: the pulse stands still"

    for _ in range(10):  # started again and again, it lives until its first wake-up is out
        dying = beats("one")
        wait_until(partial(has_woken, dying), 30)
        dying.kill()
        if accepted() == FIRST + LATER:
            break
    wait_until(lambda: accepted() == FIRST + LATER, 30)
    assert last_tick() > silent_since
    received = Counter(taken.recipients for taken in smtp_server.messages)
    assert len(received) == FIRST + LATER
    assert set(received.values()) == {1}
