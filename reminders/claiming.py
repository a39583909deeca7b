"""Take rows for sending and give them back. One conditional UPDATE each.

That a row is taken once rests on the UPDATE naming the state it expects, on either database; SKIP
LOCKED only keeps PostgreSQL's workers from waiting for each other.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar, cast

from django.conf import settings
from django.db import connection
from django.db.models import F, QuerySet

from reminders import plucking
from reminders.changes import appended, entry
from reminders.models import Claim, Message, Notice, State
from reminders.statements import Among, stored
from reminders.turns import Turns

BATCH = 200
LEASE = timedelta(seconds=settings.LEASE_SECONDS)

AnyClaim = TypeVar("AnyClaim", bound=Claim)
Claimed = Message | Notice

_DUE = "{table} WHERE {whose}state = 'scheduled' AND due_at <= %s ORDER BY due_at, id LIMIT %s"
_PLAIN = f"SELECT id FROM {_DUE}"
_TAKE = "state = 'claimed', lease_token = %s, lease_until = %s, claims = claims + 1"
# Each clinic's soonest, an equal share for each: the index on clinic and time serves both.
_BY_TURNS = {
    "postgresql": f"""
        SELECT mine.id FROM unnest(%s::uuid[]) AS turn (clinic_id)
        CROSS JOIN LATERAL (SELECT id FROM {_DUE} FOR UPDATE SKIP LOCKED) AS mine
    """,
    "sqlite": f"SELECT id FROM (SELECT id FROM {_DUE})",
}
_UPDATE = {
    "postgresql": f"""
        WITH due AS MATERIALIZED ({{due}})
        UPDATE {{table}} SET {_TAKE} FROM due
        WHERE {{table}}.id = due.id AND {{table}}.state = 'scheduled' RETURNING {{table}}.id
    """,
    "sqlite": f"""
        UPDATE {{table}} SET {_TAKE}
        WHERE id IN ({{due}}) AND state = 'scheduled' RETURNING id
    """,
}


def lease_from(now: datetime) -> datetime:
    return now + LEASE


@dataclass(frozen=True, slots=True)
class Taken(Generic[AnyClaim]):
    """What one claim took: the rows' keys, and the token that says they are ours."""

    model: type[AnyClaim]
    token: uuid.UUID
    ids: Sequence[uuid.UUID]


def take(
    model: type[AnyClaim], limit: int, *, now: datetime, clinics: Sequence[uuid.UUID] = ()
) -> Taken[AnyClaim]:
    """Take at most `limit` due rows, soonest first; of each of `clinics` alike, if any are named.

    Nothing irreversible.
    """
    token = uuid.uuid4()
    taking = [stored(model, "lease_token", token), stored(model, "lease_until", lease_from(now))]
    due, choosing = _due(model, limit, stored(model, "due_at", now), clinics)
    update = _UPDATE[connection.vendor].format(table=model._meta.db_table, due=due)
    first_due = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute(update, [*choosing, *taking] if first_due else [*taking, *choosing])
        return Taken(model, token, [_key(pk) for (pk,) in cursor.fetchall()])


def take_next(turns: Turns, limit: int, *, now: datetime) -> Taken[Any]:
    """Notices to staff go before anything for patients; then the clinics take turns."""
    taken: Taken[Any] = take(Notice, limit, now=now)
    if taken.ids:
        return taken
    for clinics in turns.each(now):
        taken = take(Message, limit, now=now, clinics=clinics)
        if taken.ids:
            break
    return taken


def load(taken: Taken[AnyClaim]) -> list[AnyClaim]:
    """The rows, with what a mail needs, as long as they are ours; soonest first."""
    if not taken.ids:
        return []
    mine = taken.model._default_manager.filter(
        Among(F("pk"), taken.ids), state=State.CLAIMED, lease_token=taken.token
    )
    mine = mine.order_by("due_at", "pk")
    if issubclass(taken.model, Notice):
        return list(mine.select_related("alert", "clinic", "member__user"))
    return cast("list[AnyClaim]", plucking.messages(cast("QuerySet[Message]", mine)))


def claim(model: type[AnyClaim], limit: int, *, now: datetime) -> list[AnyClaim]:
    """`take` and `load` in one."""
    return load(take(model, limit, now=now))


def release(row: Claimed, *, due_at: datetime | None = None, reason: str = "") -> bool:
    """Give back a claimed row, for another time if `due_at` says so. False: it is not ours."""
    changes: dict[str, Any] = {"state": State.SCHEDULED, "lease_token": None, "lease_until": None}
    if due_at is not None:
        changes |= {"due_at": due_at, "reason": reason}
    return bool(held(row, State.CLAIMED).update(**changes))


def put_off(row: Claimed, *, until: datetime, reason: str, now: datetime) -> bool:
    """`release` for another time, and a line in the message's history that says why."""
    if isinstance(row, Message):
        moved = entry(now, "due_at", row.due_at.isoformat(), until.isoformat(), reason)
        mine = Message.objects.filter(pk__in=held(row, State.CLAIMED).values("pk"))
        mine.update(changes=appended(row.changes, moved))
    return release(row, due_at=until, reason=reason)


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


def _due(
    model: type[Claim], limit: int, now: Any, clinics: Sequence[uuid.UUID]
) -> tuple[str, list[Any]]:
    """The rows to take, as SQL and its values."""
    table = model._meta.db_table
    if not clinics:
        locked = " FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""
        return _PLAIN.format(table=table, whose="") + locked, [now, limit]
    share = -(-limit // len(clinics))
    turns = [stored(model, "clinic_id", clinic) for clinic in clinics]
    if connection.vendor == "postgresql":
        its_own = "clinic_id = turn.clinic_id AND "
        due = _BY_TURNS["postgresql"].format(table=table, whose=its_own)
        return f"{due} LIMIT %s", [turns, now, share, limit]
    each = _BY_TURNS["sqlite"].format(table=table, whose="clinic_id = %s AND ")
    values = [value for turn in turns for value in (turn, now, share)]
    return " UNION ALL ".join([each] * len(turns)) + " LIMIT %s", [*values, limit]


def _key(pk: Any) -> uuid.UUID:
    return pk if isinstance(pk, uuid.UUID) else uuid.UUID(str(pk))
