"""Decide about one claimed row, and record that it is meant to be sent: gate and intent.

Facts are read for a whole batch. Under the patient's lock, right before the intent, the message's
stamp says whether they still hold; if not, they are read again there.
"""

import logging
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, InterfaceError, OperationalError, transaction

from clinic.actors import system
from reminders import claiming, emails, gate, lanes, moulds, planning, rereading
from reminders.calls import Intent
from reminders.claiming import Claimed, Taken, held, lease_from
from reminders.emails import Mail
from reminders.gate import Go, Later, Verdict
from reminders.letters import message_letter, notice_letter
from reminders.models import Attempt, Message, Notice, State
from reminders.rereading import Reread
from reminders.settling import Call, look_again
from reminders.stamps import Stamp, stamp_under_lock, stamps

logger = logging.getLogger(__name__)

FRESH = timedelta(seconds=10)  # cover ends with time alone, which no stamp shows
SECOND_LOOK = timedelta(minutes=1)
PUZZLE = timedelta(minutes=15)  # a row that cannot be prepared neither blocks nor spins


@dataclass(frozen=True, slots=True)
class Prepared:
    """A claimed row, with its facts as they were at `read_at`, and their stamp."""

    row: Claimed
    read_at: datetime
    stamp: Stamp | None = None
    reread: Reread | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """The way out a row is to take. A probe goes although the lane is paused."""

    lane: str
    probing: bool = False


def prepare(taken: Taken[Any], lane: str, *, now: datetime) -> list[Prepared]:
    """The rows of one claim, soonest first. Stamps come first: what changes later shows."""
    if taken.model is Notice:
        return [Prepared(row, now) for row in claiming.load(taken)]
    marks = stamps(taken.ids, lane)
    rows: list[Message] = claiming.load(taken)
    facts = _facts(rows, now)
    return [Prepared(row, now, marks.get(row.pk), facts.get(row.pk)) for row in rows]


def intend(prepared: Prepared, way: Way, *, now: datetime) -> Intent | None:
    """Gate and intent in one transaction. None: it does not go now, and the row says why."""
    try:
        if isinstance(prepared.row, Notice):
            return _intend_notice(prepared.row, way, now)
        return _intend_message(prepared, prepared.row, way, now)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # whatever is wrong with this row, the others must go
        _set_aside(prepared.row, error, now)
        return None


def _facts(rows: Sequence[Message], now: datetime) -> dict[Any, Reread]:
    """Nothing if one of the rows cannot be read: then each is read by itself, at its turn."""
    try:
        return rereading.messages(rows, now=now)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        logger.warning("a batch is read row by row: %s", type(error).__name__)
        return {}


def _intend_message(prepared: Prepared, row: Message, way: Way, now: datetime) -> Intent | None:
    intent, outdated = _decide(prepared, row, way, now)
    if outdated:
        planning.reconcile(row.patient, now=now, by=system("found behind when sending"))
        intent, outdated = _decide(Prepared(row, now), row, way, now)
    if outdated:
        claiming.put_off(row, until=now + PUZZLE, reason="the schedule is behind", now=now)
    return intent


def _decide(
    prepared: Prepared, row: Message, way: Way, now: datetime
) -> tuple[Intent | None, bool]:
    """The intent, and whether the schedule must be brought up to date before anything goes."""
    began = time.monotonic()
    reread = prepared.reread
    mail = _mail(reread, way.lane) if reread else None  # outside the transaction: it takes time
    try:
        with transaction.atomic():
            if not _holds(prepared, row, way.lane, now):
                if not way.probing and not lanes.is_open(way.lane, now=now):
                    claiming.release(row)
                    return None, False
                reread, mail = rereading.message(row, now=now), None
            if reread is None:
                return None, False
            return _judge(reread, mail, way.lane, began, now)
    except IntegrityError:  # another message of this patient took the day an instant ago
        later = now + SECOND_LOOK
        claiming.put_off(row, until=later, reason="another message the same day", now=now)
        return None, False


def _holds(prepared: Prepared, row: Message, lane: str, now: datetime) -> bool:
    """Lock the patient. Whether what was read for the batch is still so."""
    stamp = stamp_under_lock(row.pk, row.patient_id, lane)
    fresh = now - prepared.read_at < FRESH
    return fresh and prepared.reread is not None and stamp == prepared.stamp


def _judge(
    reread: Reread, mail: Mail | None, lane: str, began: float, now: datetime
) -> tuple[Intent | None, bool]:
    ended = gate.ended(reread.facts)
    if reread.outdated(now) and not ended:
        return None, True
    verdict = ended or gate.message_verdict(reread.facts, now)
    if not isinstance(verdict, Go):
        _do_not_send(reread.message, verdict, now)
        return None, False
    mail = mail or _mail(reread, lane)
    return _record_intent(reread.message, verdict, mail, lane, began, now), False


def _mail(reread: Reread, lane: str) -> Mail:
    return moulds.write(message_letter(reread.message, reread.instruments), lane)


@transaction.atomic
def _intend_notice(row: Notice, way: Way, now: datetime) -> Intent | None:
    began = time.monotonic()
    if not way.probing and not lanes.is_open(way.lane, now=now):
        claiming.release(row)
        return None
    reread = rereading.notice(row)
    if reread is None:
        return None
    notice, facts = reread
    verdict = gate.notice_verdict(facts)
    if not isinstance(verdict, Go):
        _do_not_send(notice, verdict, now)
        return None
    mail = emails.write(notice_letter(notice), way.lane)
    return _record_intent(notice, verdict, mail, way.lane, began, now)


def _do_not_send(row: Claimed, verdict: Verdict, now: datetime) -> None:
    if isinstance(verdict, Later):
        claiming.put_off(row, until=verdict.due_at, reason=verdict.reason, now=now)
    elif not isinstance(verdict, Go):
        held(row, State.CLAIMED).update(
            state=verdict.state,
            reason=verdict.reason,
            ended_at=now,
            lease_token=None,
            lease_until=None,
        )
        if isinstance(row, Message):
            look_again(row, now=now)


def _record_intent(
    row: Claimed, go: Go, mail: Mail, lane: str, began: float, now: datetime
) -> Intent | None:
    """From the commit of this on, a crash means that the mail may have been sent."""
    changes = {"capped_on": go.capped_on} if isinstance(row, Message) else {}
    sending = held(row, State.CLAIMED).update(
        state=State.SENDING, lease_until=lease_from(now), reason="", **changes
    )
    if not sending:
        return None
    attempt = Attempt.objects.create(
        **({"message": row} if isinstance(row, Message) else {"notice": row}),
        n=row.claims,
        started_at=now,
        lane=lane,
        idempotency_key=mail.letter.message_id,
        template_version=mail.template_version,
        inputs=dict(mail.letter.stored),
        payload_sha256=mail.sha256,
    )
    return Intent(Call(row, attempt), mail, began)


def _set_aside(row: Claimed, error: Exception, now: datetime) -> None:
    """Look at it again later. The log names the place, never the text: it may name a person."""
    name, at = type(error).__name__, traceback.extract_tb(error.__traceback__)[-1]
    kind = row._meta.model_name
    logger.error("%s %s set aside: %s at %s:%s", kind, row.pk, name, at.filename, at.lineno)
    claiming.put_off(row, until=now + PUZZLE, reason=f"cannot be prepared: {name}", now=now)
