"""Take rows for sending and give them back. One conditional UPDATE each.

That a row is taken once rests on the UPDATE naming the state it expects, on either database; SKIP
LOCKED only keeps PostgreSQL's workers from waiting for each other.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import connection, models
from django.db.models import QuerySet

from reminders.models import Claim, Message, Notice, State

BATCH = 50
LEASE = timedelta(minutes=5)  # far above one call (25 s at most), short enough for a morning's mail

AnyClaim = TypeVar("AnyClaim", bound=Claim)
Claimed = Message | Notice

_DUE = """
    SELECT id FROM {table} WHERE state = 'scheduled' AND due_at <= %s
    ORDER BY due_at, id LIMIT %s
"""
_TAKE = "state = 'claimed', lease_token = %s, lease_until = %s, claims = claims + 1"
_POSTGRESQL = f"""
    WITH due AS MATERIALIZED ({_DUE} FOR UPDATE SKIP LOCKED)
    UPDATE {{table}} SET {_TAKE} FROM due
    WHERE {{table}}.id = due.id AND {{table}}.state = 'scheduled' RETURNING {{table}}.id
"""
_SQLITE = f"""
    UPDATE {{table}} SET {_TAKE}
    WHERE id IN ({_DUE}) AND state = 'scheduled' RETURNING id
"""


def next_batch(limit: int, *, now: datetime) -> Sequence[Claimed]:
    """Notices to staff go before anything for patients."""
    return claim(Notice, limit, now=now) or claim(Message, limit, now=now)


def claim(model: type[AnyClaim], limit: int, *, now: datetime) -> list[AnyClaim]:
    """Take at most `limit` due rows, soonest first. Nothing irreversible."""
    token = uuid.uuid4()
    ids = _take(model, limit, token, now)
    if not ids:
        return []
    rows = _with_what_a_mail_needs(model).filter(pk__in=ids, lease_token=token)
    return sorted(rows, key=lambda row: (row.due_at, row.pk))


def release(row: Claim, *, due_at: datetime | None = None, reason: str = "") -> bool:
    """Give back a claimed row, for another time if `due_at` says so. False: it is not ours."""
    changes: dict[str, Any] = {"state": State.SCHEDULED, "lease_token": None, "lease_until": None}
    if due_at is not None:
        changes |= {"due_at": due_at, "reason": reason}
    return bool(held(row, State.CLAIMED).update(**changes))


def release_rest(rows: Sequence[Claimed]) -> None:
    """Give back what is left of one batch, as it was."""
    if not rows:
        return
    mine = type(rows[0])._default_manager.filter(
        pk__in=[row.pk for row in rows], state=State.CLAIMED, lease_token=rows[0].lease_token
    )
    mine.update(state=State.SCHEDULED, lease_token=None, lease_until=None)


def held(row: Claim, state: State) -> QuerySet[Claim]:
    """The row, as long as we hold it in that state."""
    manager = type(row)._default_manager
    return manager.filter(pk=row.pk, state=state, lease_token=row.lease_token)


def release_abandoned(*, now: datetime) -> int:
    """Rows whose worker died before it meant to send them. Safe: nobody called the provider."""
    released = 0
    for model in (Notice, Message):
        lost = model._default_manager.filter(state=State.CLAIMED, lease_until__lte=now)
        released += lost.update(state=State.SCHEDULED, lease_token=None, lease_until=None)
    return released


def _take(model: type[Claim], limit: int, token: uuid.UUID, now: datetime) -> list[uuid.UUID]:
    statement, order = (
        (_SQLITE, "take, due") if connection.vendor == "sqlite" else (_POSTGRESQL, "due, take")
    )
    values = {
        "due": [_stored(model, "due_at", now), limit],
        "take": [_stored(model, "lease_token", token), _stored(model, "lease_until", now + LEASE)],
    }
    with connection.cursor() as cursor:
        cursor.execute(
            statement.format(table=model._meta.db_table),
            [value for part in order.split(", ") for value in values[part]],
        )
        return [uuid.UUID(str(pk)) for (pk,) in cursor.fetchall()]


def _stored(model: type[Claim], field: str, value: Any) -> Any:
    column: models.Field[Any, Any] = getattr(model, field).field
    return column.get_db_prep_value(value, connection)


def _with_what_a_mail_needs(model: type[AnyClaim]) -> QuerySet[AnyClaim]:
    rows = model._default_manager.all()
    if issubclass(model, Notice):
        return rows.select_related("alert", "clinic", "member__user")
    return rows.select_related("patient__clinic", "follow_up").prefetch_related("follow_up__dues")
