"""The next batch, fetched while this one is sent: nothing goes earlier, later or twice for it."""

from collections import Counter
from threading import current_thread, main_thread

import pytest
from django.db import OperationalError

from clinic import enrolment
from reminders import batches, claiming, preparing
from reminders.batches import Batches
from reminders.models import Message, Notice, State
from tests.builders import BY_TEST
from tests.reminders.crowd import make_crowd
from tests.reminders.letters import drain_at, make_alert, make_notice

DUE, FIRST, BATCH = 30, 4, 8


@pytest.fixture
def small(monkeypatch, settings):
    settings.MAIL_CONNECTIONS = 2
    monkeypatch.setattr(batches, "FIRST", FIRST)
    monkeypatch.setattr(batches, "BATCH", BATCH)


@pytest.fixture
def crowd(small, now):
    make_crowd(DUE, now=now)


@pytest.fixture
def fetched(monkeypatch) -> list[str]:
    """The threads that read a batch, one after the other."""
    threads: list[str] = []
    prepare = preparing.prepare

    def watched(*args, **more):
        threads.append("ours" if current_thread() is main_thread() else "another")
        return prepare(*args, **more)

    monkeypatch.setattr(preparing, "prepare", watched)
    return threads


def states() -> Counter[str]:
    return Counter(Message.objects.values_list("state", flat=True))


@pytest.mark.django_db
def test_in_a_transaction_nothing_is_fetched_ahead(crowd, mail_server, fetched, now):
    assert drain_at(now) == DUE
    assert set(fetched) == {"ours"}
    assert states() == {State.ACCEPTED: DUE}


ABREAST = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


class TestAhead:
    pytestmark = ABREAST

    def test_the_first_batch_is_small_and_the_others_come_from_another_thread(
        self, crowd, mail_server, fetched, now
    ):
        assert drain_at(now) == DUE
        assert fetched[0] == "ours"
        assert fetched.count("another") >= DUE // BATCH
        assert states() == {State.ACCEPTED: DUE}
        to = [address for taken in mail_server.messages for address in taken.recipients]
        assert (len(to), len(set(to))) == (DUE, DUE)

    def test_what_was_fetched_in_vain_is_due_as_before(self, crowd, now):
        with Batches("smtp", lambda: now) as ahead:
            ahead.next()
            ahead.look_ahead()
            rest = ahead._ahead.result()
            assert len(rest) == BATCH
        assert states() == {State.CLAIMED: FIRST, State.SCHEDULED: DUE - FIRST}
        given_back = Message.objects.filter(pk__in=[each.row.pk for each in rest])
        assert set(given_back.values_list("lease_token", "lease_until")) == {(None, None)}

    def test_a_notice_goes_before_what_has_been_fetched(self, crowd, clinic, clinician, now):
        with Batches("smtp", lambda: now) as ahead:
            ahead.next()
            ahead.look_ahead()
            fetched = ahead._ahead.result()
            notice = make_notice(make_alert(clinic, now=now), clinician, now=now)
            (urgent,) = ahead.next()
            assert urgent.row == notice
            assert ahead.next() == fetched

    def test_a_probe_goes_alone(self, crowd, now):
        with Batches("smtp", lambda: now) as ahead:
            claiming.release_rest([each.row for each in ahead.next()])
            ahead.look_ahead()
            assert len(ahead.one()) == 1
            assert states() == {State.CLAIMED: 1, State.SCHEDULED: DUE - 1}

    def test_a_withdrawal_stops_what_has_been_fetched_and_written(
        self, crowd, mail_server, monkeypatch, now
    ):
        """It comes when the next batch is ready and its mails are written, before their turn."""
        withdrawn: list[str] = []
        next_of = Batches.next

        def withdrawing(self):
            batch = next_of(self)
            if self._thread is not None and not withdrawn:
                patient = batch[-1].row.patient
                enrolment.withdraw(patient, by=BY_TEST, now=now)
                withdrawn.append(patient.email)
            return batch

        monkeypatch.setattr(Batches, "next", withdrawing)
        drain_at(now)
        to = {address for taken in mail_server.messages for address in taken.recipients}
        assert withdrawn
        assert not to & set(withdrawn)
        assert len(to) == DUE - 1

    def test_a_failure_of_the_other_thread_is_ours(self, crowd, mail_server, monkeypatch, now):
        prepare = preparing.prepare

        def failing(*args, **more):
            if current_thread() is not main_thread():
                raise OperationalError
            return prepare(*args, **more)

        with monkeypatch.context() as broken:
            broken.setattr(preparing, "prepare", failing)
            with pytest.raises(OperationalError):
                drain_at(now)
        assert states()[State.ACCEPTED] == FIRST
        drain_at(now + claiming.LEASE * 2)
        assert not Notice.objects.exists()
