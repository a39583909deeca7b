"""Send what is due.

The promise: at most one acceptance by the provider for each message, unless a person decides
otherwise; every message ends in a terminal state or on the list of `unknown`; nothing goes in
quiet hours, after its window, or after the patient answered, withdrew, unsubscribed or died.

    claim    a batch of rows gets our token and a lease       a crash: back to scheduled
    gate     every reason not to send, read again under lock  a crash: back to scheduled
    intent   the row says `sending`, an attempt is written    a crash: `unknown`, never sent again
    call     the provider; no transaction is open             a crash: `unknown`
    settle   what came of it, if the lease is still ours      a crash: `unknown`

`unknown` is settled by the provider's events or by a person. A notice to staff differs in one
thing: after `unknown` it goes again, until somebody takes its alert.
"""

import logging
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError, transaction

from clinic.actors import system
from reminders import claiming, emails, gate, lanes, outcomes, planning, rereading
from reminders.claiming import BATCH, LEASE, Claimed, held
from reminders.emails import Mail
from reminders.gate import Go, Later, Verdict
from reminders.lanes import Admission
from reminders.letters import message_letter, notice_letter
from reminders.models import Attempt, Message, Notice, State
from reminders.outcomes import Outcome, Way
from reminders.settling import Call, look_again, settle_surely
from reminders.timekeeping import Clock
from reminders.transport import Transport

logger = logging.getLogger(__name__)

Stop = Callable[[], bool]

DRAIN_SECONDS = 60
HELD_UP_SECONDS = LEASE.total_seconds() / 2  # from the intent; a process stopped for longer is out
SECOND_LOOK = timedelta(minutes=1)
PUZZLE = timedelta(minutes=15)  # a row that cannot be prepared neither blocks nor spins


@dataclass(frozen=True, slots=True)
class Intent:
    call: Call
    mail: Mail


def drain(*, clock: Clock, stop: Stop = lambda: False, seconds: float = DRAIN_SECONDS) -> int:
    """Send until nothing is due, `stop` says so or the time is up. Returns the calls made."""
    if settings.MAIL_MODE == "hold":
        return 0
    ends, calls = time.monotonic() + seconds, 0
    with Transport() as transport:
        while not stop() and time.monotonic() < ends:
            admission = lanes.admit(transport.lane, now=clock())
            if admission is Admission.NONE:
                break
            probing = admission is Admission.PROBE
            rows = claiming.next_batch(1 if probing else BATCH, now=clock())
            tried = _work_off(rows, transport, probing, clock, stop)
            calls += tried
            if probing and not tried:
                lanes.hand_back(transport.lane, now=clock())
            if not rows:
                break
    return calls


def _work_off(
    rows: Sequence[Claimed], transport: Transport, probing: bool, clock: Clock, stop: Stop
) -> int:
    """Send the claimed rows one by one; give back the rest when the way out is in doubt."""
    calls = 0
    for at, row in enumerate(rows):
        try:
            way = Way.UNTRIED if stop() else send(row, transport, probing=probing, clock=clock)
        except Exception:  # the database failed us: the others need not wait for their lease's end
            claiming.release_rest(rows[at:])
            raise
        calls += way is not Way.UNTRIED
        if stop() or way not in (Way.GOOD, Way.UNTRIED):
            claiming.release_rest(rows[at:])
            break
    return calls


def send(row: Claimed, transport: Transport, *, probing: bool = False, clock: Clock) -> Way:
    """One claimed row through gate, intent, call and settle. Says how the way out is."""
    began = time.monotonic()
    outcome = _opened(transport)
    if outcome is None:
        try:
            intent = intend(row, transport.lane, probing=probing, now=clock())
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # whatever is wrong with this row, the others must go
            _set_aside(row, error, clock())
            return Way.UNTRIED
        if intent is None:
            return Way.UNTRIED
        outcome = _call(intent.mail, transport, began, clock)
        settle_surely(intent.call, outcome, now=clock())
    lanes.note(transport.lane, outcome, now=clock())
    return outcome.way


def intend(row: Claimed, lane: str, *, probing: bool = False, now: datetime) -> Intent | None:
    """Gate and intent in one transaction. None: it does not go now, and the row says why."""
    if not probing and not lanes.is_open(lane, now=now):
        claiming.release(row)
        return None
    if isinstance(row, Message):
        return _intend_message(row, lane, now)
    return _intend_notice(row, lane, now)


def _opened(transport: Transport) -> Outcome | None:
    """Connect before any intent: a server that is away leaves nothing `unknown`."""
    try:
        transport.open()
    except Exception as error:  # backends raise what they like
        return outcomes.of_opening(error)
    return None


def _intend_message(row: Message, lane: str, now: datetime) -> Intent | None:
    asked = rereading.merged(due.instruments for due in rereading.asking(row.follow_up))
    mail = emails.write(message_letter(row, asked), lane)  # outside the transaction: it takes time
    intent, outdated = _decide(row, mail, lane, now)
    if outdated:
        planning.reconcile(row.patient, now=now, by=system("found behind when sending"))
        intent, outdated = _decide(row, mail, lane, now)
    if outdated:
        claiming.release(row, due_at=now + PUZZLE, reason="the schedule is behind")
    return intent


def _decide(row: Message, mail: Mail, lane: str, now: datetime) -> tuple[Intent | None, bool]:
    """The intent, and whether the schedule must be brought up to date before anything goes."""
    try:
        return _decide_under_lock(row, mail, lane, now)
    except IntegrityError:  # another message of this patient took the day an instant ago
        claiming.release(row, due_at=now + SECOND_LOOK, reason="another message the same day")
        return None, False


@transaction.atomic
def _decide_under_lock(
    row: Message, mail: Mail, lane: str, now: datetime
) -> tuple[Intent | None, bool]:
    reread = rereading.message(row, now=now)
    if reread is None:
        return None, False
    ended = gate.ended(reread.facts)
    if reread.outdated and not ended:
        return None, True
    verdict = ended or gate.message_verdict(reread.facts, now)
    letter = message_letter(reread.message, reread.instruments)
    if isinstance(verdict, Go) and letter != mail.letter:
        mail = emails.write(letter, lane)
    return _act(reread.message, verdict, mail, lane, now), False


@transaction.atomic
def _intend_notice(row: Notice, lane: str, now: datetime) -> Intent | None:
    reread = rereading.notice(row)
    if reread is None:
        return None
    notice, facts = reread
    mail = emails.write(notice_letter(notice), lane)
    return _act(notice, gate.notice_verdict(facts), mail, lane, now)


def _act(row: Claimed, verdict: Verdict, mail: Mail, lane: str, now: datetime) -> Intent | None:
    if isinstance(verdict, Later):
        claiming.release(row, due_at=verdict.due_at, reason=verdict.reason)
        return None
    if isinstance(verdict, Go):
        return _record_intent(row, verdict, mail, lane, now)
    held(row, State.CLAIMED).update(
        state=verdict.state, reason=verdict.reason, ended_at=now, lease_token=None, lease_until=None
    )
    if isinstance(row, Message):
        look_again(row, now=now)
    return None


def _record_intent(row: Claimed, go: Go, mail: Mail, lane: str, now: datetime) -> Intent | None:
    """From the commit of this on, a crash means that the mail may have been sent."""
    changes = {"capped_on": go.capped_on} if isinstance(row, Message) else {}
    sending = held(row, State.CLAIMED).update(
        state=State.SENDING, lease_until=now + LEASE, reason="", **changes
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
    return Intent(Call(row, attempt), mail)


def _call(mail: Mail, transport: Transport, began: float, clock: Clock) -> Outcome:
    """Hand the mail over, unless we were stopped for so long that others have decided."""
    if time.monotonic() - began > HELD_UP_SECONDS:
        return outcomes.never_called("held up between intent and call")
    try:
        return outcomes.accepted(transport.call(mail))
    except Exception as error:  # whatever it was, the provider may have the mail
        transport.close()
        return outcomes.of_calling(error, now=clock())


def _set_aside(row: Claimed, error: Exception, now: datetime) -> None:
    """Look at it again later. The log names the place, never the text: it may name a person."""
    name, at = type(error).__name__, traceback.extract_tb(error.__traceback__)[-1]
    kind = row._meta.model_name
    logger.error("%s %s set aside: %s at %s:%s", kind, row.pk, name, at.filename, at.lineno)
    claiming.release(row, due_at=now + PUZZLE, reason=f"cannot be prepared: {name}")
