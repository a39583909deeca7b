"""PostgreSQL plans the hot path's statements once for a connection, whatever becomes of it."""

import pytest
from django.db import DatabaseError, connection, transaction

from reminders import statements
from reminders.statements import Statement

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

DOUBLE = Statement("SELECT %s::int * 2", [21])
NOBODY = Statement("SELECT 1 WHERE %s::text = 'nobody'", ["somebody"])
BROKEN = Statement("SELECT 1 / %s::int", [0])


def plans() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'kept%%'")
        return int(cursor.fetchone()[0])


def doubled() -> int:
    return int(statements.run(DOUBLE)[0].rows[0][0])


@pytest.fixture(autouse=True)
def new_connection():
    connection.close()


def test_each_is_planned_once_and_answers_in_its_place():
    for _ in range(8):  # PostgreSQL itself thinks again about the first five
        double, nobody, again = statements.run(DOUBLE, NOBODY, DOUBLE)
        assert (double.rows, nobody.rows, again.rows) == ([(42,)], [], [(42,)])
        assert (double.count, nobody.count) == (1, 0)
    assert plans() == 2


def test_they_outlive_a_transaction_that_is_undone():
    with transaction.atomic():
        doubled()
        transaction.set_rollback(True)
    assert doubled() == 42
    assert plans() == 1


def test_they_go_with_their_connection():
    doubled()
    connection.close()
    assert doubled() == 42
    assert plans() == 1


def test_a_failure_leaves_nothing_in_the_way():
    for _ in range(3):
        with pytest.raises(DatabaseError):
            statements.run(DOUBLE, BROKEN, NOBODY)
        assert doubled() == 42


def test_a_transaction_that_failed_plans_nothing():
    with transaction.atomic():
        with pytest.raises(DatabaseError):
            statements.run(BROKEN)
        with pytest.raises(DatabaseError):
            doubled()
        transaction.set_rollback(True)
    assert doubled() == 42
