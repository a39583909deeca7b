"""The statements of the hot path, written out: a group of messages in each, on either database.

What they say is what `Message.objects.filter(…).update(…)` would say; the ORM takes longer to write
them down than the database to carry them out. PostgreSQL takes the rows of a group as one value, so
that a statement's text stays the same and is read once.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import DatabaseError, connection, models
from django.db.models import Lookup

from reminders.kept_plans import Plans
from reminders.models import Attempt, Message

_MEAN = """
    UPDATE reminders_message SET state = 'sending', lease_until = %s, capped_on = %s, reason = ''
    WHERE state = 'claimed' AND lease_token = %s AND id {among}
"""
_ACCEPTING = """
    UPDATE reminders_message
    SET state = 'accepted', accepted_at = %s, ended_at = %s, provider_message_id = {provider},
        reason = '', lease_token = NULL, lease_until = NULL
"""
_ACCEPT_ONE = _ACCEPTING.format(provider="%s") + (
    "WHERE state = 'sending' AND id = %s AND lease_token = %s"
)
_ACCEPT_ALL = (
    _ACCEPTING.format(provider="took.provider")
    + """
    FROM jsonb_to_recordset(%s::jsonb) AS took (provider text, id uuid, token uuid)
    WHERE state = 'sending' AND reminders_message.id = took.id AND lease_token = took.token
"""
)
_END = """
    UPDATE reminders_attempt SET outcome = 'accepted', ended_at = %s
    WHERE outcome = 'started' AND id {among}
"""
_ASK = """
    UPDATE surveys_stepdue SET state = 'asked' WHERE state = 'planned' AND follow_up_id {among}
"""
_INSERT_ALL = """
    INSERT INTO reminders_attempt (started_at, outcome, error, lane, template_version, replays,
        message_id, n, idempotency_key, payload_sha256, inputs)
    SELECT %s, 'started', '', %s, own.version, 0, own.message, own.n, own.key, own.sha256,
        own.inputs
    FROM jsonb_to_recordset(%s::jsonb)
        AS own (version text, message uuid, n int, key uuid, sha256 text, inputs jsonb)
    RETURNING message_id, id
"""


def stored(model: type[models.Model], field: str, value: Any) -> Any:
    """A value as this database keeps it."""
    column: Any = model._meta.get_field(field)
    return column.get_db_prep_value(value, connection)


def keys(values: Sequence[uuid.UUID | None]) -> list[Any]:
    if connection.features.has_native_uuid_field:
        return list(values)
    return [_hex(value) for value in values]


def _hex(value: uuid.UUID | None) -> str | None:
    return value.hex if value else None


def array(values: Sequence[Any]) -> str:
    """Keys as PostgreSQL reads an array of them; without hyphens a UUID is written faster."""
    of_uuids = bool(values) and isinstance(values[0], uuid.UUID)
    written = [each.hex for each in values] if of_uuids else map(str, values)
    return f"{{{','.join(written)}}}"


def among(values: Sequence[Any]) -> tuple[str, list[Any]]:
    """Which of many rows, in SQL."""
    if connection.vendor == "postgresql":
        kind = "bigint" if values and isinstance(values[0], int) else "uuid"
        return f"= ANY(%s::{kind}[])", [array(values)]
    return f"IN ({', '.join(['%s'] * len(values))})", list(values)


class Among(Lookup):
    """`column IN keys` for the ORM, which would look at each of the keys several times."""

    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        column, values = self.process_lhs(compiler, connection)
        which, chosen = among(keys(self.rhs))
        return f"{column} {which}", (*values, *chosen)


@dataclass(frozen=True, slots=True)
class Statement:
    text: str
    values: Sequence[Any]

    @classmethod
    def about(cls, text: str, values: Sequence[Any], rows: Sequence[Any]) -> "Statement":
        which, chosen = among(rows)
        return cls(text.format(among=which), [*values, *chosen])


@dataclass(frozen=True, slots=True)
class Result:
    count: int
    rows: Sequence[Any]


def run(*statements: Statement) -> list[Result]:
    """One after the other; PostgreSQL is sent them together and sees each as of its own moment."""
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            return [_run_one(cursor, each) for each in statements]
        return _run_together(cursor, statements)


def _run_together(cursor: Any, statements: Sequence[Statement]) -> list[Result]:
    values = [value for each in statements for value in each.values]
    plans = Plans()
    try:
        text = ";".join(plans.execution(each.text, len(each.values)) for each in statements)
        cursor.execute(text, values)
    except DatabaseError:
        plans.failed()
        raise
    plans.heard()
    return _results(cursor)


def _run_one(cursor: Any, statement: Statement) -> Result:
    cursor.execute(statement.text, statement.values)
    return _result(cursor)


def _results(cursor: Any) -> list[Result]:
    found = []
    more: bool | None = True
    while more:
        if cursor.statusmessage != "PREPARE":
            found.append(_result(cursor))
        more = cursor.nextset()
    return found


def _result(cursor: Any) -> Result:
    return Result(int(cursor.rowcount), cursor.fetchall() if cursor.description else [])


def mean_to_send(
    messages: Sequence[uuid.UUID], token: uuid.UUID | None, until: datetime, day: date | None
) -> Statement:
    """Claimed messages that are ours -> sending."""
    first = [stored(Message, "lease_until", until), stored(Message, "capped_on", day)]
    return Statement.about(_MEAN, [*first, *keys([token])], keys(messages))


def accept(
    messages: Sequence[tuple[uuid.UUID, uuid.UUID | None, str]], now: datetime
) -> list[Statement]:
    """(message, token, provider's id): sending -> accepted, where it is still ours."""
    at = stored(Message, "accepted_at", now)
    if connection.vendor == "postgresql":
        took = [
            {"provider": provider, "id": pk.hex, "token": _hex(token)}
            for pk, token, provider in messages
        ]
        return [Statement(_ACCEPT_ALL, [at, at, json.dumps(took)])]
    return [
        Statement(_ACCEPT_ONE, [at, at, provider, *keys([pk, token])])
        for pk, token, provider in messages
    ]


def end_attempts(attempts: Sequence[int], now: datetime) -> Statement:
    """Started attempts -> accepted."""
    return Statement.about(_END, [stored(Attempt, "ended_at", now)], attempts)


def ask(follow_ups: Sequence[uuid.UUID]) -> Statement:
    """What these follow-ups ask has been asked."""
    return Statement.about(_ASK, [], keys(follow_ups))


def intend(meaning: Sequence[Statement], attempts: Sequence[Attempt]) -> int:
    """Mean to send, and begin an attempt for each; how many messages were still ours."""
    if connection.vendor != "postgresql":
        count = sum(result.count for result in run(*meaning))
        Attempt.objects.bulk_create(attempts)
        return count
    *meant, begun = run(*meaning, _begin(attempts))
    made = dict(begun.rows)
    for attempt in attempts:
        attempt.pk = made[attempt.message_id]
    return sum(result.count for result in meant)


def _begin(attempts: Sequence[Attempt]) -> Statement:
    first = attempts[0]
    own = [
        {
            "version": each.template_version,
            "message": _hex(each.message_id),
            "n": each.n,
            "key": each.idempotency_key.hex,
            "sha256": each.payload_sha256,
            "inputs": each.inputs,
        }
        for each in attempts
    ]
    return Statement(_INSERT_ALL, [first.started_at, first.lane, json.dumps(own)])
