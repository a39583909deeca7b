"""A database that fails while rows are claimed, meant to be sent or settled: nothing goes twice."""

import uuid

import psycopg
import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, connection

from reminders import ticking
from reminders.claiming import LEASE
from reminders.models import Attempt, Message
from tests.reminders.crowd import make_crowd
from tests.reminders.faults.healing import states
from tests.reminders.faults.points import INTENT, SETTLE, at_commit
from tests.reminders.letters import drain_at

pytestmark = pytest.mark.django_db(transaction=True)

DUE = 12
CONNECTIONS = 4
FAILURES = (DatabaseError, InterfaceError, SystemExit)


@pytest.fixture
def crowd(now, settings, mail_server):
    settings.MAIL_CONNECTIONS = CONNECTIONS
    return make_crowd(DUE, now=now)


def drain_and_fail(now) -> None:
    """Whether it fails is the drain's affair; what it leaves behind is ours. Then it is no more:
    what it has not committed is undone."""
    try:
        drain_at(now)
    except FAILURES:
        connection.in_atomic_block = False
    connection.close()


def heal(now) -> None:
    later = now + LEASE
    ticking.tick(now=later)
    drain_at(later)


def cut_off() -> None:
    """As an immediate shutdown does: the server ends our connection and undoes what was begun."""
    pid = connection.connection.info.backend_pid
    parameters = connection.get_connection_params()
    wanted = {name: parameters.get(name) for name in ("host", "port", "user", "password", "dbname")}
    given = {name: value for name, value in wanted.items() if value}
    with psycopg.connect(**given, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def the_answer_is_lost() -> None:
    raise OperationalError("the server closed the connection unexpectedly")


def the_worker_is_shut_down() -> None:
    """A cold shutdown raises this wherever the process happens to be."""
    raise SystemExit


BLOWS = [
    pytest.param(the_answer_is_lost, id="the connection is lost"),
    pytest.param(the_worker_is_shut_down, id="cold shutdown"),
    pytest.param(cut_off, id="PostgreSQL is shut down", marks=pytest.mark.postgres),
]


@pytest.mark.slow
@pytest.mark.parametrize("blow", BLOWS)
@pytest.mark.parametrize("at", ["before", "after"])
@pytest.mark.parametrize("phase", [INTENT, SETTLE])
def test_around_a_commit_nothing_is_lost_and_nobody_is_mailed_twice(
    crowd, mail_server, phase, at, blow, now
):
    """After the commit: it has happened, and we have not heard of it."""
    left = [blow]

    def strike() -> None:
        if left:
            left.pop()()

    undo = at_commit(phase, **{at: strike})
    try:
        drain_and_fail(now)
    finally:
        undo()
    heal(now)
    to = [taken.recipients for taken in mail_server.messages]
    found = states()
    assert not left
    assert len(set(to)) == len(to)
    assert set(found) <= {"accepted", "unknown"}
    assert sum(found.values()) == DUE
    assert found["accepted"] <= len(to)
    if (phase, at) == (INTENT, "before") and blow is not the_worker_is_shut_down:
        assert (len(to), found) == (DUE, {"accepted": DUE})


@pytest.fixture
def failing():
    """A statement of the next kind fails in the server itself, with the code it is told."""

    def fail(table: str, event: str, code: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE SEQUENCE faults")
            cursor.execute(
                "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                f" IF nextval('faults') = 1 THEN RAISE EXCEPTION USING ERRCODE = '{code}';"
                " END IF; RETURN NULL; END $$"
            )
            cursor.execute(
                f"CREATE TRIGGER fault AFTER {event} ON {table}"
                " FOR EACH STATEMENT EXECUTE FUNCTION fault()"
            )

    yield fail
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION IF EXISTS fault CASCADE")
        cursor.execute("DROP SEQUENCE IF EXISTS faults")


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("table", "event"),
    [
        pytest.param("reminders_message", "UPDATE", id="claim"),
        pytest.param("reminders_attempt", "INSERT", id="intent"),
        pytest.param("reminders_attempt", "UPDATE", id="settle"),
    ],
)
@pytest.mark.parametrize(
    "code",
    [
        pytest.param("40001", id="serialization failure"),
        pytest.param("40P01", id="deadlock"),
        pytest.param("53100", id="disk full"),
    ],
)
def test_a_statement_that_fails_in_the_server_costs_nothing(
    crowd, mail_server, failing, table, event, code, now
):
    failing(table, event, code)
    drain_and_fail(now)
    heal(now)
    to = [taken.recipients for taken in mail_server.messages]
    assert (len(set(to)), len(to), states()) == (DUE, DUE, {"accepted": DUE})


@pytest.mark.postgres
def test_without_a_free_connection_nothing_is_begun(crowd, mail_server, monkeypatch, now):
    role, password = f"crowded_{uuid.uuid4().hex[:8]}", connection.settings_dict["PASSWORD"]
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 0")
        if password:
            cursor.execute(f"ALTER ROLE {role} PASSWORD '{password}'")
    connection.close()
    try:
        with monkeypatch.context() as crowded:
            crowded.setitem(connection.settings_dict, "USER", role)
            with pytest.raises(OperationalError, match="too many connections"):
                drain_at(now)
    finally:
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute(f"DROP ROLE {role}")
    assert (states(), Attempt.objects.count()) == ({"scheduled": DUE}, 0)
    drain_at(now)
    assert states() == {"accepted": DUE}


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="a limit of SQLite's own")
def test_a_disk_that_is_full_stops_the_sending_and_loses_nothing(mail_server, settings, now):
    settings.MAIL_CONNECTIONS = 1
    make_crowd(60, now=now)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
        (pages,) = cursor.execute("PRAGMA page_count").fetchone()
        cursor.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(OperationalError, match="full"):
            drain_at(now)
        assert len(mail_server.messages) < 60
        cursor.execute("PRAGMA max_page_count = 1073741823")
    heal(now)
    to = [taken.recipients for taken in mail_server.messages]
    found = states()
    assert len(set(to)) == len(to)
    assert set(found) <= {"accepted", "unknown"}
    assert found["unknown"] <= 1
    assert Message.objects.filter(kind="invitation").count() == 60
