"""Record what came of a call, once, in one transaction guarded by the lease."""

import logging
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import Error as DatabaseTrouble
from django.db import InterfaceError, OperationalError, connection

from clinic.models import Course, Patient
from reminders import outcomes, statements, suppression
from reminders.claiming import Claimed, held
from reminders.lasting import lasting
from reminders.models import Attempt, Message, Notice, State, Suppression
from reminders.outcomes import Came, Outcome
from surveys.models import AlertEvent, StepDue

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 8
FIRST_BACKOFF = timedelta(minutes=1)
LONGEST_BACKOFF = timedelta(minutes=30)
NOTICE_AGAIN = timedelta(minutes=1)  # after `unknown`: somebody may be in danger
PATIENCE = (0.1, 1.0, 5.0)  # seconds between tries to record what came of a call

_ENDS = {
    Came.ACCEPTED: State.ACCEPTED,
    Came.REJECTED: State.REJECTED,
    Came.FAILED: State.FAILED,
}


@dataclass(frozen=True, slots=True)
class Call:
    """One call, as recorded before it is made.

    A `replay` is the same call again: anything but a yes says nothing about the first one.
    """

    row: Claimed
    attempt: Attempt
    replay: bool = False


def settle_all(calls: Sequence[tuple[Call, Outcome]], *, now: datetime) -> None:
    """What came of several calls: the plain successes together, the others one by one.

    That one cannot be recorded must not cost what is known of another.
    """
    plain = [each for each in calls if _is_plain(*each)]
    others = [each for each in calls if not _is_plain(*each)]
    if plain and not _settle_together(plain, now):
        others = list(calls)
    failure: Exception | None = None
    patience: Sequence[float] = PATIENCE
    for call, outcome in others:
        try:
            settle_surely(call, outcome, patience=patience, now=now)
        except DatabaseTrouble as error:
            failure, patience = error, ()  # who waits for the database waits once for all
    if failure is not None:
        raise failure


def _is_plain(call: Call, outcome: Outcome) -> bool:
    return outcome.came is Came.ACCEPTED and isinstance(call.row, Message)


def settle_surely(
    call: Call, outcome: Outcome, *, patience: Sequence[float], now: datetime
) -> bool:
    """`settle`, through a deadlock or a database that is away for a moment.

    Giving up leaves `unknown` what we know; a second run of one that did commit changes nothing.
    """
    for pause in patience:
        try:
            return settle(call, outcome, now=now)
        except (OperationalError, InterfaceError):
            if not connection.in_atomic_block:
                connection.close_if_unusable_or_obsolete()
            time.sleep(pause)
    return settle(call, outcome, now=now)


def settle(call: Call, outcome: Outcome, *, now: datetime) -> bool:
    """False: the lease was lost and the row has been decided about without us."""
    if call.replay and outcome.came is not Came.ACCEPTED:
        outcome = outcomes.still_unknown(outcome)
    with lasting():
        if isinstance(call.row, Message) and outcome.came in (Came.ACCEPTED, Came.UNKNOWN):
            # Dues before messages, as the planner writes them: nobody waits for the other.
            # What follows is planned soon: the planner knew when this message was to go.
            statements.run(statements.ask([call.row.follow_up_id]))
        if isinstance(call.row, Message) and outcome.suppress:
            Patient.objects.held(call.row.patient_id)  # before the message, as every verb does
        if not held(call.row, State.SENDING).update(**_changes(call.row, outcome, now)):
            return _testify(call, outcome, now)
        _end_attempt(call.attempt, Came.STARTED, outcome, now)
        _follow(call.row, call.attempt, outcome, now)
    _log(call, outcome.came)
    return True


def _settle_together(calls: Sequence[tuple[Call, Outcome]], now: datetime) -> bool:
    """All of them in one transaction, or, if any is out of the ordinary, none."""
    accepting = statements.accept([_accepting(*each) for each in calls], now)
    try:
        with lasting():
            _, *accepted, _ = statements.run(
                statements.ask([_message(call).follow_up_id for call, _ in calls]),
                *accepting,
                statements.end_attempts([call.attempt.pk for call, _ in calls], now),
            )
            if sum(result.count for result in accepted) != len(calls):
                raise _LostLease
    except (_LostLease, DatabaseTrouble):
        return False
    logger.info("messages %s: accepted", " ".join(str(call.row.pk) for call, _ in calls))
    return True


class _LostLease(Exception):
    """One of the rows has been decided about without us."""


def _accepting(call: Call, outcome: Outcome) -> tuple[uuid.UUID, uuid.UUID | None, str]:
    return call.row.pk, call.row.lease_token, outcome.provider_message_id


def _message(call: Call) -> Message:
    assert isinstance(call.row, Message)
    return call.row


def settle_abandoned(limit: int = 200, *, now: datetime) -> int:
    """Rows whose worker died after its intent: maybe sent, so never simply sent again."""
    settled = 0
    for model in (Notice, Message):
        lost = model._default_manager.filter(state=State.SENDING, lease_until__lte=now)
        for row in lost.order_by("lease_until")[:limit]:
            attempt = row.attempt_rows.filter(outcome=Came.STARTED).last()
            if attempt is not None:
                settled += settle(Call(row, attempt), outcomes.lost(), now=now)
    return settled


def accept_on_evidence(message: Message, *, provider_message_id: str, now: datetime) -> bool:
    """An `unknown` message turns out to have been taken. Inside a transaction."""
    accepted = Message.objects.filter(pk=message.pk, state=State.UNKNOWN).update(
        state=State.ACCEPTED,
        accepted_at=now,
        ended_at=now,
        provider_message_id=provider_message_id,
        reason="",
    )
    if accepted:
        message.attempt_rows.filter(outcome=Came.UNKNOWN).update(outcome=Came.ACCEPTED)
    return bool(accepted)


def look_again(message: Message, *, now: datetime) -> None:
    """What follows from a message's end is the planner's business: have it look."""
    asked_by = StepDue.objects.filter(follow_up=message.follow_up_id)
    Course.objects.filter(pk__in=asked_by.values("course")).look_again(now)


def backoff(attempts: int) -> timedelta:
    """Doubling from a minute to half an hour."""
    doublings: int = 2 ** min(attempts, 10)
    return min(FIRST_BACKOFF * doublings, LONGEST_BACKOFF)


def _changes(row: Claimed, outcome: Outcome, now: datetime) -> dict[str, Any]:
    changes: dict[str, Any] = {"lease_token": None, "lease_until": None}
    if outcome.came is Came.UNKNOWN:
        return changes | _doubtful(row, outcome, now)
    if outcome.came is Came.NOT_SENT:
        return changes | _again(row, outcome, now)
    changes |= {"state": _ENDS[outcome.came], "ended_at": now, "reason": outcome.error}
    if outcome.came is Came.ACCEPTED:
        return changes | {
            "accepted_at": now,
            "provider_message_id": outcome.provider_message_id,
        }
    return changes | _day_given_back(row)


def _doubtful(row: Claimed, outcome: Outcome, now: datetime) -> dict[str, Any]:
    """The one place where the two differ: a message waits, a notice goes again."""
    if isinstance(row, Notice):
        again = now + NOTICE_AGAIN
        return {"state": State.SCHEDULED, "due_at": again, "reason": outcome.error}
    return {"state": State.UNKNOWN, "reason": outcome.error}


def _again(row: Claimed, outcome: Outcome, now: datetime) -> dict[str, Any]:
    changes = {"reason": outcome.error, **_day_given_back(row)}
    if not outcome.counts:
        return changes | {"state": State.SCHEDULED}  # the lane waits, not the row
    attempts = row.attempts + 1
    if attempts >= MAX_ATTEMPTS:
        return changes | {"state": State.FAILED, "attempts": attempts, "ended_at": now}
    due_at = now + backoff(row.attempts)
    return changes | {"state": State.SCHEDULED, "attempts": attempts, "due_at": due_at}


def _day_given_back(row: Claimed) -> dict[str, Any]:
    """What was not sent has used up no day; but of what is sent again the first call may have."""
    whole = isinstance(row, Message) and row.requested_by_id is None
    return {"capped_on": None} if whole else {}


def _end_attempt(attempt: Attempt, was: Attempt.Outcome, outcome: Outcome, now: datetime) -> bool:
    open_attempt = Attempt.objects.filter(pk=attempt.pk, outcome=was)
    return bool(open_attempt.update(outcome=outcome.came, error=outcome.error, ended_at=now))


def _follow(row: Claimed, attempt: Attempt, outcome: Outcome, now: datetime) -> None:
    """What an outcome brings with it, in the same transaction."""
    if isinstance(row, Notice):
        _write_history(row, outcome, now)
    elif outcome.suppress:
        refused = Suppression.Reason.REFUSED
        suppression.suppress(row.patient, attempt.inputs["address"], refused, now=now)


def _log(call: Call, came: Attempt.Outcome) -> None:
    logger.info("%s %s: %s", call.row._meta.model_name, call.row.pk, came.value)


def _write_history(notice: Notice, outcome: Outcome, now: datetime) -> None:
    kinds = {
        Came.ACCEPTED: AlertEvent.Kind.NOTIFIED,
        Came.REJECTED: AlertEvent.Kind.NOT_DELIVERED,
        Came.FAILED: AlertEvent.Kind.NOT_DELIVERED,
    }
    if kind := kinds.get(outcome.came):
        AlertEvent.objects.create(
            alert=notice.alert, at=now, kind=kind, member=notice.member, detail=outcome.error
        )


def _testify(call: Call, outcome: Outcome, now: datetime) -> bool:
    """Too late to settle, but what we saw is evidence about a message that is `unknown`."""
    row = call.row
    if not isinstance(row, Message) or not _end_attempt(call.attempt, Came.UNKNOWN, outcome, now):
        return False
    if outcome.came is Came.ACCEPTED:
        accept_on_evidence(row, provider_message_id=outcome.provider_message_id, now=now)
    elif outcome.came is not Came.UNKNOWN:
        unresolved = Message.objects.filter(pk=row.pk, state=State.UNKNOWN)
        if unresolved.update(**_changes(row, outcome, now)):
            look_again(row, now=now)
    return False
