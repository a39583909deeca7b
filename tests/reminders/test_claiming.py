"""A due row is taken by one worker, once, and comes back if that worker dies."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from reminders import claiming
from reminders.claiming import LEASE
from reminders.models import Message, Notice, State
from reminders.turns import Turns
from tests.builders import make_course
from tests.reminders.letters import HOUR, make_alert, make_message, make_notice


def make_messages(clinic, count, *, now):
    return [
        make_message(make_course(clinic, now=now, mrn=f"M{n}", name=f"P {n}"), now=now)
        for n in range(count)
    ]


def test_a_due_row_is_claimed_with_a_token_and_a_lease(message, now):
    (row,) = claiming.claim(Message, 10, now=now)
    message.refresh_from_db()
    assert row.pk == message.pk
    assert (message.state, message.claims) == (State.CLAIMED, 1)
    assert message.lease_token == row.lease_token is not None
    assert message.lease_until == now + LEASE


def test_a_claimed_row_is_not_claimed_again(message, now):
    assert claiming.claim(Message, 10, now=now)
    assert claiming.claim(Message, 10, now=now) == []


@pytest.mark.parametrize(
    ("later", "claimed"),
    [(timedelta(0), 1), (timedelta(microseconds=1), 0)],
    ids=["due", "not yet"],
)
def test_a_row_is_due_from_its_instant_on(message, later, claimed, now):
    Message.objects.update(due_at=now + later)
    assert len(claiming.claim(Message, 10, now=now)) == claimed


@pytest.mark.parametrize("state", [state for state in State if state != State.SCHEDULED])
def test_only_scheduled_rows_are_claimed(message, state, now):
    held = state in (State.CLAIMED, State.SENDING)
    Message.objects.update(
        state=state,
        lease_token=uuid.uuid4() if held else None,
        accepted_at=now if state == State.ACCEPTED else None,
    )
    assert claiming.claim(Message, 10, now=now) == []


def test_the_longest_due_go_first_and_never_more_than_asked(clinic, now):
    messages = make_messages(clinic, 3, now=now)
    for hours, message in enumerate(messages):
        Message.objects.filter(pk=message.pk).update(due_at=now - hours * HOUR)
    rows = claiming.claim(Message, 2, now=now)
    assert [row.pk for row in rows] == [messages[2].pk, messages[1].pk]


def test_notices_go_before_anything_for_patients(message, clinic, clinician, now):
    notice = make_notice(make_alert(clinic, now=now), clinician, now=now)
    turns = Turns()
    assert claiming.take_next(turns, 10, now=now).ids == [notice.pk]
    assert claiming.take_next(turns, 10, now=now).ids == [message.pk]
    assert claiming.take_next(turns, 10, now=now).ids == []


def test_a_clinic_with_very_much_mail_does_not_stand_before_one_with_little(
    clinic, other_clinic, now
):
    make_messages(clinic, 30, now=now - HOUR)
    (little,) = make_messages(other_clinic, 1, now=now)
    taken = claiming.take_next(Turns(), 10, now=now)
    assert little.pk in taken.ids
    assert len(taken.ids) == 6  # half of ten for each, and one has only one


def test_every_clinic_has_had_its_turn_before_one_has_a_second(clinic, other_clinic, now):
    make_messages(clinic, 3, now=now)
    make_messages(other_clinic, 3, now=now)
    turns, clinics = Turns(), []
    while taken := claiming.take_next(turns, 2, now=now).ids:
        rows = Message.objects.filter(pk__in=taken)
        clinics.append(set(rows.values_list("clinic", flat=True)))
    assert clinics == [{clinic.pk, other_clinic.pk}] * 3


def test_a_probe_takes_one_message_however_many_clinics_wait(clinic, other_clinic, now):
    make_messages(clinic, 2, now=now)
    make_messages(other_clinic, 2, now=now)
    assert len(claiming.take_next(Turns(), 1, now=now).ids) == 1


def test_a_dead_workers_claim_comes_back_when_its_lease_is_over(message, now):
    claiming.claim(Message, 10, now=now)
    just_before = now + LEASE - timedelta(microseconds=1)
    assert claiming.release_abandoned(now=just_before) == 0
    assert claiming.release_abandoned(now=now + LEASE) == 1
    message.refresh_from_db()
    assert (message.state, message.lease_token) == (State.SCHEDULED, None)


def test_a_worker_whose_lease_is_over_can_no_longer_give_back(message, now):
    (row,) = claiming.claim(Message, 10, now=now)
    claiming.release_abandoned(now=now + LEASE)
    (again,) = claiming.claim(Message, 10, now=now + LEASE)
    assert not claiming.release(row, due_at=now + HOUR)
    message.refresh_from_db()
    assert (message.state, message.lease_token) == (State.CLAIMED, again.lease_token)


def test_the_database_refuses_a_claim_without_a_lease(message):
    with pytest.raises(IntegrityError):
        Message.objects.update(state=State.CLAIMED)


@pytest.mark.django_db(transaction=True)
def test_each_row_goes_to_one_of_many_who_claim_at_once(clinic, now):
    messages = make_messages(clinic, 40, now=now)
    taken: list[uuid.UUID] = []
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        try:
            while rows := claiming.claim(Message, 3, now=now):
                taken.extend(row.pk for row in rows)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(taken) == sorted(message.pk for message in messages)
    assert set(Message.objects.values_list("claims", flat=True)) == {1}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_worker_does_not_wait_for_a_row_that_another_holds(clinic, now):
    first, second = make_messages(clinic, 2, now=now)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(
                "SELECT 1 FROM reminders_message WHERE id = %s FOR UPDATE", [str(first.pk)]
            )
            held.set()
            done.wait(10)
            cursor.execute("ROLLBACK")
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    try:
        assert [row.pk for row in claiming.claim(Message, 10, now=now)] == [second.pk]
    finally:
        done.set()
        holder.join()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_when_all_that_is_due_is_held_by_another_nothing_is_taken_and_the_search_ends(clinic, now):
    """Else a drain would look for ever, and leave unrecorded what became of its calls."""
    (only,) = make_messages(clinic, 1, now=now)
    held, done = threading.Event(), threading.Event()
    found: list[list[uuid.UUID]] = []

    def hold() -> None:
        with transaction.atomic():
            Message.objects.select_for_update().get(pk=only.pk)
            held.set()
            done.wait(10)
        connection.close()

    def look() -> None:
        found.append(list(claiming.take_next(Turns(), 10, now=now).ids))
        connection.close()

    holder, looker = threading.Thread(target=hold), threading.Thread(target=look)
    holder.start()
    held.wait(10)
    looker.start()
    looker.join(3)
    in_time = not looker.is_alive()
    done.set()
    holder.join()
    looker.join()
    assert (in_time, found) == (True, [[]])


def test_the_claim_reads_the_index_made_for_it(db, now):
    """A plan over all rows would make an idle tick as slow as the table is long."""
    for model in (Message, Notice):
        table = model._meta.db_table
        sql = claiming._PLAIN.format(table=table, whose="")
        sql = sql.replace("%s", "'2026-03-03 15:00:00'", 1)
        prefix = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"{prefix} {sql.replace('%s', '50')}")
            plan = " ".join(str(row) for row in cursor.fetchall())
        assert f"{model._meta.model_name}_due_idx" in plan
