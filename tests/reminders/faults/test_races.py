"""What staff and patients do while a message is on its way: before the intent it decides, after
it the mail goes once and nothing follows."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction

from clinic import enrolment
from clinic.models import Patient
from reminders import intending, ticking
from reminders.models import Message
from reminders.unsubscribing import unsubscribe
from surveys.models import FollowUp
from tests.builders import BY_TEST
from tests.reminders.crowd import make_crowd
from tests.reminders.faults.healing import until
from tests.reminders.faults.points import INTENT, SETTLE, at_commit
from tests.reminders.letters import HOUR, drain_at, prepared_at, send_prepared
from tests.surveys.follow_ups import answer_all

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

OLD, NEW = "p0@crowd.example", "new@crowd.example"


def answer(now: datetime) -> None:
    answer_all(FollowUp.objects.get(), now=now)


def stop_mail(now: datetime) -> None:
    unsubscribe(FollowUp.objects.get(), now=now)


def withdraw(now: datetime) -> None:
    enrolment.withdraw(Patient.objects.get(), by=BY_TEST, now=now)


def die(now: datetime) -> None:
    enrolment.mark_deceased(Patient.objects.get(), by=BY_TEST, now=now)


def move(now: datetime) -> None:
    enrolment.change_details(Patient.objects.get(), {"email": NEW}, by=BY_TEST, now=now)


def elsewhere(act: Callable[[], object]) -> "Future[None]":
    """In another connection."""

    def run() -> None:
        try:
            act()
        finally:
            connection.close()

    return ThreadPoolExecutor(1).submit(run)


# -- The seven points of a sending at which it may happen ---------------------------------------


def before_the_claim(happen, now, mail) -> None:
    elsewhere(happen).result(20)
    drain_at(now)


def after_the_claim(happen, now, mail) -> None:
    """The facts have been read for the whole batch; the lock has not been taken."""
    batch = prepared_at(now)
    elsewhere(happen).result(20)
    send_prepared(batch, now=now)


def before_the_lock_is_granted(happen, now, mail) -> None:
    """It has begun, and ends only when the intent waits for it."""
    began, may_end = threading.Event(), threading.Event()

    def slowly() -> None:
        with transaction.atomic():
            happen()
            began.set()
            may_end.wait(10)

    batch = prepared_at(now)
    other = elsewhere(slowly)
    began.wait(10)
    sending = elsewhere(lambda: send_prepared(batch, now=now))
    until(somebody_waits)
    may_end.set()
    sending.result(20)
    other.result(20)


def before_the_lock_of_one_is_granted(happen, now, mail) -> None:
    """The same for a message that is looked at by itself."""
    fresh, intending.FRESH = intending.FRESH, timedelta(0)
    try:
        before_the_lock_is_granted(happen, now, mail)
    finally:
        intending.FRESH = fresh


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return cursor.fetchone() is not None


def after_the_intent(happen, now, mail) -> None:
    _at(INTENT, now, after=lambda: elsewhere(happen).result(20))


def during_the_call(happen, now, mail) -> None:
    keep = mail._keep

    def keep_and_happen(received) -> None:
        keep(received)
        elsewhere(happen).result(20)

    mail._keep = keep_and_happen
    try:
        drain_at(now)
    finally:
        mail._keep = keep


def before_the_settle(happen, now, mail) -> None:
    """It may have to wait for the settling."""
    others: list[Future[None]] = []
    _at(SETTLE, now, before=lambda: others.append(elsewhere(happen)))
    for other in others:
        other.result(20)


def after_the_settle(happen, now, mail) -> None:
    _at(SETTLE, now, after=lambda: elsewhere(happen).result(20))


def _at(phase, now, **blow) -> None:
    (when, strike), blows = *blow.items(), []

    def once() -> None:
        if not blows:
            blows.append(strike())

    undo = at_commit(phase, **{when: once})
    try:
        drain_at(now)
    finally:
        undo()
    assert blows


STOPPED = [
    before_the_claim,
    after_the_claim,
    pytest.param(before_the_lock_is_granted, marks=pytest.mark.postgres),
    pytest.param(before_the_lock_of_one_is_granted, marks=pytest.mark.postgres),
]
GOES = [after_the_intent, during_the_call, before_the_settle, after_the_settle]
ENDS = [answer, stop_mail, withdraw, die]


def days_later(now) -> None:
    """Four days of looking and sending: time for every reminder there could be."""
    for hours in range(1, 96, 12):
        ticking.tick(now=now + hours * HOUR)
        drain_at(now + hours * HOUR)


def to(mail) -> list[str]:
    return [address for taken in mail.messages for address in taken.recipients]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("when", STOPPED)
def test_what_ends_it_before_the_intent_stops_the_mail(mail_server, when, end, now):
    make_crowd(1, now=now)
    when(lambda: end(now), now, mail_server)
    days_later(now)
    assert to(mail_server) == []
    assert all(message.reason for message in Message.objects.all())


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("when", GOES)
def test_what_ends_it_after_the_intent_lets_that_one_go_and_no_other(mail_server, when, end, now):
    make_crowd(1, now=now)
    when(lambda: end(now), now, mail_server)
    days_later(now)
    assert to(mail_server) == [OLD]
    assert Message.objects.filter(state="accepted").count() == 1


@pytest.mark.parametrize("when", STOPPED)
def test_a_new_address_before_the_intent_gets_the_mail(mail_server, when, now):
    make_crowd(1, now=now)
    when(lambda: move(now), now, mail_server)
    drain_at(now)
    assert to(mail_server) == [NEW]


@pytest.mark.parametrize("when", GOES)
def test_a_new_address_after_the_intent_gets_no_second_copy(mail_server, when, now):
    make_crowd(1, now=now)
    when(lambda: move(now), now, mail_server)
    ticking.tick(now=now + HOUR)
    drain_at(now + HOUR)
    assert to(mail_server) == [OLD]
