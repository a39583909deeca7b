"""The statements of the hot path, written out: a group of messages in each, on either database.

What they say is what `Message.objects.filter(…).update(…)` would say; the ORM takes longer to write
them down than the database to carry them out.
"""

import json
import uuid
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.db import connection, models

from reminders.models import Attempt, Message
from surveys.models import StepDue

_MEAN = """
    UPDATE reminders_message SET state = 'sending', lease_until = %s, capped_on = %s, reason = ''
    WHERE state = 'claimed' AND lease_token = %s AND id IN {keys}
"""
_ACCEPT = """
    UPDATE reminders_message
    SET state = 'accepted', accepted_at = %s, ended_at = %s, provider_message_id = %s, reason = '',
        lease_token = NULL, lease_until = NULL
    WHERE state = 'sending' AND id = %s AND lease_token = %s
"""
_END = """
    UPDATE reminders_attempt SET outcome = 'accepted', ended_at = %s
    WHERE outcome = 'started' AND id IN {keys}
"""
_ASK = """
    UPDATE surveys_stepdue SET state = 'asked' WHERE state = 'planned' AND follow_up_id IN {keys}
"""
_ATTEMPT = (
    *("message_id", "n", "started_at", "outcome", "error", "lane", "idempotency_key"),
    *("template_version", "inputs", "payload_sha256", "replays"),
)


def stored(model: type[models.Model], field: str, value: Any) -> Any:
    """A value as this database keeps it."""
    column: Any = model._meta.get_field(field)
    return column.get_db_prep_value(value, connection)


def mean_to_send(
    messages: Sequence[uuid.UUID], token: uuid.UUID | None, until: datetime, day: date | None
) -> int:
    """Claimed messages that are ours -> sending. How many there were."""
    first = [stored(Message, "lease_until", until), stored(Message, "capped_on", day)]
    return _run(_MEAN, [*first, stored(Message, "id", token)], _keys(messages))


def accept(messages: Sequence[tuple[uuid.UUID, uuid.UUID | None, str]], now: datetime) -> int:
    """(message, token, provider's id): sending -> accepted. How many were still ours."""
    at = stored(Message, "accepted_at", now)
    values = [
        (at, at, provider_id, stored(Message, "id", pk), stored(Message, "id", token))
        for pk, token, provider_id in messages
    ]
    with connection.cursor() as cursor:
        cursor.executemany(_ACCEPT, values)
        return int(cursor.rowcount)


def end_attempts(attempts: Sequence[int], now: datetime) -> int:
    """Started attempts -> accepted."""
    return _run(_END, [stored(Attempt, "ended_at", now)], attempts)


def ask(follow_ups: Sequence[uuid.UUID]) -> int:
    """What these follow-ups ask has been asked."""
    return _run(_ASK, [], [stored(StepDue, "id", pk) for pk in follow_ups])


def insert(attempts: Sequence[Attempt]) -> None:
    """`bulk_create`, and each gets its key."""
    row = f"({', '.join(['%s'] * len(_ATTEMPT))})"
    statement = (
        f"INSERT INTO reminders_attempt ({', '.join(_ATTEMPT)})"
        f" VALUES {', '.join([row] * len(attempts))} RETURNING id"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [value for attempt in attempts for value in _values(attempt)])
        for attempt, (pk,) in zip(attempts, cursor.fetchall(), strict=True):
            attempt.pk = pk


def _values(attempt: Attempt) -> list[Any]:
    return [
        stored(Message, "id", attempt.message_id),
        attempt.n,
        stored(Attempt, "started_at", attempt.started_at),
        str(attempt.outcome),
        attempt.error,
        attempt.lane,
        stored(Message, "id", attempt.idempotency_key),
        attempt.template_version,
        json.dumps(attempt.inputs),
        attempt.payload_sha256,
        attempt.replays,
    ]


def _keys(keys: Sequence[uuid.UUID]) -> list[Any]:
    return [stored(Message, "id", pk) for pk in keys]


def _run(statement: str, values: list[Any], keys: Sequence[Any]) -> int:
    marks = f"({', '.join(['%s'] * len(keys))})"
    with connection.cursor() as cursor:
        cursor.execute(statement.format(keys=marks), [*values, *keys])
        return int(cursor.rowcount)
