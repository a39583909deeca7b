"""A message's stamp: everything a decision to send it rests on, in one short statement.

Facts are read for a whole batch, which is cheap; seconds may pass before a message's turn comes.
Its stamp, taken before the facts were read and again under the patient's lock, is the proof that
they still hold: another stamp means that they are read again, one by one, under the lock.
"""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

from reminders.statements import Result, Statement, array, keys, run

Stamp = tuple[Any, ...]

# What staff, the patient and the planner can change. Every verb about a patient also raises the
# revision of the courses, so that what is not named here is covered by it.
_STAMP = """
        m.due_at, m.not_after,
        f.send_at, f.closes_at, f.finished_at, f.withdrawn_at, f.language, f.link_nonce,
        p.status, p.paused_until, p.email, p.name, p.zone, p.language, p.allowed_days,
        c.zone, c.quiet_from, c.quiet_until, c.allowed_days, c.sender_name, c.phone,
        c.greet_by_first_name,
        (SELECT SUM(revision) FROM clinic_course WHERE patient_id = p.id),
        (SELECT MIN(replan_at) FROM clinic_course WHERE patient_id = p.id),
        (SELECT MAX(id) FROM reminders_suppression WHERE patient_id = p.id AND lifted_at IS NULL),
        (SELECT COUNT(*) FROM surveys_alert WHERE patient_id = p.id AND closed_at IS NULL),
        (SELECT MAX(capped_on) FROM reminders_message
            WHERE patient_id = p.id AND capped_on IS NOT NULL),
        (SELECT paused_until FROM reminders_lane WHERE name = %s)
"""
_OF_MESSAGES = """
    FROM reminders_message m
    JOIN surveys_followup f ON f.id = m.follow_up_id
    JOIN clinic_patient p ON p.id = m.patient_id
    JOIN clinic_clinic c ON c.id = m.clinic_id
    WHERE m.id {among}
"""
_SELECT = {
    "postgresql": f"SELECT m.id, ROW({_STAMP})::text {_OF_MESSAGES}",  # one value, not parsed
    "sqlite": f"SELECT m.id, {_STAMP} {_OF_MESSAGES}",
}
# In one order, so that two drains never wait for each other. The follow-up is what answers lock.
_LOCK = """
    SELECT 1 FROM reminders_message m
    JOIN clinic_patient p ON p.id = m.patient_id
    JOIN surveys_followup f ON f.id = m.follow_up_id
    WHERE m.id = ANY(%s::uuid[]) ORDER BY p.id FOR NO KEY UPDATE OF p, f
"""


def stamps(messages: Iterable[uuid.UUID], lane: str) -> dict[uuid.UUID, Stamp]:
    """The stamps of these messages, and of their way out, as they are now."""
    chosen = keys(list(messages))
    return _read(run(_reading(chosen, lane))[0]) if chosen else {}


def stamps_under_lock(messages: Sequence[uuid.UUID], lane: str) -> dict[uuid.UUID, Stamp]:
    """Lock patients and follow-ups, as whoever changes or answers them does, then take the stamps.

    Two statements on purpose: one would read what stood before the locks were granted.
    """
    statements = [_reading(keys(messages), lane)]
    if connection.features.has_select_for_update:  # SQLite's transactions are one at a time
        statements.insert(0, Statement(_LOCK, [array(messages)]))
    return _read(run(*statements)[-1])


def _reading(chosen: Sequence[Any], lane: str) -> Statement:
    return Statement.about(_SELECT[connection.vendor], [lane], chosen)


def _read(result: Result) -> dict[uuid.UUID, Stamp]:
    return {uuid.UUID(str(row[0])): _comparable(row[1:]) for row in result.rows}


def _comparable(row: Iterable[Any]) -> Stamp:
    return tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)
