"""Decide about one claimed row, and record that it is meant to be sent: gate and intent.

Facts are read for a whole batch. Under the patient's and the follow-up's lock, right before the
intent, the message's stamp says whether they still hold; if not, they are read again there.
"""

import logging
import time
import traceback
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import IntegrityError, InterfaceError, OperationalError

from clinic.actors import system
from reminders import claiming, emails, gate, lanes, planning, plucking, rereading, statements
from reminders.calling import Intent
from reminders.claiming import Claimed, held, lease_from
from reminders.emails import Mail
from reminders.gate import Go, Later, Verdict
from reminders.lasting import lasting
from reminders.letters import notice_letter
from reminders.models import Attempt, Message, Notice, State
from reminders.outcomes import Came
from reminders.preparing import Prepared, mail_of
from reminders.settling import Call, look_again
from reminders.stamps import Stamp, stamps_under_lock
from reminders.timekeeping import Clock

logger = logging.getLogger(__name__)

FRESH = timedelta(seconds=10)  # cover ends with time alone, which no stamp shows
_UNENDED: dict[str, Any] = {
    **{"id": None, "message_id": None, "notice_id": None, "ended_at": None},
    **{"outcome": Came.STARTED, "error": "", "replays": 0},
}
SECOND_LOOK = timedelta(minutes=1)
PUZZLE = timedelta(minutes=15)  # a row that cannot be prepared neither blocks nor spins


@dataclass(frozen=True, slots=True)
class Way:
    """The way out a row is to take. A probe goes although the lane is paused."""

    lane: str
    probing: bool = False


def intend_all(group: Sequence[Prepared], way: Way, *, clock: Clock) -> Iterator[Intent]:
    """Intents of a group: together in one transaction where what was read still holds, else each
    by itself. As many calls are then under way as there are intents."""
    together = _intend_together(_one_of_each_patient(group), way, clock())
    yield from together
    done = {intent.call.row.pk for intent in together}
    for prepared in group:
        if prepared.row.pk not in done and (intent := intend(prepared, way, now=clock())):
            yield intent


def intend(prepared: Prepared, way: Way, *, now: datetime) -> Intent | None:
    """Gate and intent in one transaction. None: it does not go now, and the row says why."""
    try:
        if isinstance(prepared.row, Notice):
            return _intend_notice(prepared.row, way, now)
        return _intend_message(prepared.row, way, now)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # whatever is wrong with this row, the others must go
        _set_aside(prepared.row, error, now)
        return None


def _one_of_each_patient(group: Iterable[Prepared]) -> list[Prepared]:
    """A second message of one patient waits for what became of the first."""
    first = {each.reread.message.patient_id: each for each in group if each.reread}
    return list(first.values())


@dataclass(frozen=True, slots=True)
class _Going:
    """A message that is to go, if its stamp is still the same."""

    row: Message
    stamp: Stamp | None
    go: Go
    mail: Mail


def _intend_together(group: Sequence[Prepared], way: Way, now: datetime) -> list[Intent]:
    """Nothing at all where anything is out of the ordinary: then each is looked at by itself."""
    began = time.monotonic()
    going = [found for each in group if (found := _going(each, now))]
    if not going:
        return []
    try:
        with lasting():
            present = stamps_under_lock([each.row.pk for each in going], way.lane)
            same = [each for each in going if present.get(each.row.pk) == each.stamp]
            return _record_intents(same, way.lane, began, now)
    except (IntegrityError, _LostRow):
        return []


def _going(prepared: Prepared, now: datetime) -> _Going | None:
    """Judged on what was read for the batch, and what was written then."""
    reread, mail = prepared.reread, prepared.mail
    if reread is None or mail is None:
        return None  # it is looked at by itself, and set aside there
    if now - prepared.read_at >= FRESH or reread.outdated(now):
        return None
    verdict = gate.ended(reread.facts) or gate.message_verdict(reread.facts, now)
    if not isinstance(verdict, Go):
        return None
    return _Going(reread.message, prepared.stamp, verdict, mail)


class _LostRow(Exception):
    """Somebody else has decided about one of the rows."""


def _record_intents(
    going: Sequence[_Going], lane: str, began: float, now: datetime
) -> list[Intent]:
    if not going:
        return []
    by_day: dict[date | None, list[uuid.UUID]] = defaultdict(list)
    for each in going:
        by_day[_day(each.row, each.go)].append(each.row.pk)
    token, until = going[0].row.lease_token, lease_from(now)  # they were claimed together
    meaning = [statements.mean_to_send(rows, token, until, day) for day, rows in by_day.items()]
    attempts = [_attempt(each.row, each.mail, lane, now) for each in going]
    if statements.intend(meaning, attempts) != len(going):
        raise _LostRow
    return [
        Intent(Call(each.row, attempt), each.mail, began)
        for each, attempt in zip(going, attempts, strict=True)
    ]


def _intend_message(row: Message, way: Way, now: datetime) -> Intent | None:
    intent, outdated = _decide(row, way, now)
    if outdated:
        planning.reconcile(row.patient, now=now, by=system("found behind when sending"))
        intent, outdated = _decide(row, way, now)
    if outdated:
        claiming.put_off(row, until=now + PUZZLE, reason="the schedule is behind", now=now)
    return intent


def _decide(row: Message, way: Way, now: datetime) -> tuple[Intent | None, bool]:
    """The intent, and whether the schedule must be brought up to date before anything goes."""
    if not way.probing and not lanes.is_open(way.lane, now=now):
        claiming.release(row)
        return None, False
    try:
        return _decide_under_lock(row, way.lane, now)
    except IntegrityError:  # another message of this patient took the day an instant ago
        later = now + SECOND_LOOK
        claiming.put_off(row, until=later, reason="another message the same day", now=now)
        return None, False


@lasting()
def _decide_under_lock(row: Message, lane: str, now: datetime) -> tuple[Intent | None, bool]:
    began = time.monotonic()
    reread = rereading.message(row, now=now)
    if reread is None:
        return None, False
    ended = gate.ended(reread.facts)
    if reread.outdated(now) and not ended:
        return None, True
    verdict = ended or gate.message_verdict(reread.facts, now)
    if not isinstance(verdict, Go):
        _do_not_send(reread.message, verdict, now)
        return None, False
    return _record_intent(reread.message, verdict, mail_of(reread, lane), lane, began, now), False


@lasting()
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
    changes = {"capped_on": _day(row, go)} if isinstance(row, Message) else {}
    if not held(row, State.CLAIMED).update(**_sending(now), **changes):
        return None
    attempt = _attempt(row, mail, lane, now)
    attempt.save(force_insert=True)
    return Intent(Call(row, attempt), mail, began)


def _day(row: Message, go: Go) -> date | None:
    """The day it uses up. Outside the cap it keeps the one that an earlier call may have used."""
    return go.capped_on or row.capped_on


def _sending(now: datetime) -> dict[str, Any]:
    return {"state": State.SENDING, "lease_until": lease_from(now), "reason": ""}


def _attempt(row: Claimed, mail: Mail, lane: str, now: datetime) -> Attempt:
    key = uuid.uuid5(row.pk, str(row.claims))  # of this attempt, and of its repetitions
    mail.carry(key)
    about = "message_id" if isinstance(row, Message) else "notice_id"
    return plucking.begun(
        Attempt,
        {
            **_UNENDED,
            about: row.pk,
            "n": row.claims,
            "started_at": now,
            "lane": lane,
            "idempotency_key": key,
            "template_version": mail.template_version,
            "inputs": dict(mail.letter.stored),
            "payload_sha256": mail.sha256,
        },
    )


def _set_aside(row: Claimed, error: Exception, now: datetime) -> None:
    """Look at it again later. The log names the place, never the text: it may name a person."""
    name, at = type(error).__name__, traceback.extract_tb(error.__traceback__)[-1]
    kind = row._meta.model_name
    logger.error("%s %s set aside: %s at %s:%s", kind, row.pk, name, at.filename, at.lineno)
    claiming.put_off(row, until=now + PUZZLE, reason=f"cannot be prepared: {name}", now=now)
