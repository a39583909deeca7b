"""Very many messages, of which nearly all are over: what a claim and a tick must not notice."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, models

from clinic.models import Course
from devtools.bench import filling
from reminders.models import Message
from surveys.models import FollowUp

CLINICS = 20
EACH = 100  # messages of one follow-up: more than in life, so that filling is quick
DROPPED_FROM = 500_000  # rows; with fewer it is quicker to fill with the indexes in place

# n counts from 0; times are spread over half a year before now and 35 days after it, which is how
# far the planner looks.
_SQL: Mapping[str, Mapping[str, str]] = {
    "postgresql": {
        "series": "generate_series(0::bigint, %s - 1) AS series (n)",
        "key": "gen_random_uuid()",
        "day": "date '2000-01-01' + ({n})::int",
        "before": "%s::timestamptz - mod(n * 7919, 15000000) * interval '1 second'",
        "after": "%s::timestamptz + (7200 + mod(n * 7919, 3000000)) * interval '1 second'",
    },
    "sqlite": {
        "series": "(WITH RECURSIVE s (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s"
        " WHERE n < %s - 1) SELECT n FROM s) AS series",
        "key": "lower(hex(randomblob(16)))",
        "day": "date('2000-01-01', ({n}) || ' days')",
        "before": "strftime('%%Y-%%m-%%d %%H:%%M:%%f', %s,"
        " (-(n * 7919 %% 15000000)) || ' seconds')",
        "after": "strftime('%%Y-%%m-%%d %%H:%%M:%%f', %s,"
        " (7200 + n * 7919 %% 3000000) || ' seconds')",
    },
}
Expression = tuple[str, Sequence[Any]]  # SQL and its values


def stock(total: int, *, now: datetime) -> None:
    """Nine of ten sent, the others scheduled for later; nothing due."""
    patterns = filling.patterns(range(CLINICS), now)[:: len(filling.LANGUAGES)]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET statement_timeout = 0; SET session_replication_role = replica")
        for pattern in patterns:
            _follow_ups(pattern.follow_ups[0], -(-total // (EACH * CLINICS)))
        dropped = _drop_indexes() if total >= DROPPED_FROM else []
        for pattern in patterns:
            _messages(pattern.messages[0], total // CLINICS, now)
        for definition in dropped:
            cursor.execute(definition)
        Course.objects.update(replan_at=None)  # these patients have more than any plan would make
        if connection.vendor == "postgresql":
            cursor.execute("RESET statement_timeout; RESET session_replication_role")


def _follow_ups(row: FollowUp, count: int) -> None:
    sql, name = _SQL[connection.vendor], str(row.pk)
    expressions: dict[str, Expression] = {
        "id": (sql["key"], []),
        "local_date": (sql["day"].format(n="n"), []),
        "link_digest": ("%s || n", [f"s{name}"]),
        "unsubscribe_digest": ("%s || n", [f"u{name}"]),
    }
    _insert(row, expressions, (sql["series"], [count]))


def _messages(row: Message, count: int, now: datetime) -> None:
    sql, moment = _SQL[connection.vendor], stored(now)
    waits = "mod(n, 10) = 0"
    due = f"CASE WHEN {waits} THEN {sql['after']} ELSE {sql['before']} END"
    sent = f"CASE WHEN {waits} THEN NULL ELSE {sql['before']} END"
    expressions: dict[str, Expression] = {
        "id": (sql["key"], []),
        "follow_up_id": ("theirs.id", []),
        "nth": (f"mod(n, {EACH})", []),
        "state": (f"CASE WHEN {waits} THEN 'scheduled' ELSE 'accepted' END", []),
        "due_at": (due, [moment, moment]),
        "not_after": (sql["after"], [moment]),
        "accepted_at": (sent, [moment]),
        "ended_at": (sent, [moment]),
        "provider_message_id": (f"CASE WHEN {waits} THEN '' ELSE %s || n END", [str(row.pk)]),
    }
    day = sql["day"].format(n=f"n / {EACH}")
    theirs = f"JOIN surveys_followup AS theirs ON patient_id = %s AND local_date = {day}"
    patient = Message._meta.get_field("patient").get_db_prep_save(row.patient_id, connection)
    _insert(row, expressions, (f"{sql['series']} {theirs}", [count, patient]))


def _insert(row: models.Model, expressions: Mapping[str, Expression], source: Expression) -> None:
    """Rows like `row`, but for the columns that have an expression of their own."""
    columns, chosen = [], []
    values: list[Any] = []
    for field in row._meta.concrete_fields:
        plain = field.get_db_prep_save(field.pre_save(row, True), connection)
        expression, its_values = expressions.get(str(field.column), ("%s", [plain]))
        columns.append(f'"{field.column}"')
        chosen.append(expression)
        values += its_values
    table, (origin, its_values) = row._meta.db_table, source
    statement = f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(chosen)}"
    with connection.cursor() as cursor:
        cursor.execute(f"{statement} FROM {origin}", [*values, *its_values])


def _drop_indexes() -> list[str]:
    """Drop those that guard no constraint; how each of them is made again."""
    if connection.vendor == "sqlite":
        found = (
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = %s"
            " AND sql NOT LIKE 'CREATE UNIQUE%%'"
        )
    else:
        found = (
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s"
            " AND indexdef NOT LIKE 'CREATE UNIQUE%%'"
        )
    with connection.cursor() as cursor:
        cursor.execute(found, [Message._meta.db_table])
        rows = cursor.fetchall()
        for name, _ in rows:
            cursor.execute(f"DROP INDEX {name}")
    return [definition for _, definition in rows]


def stored(moment: datetime) -> Any:
    return Message._meta.get_field("due_at").get_db_prep_save(moment, connection)
