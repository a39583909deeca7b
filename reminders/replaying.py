"""Ask again about a mail that may have been sent, where the provider knows our key.

The same call under the same key is no second mail: if the first one was taken, the provider says
so, and if not, this one is. So an `unknown` resolves itself. Only an acceptance settles it; any
other answer says nothing about the first call. A call whose mail would differ by a letter is not
made.
"""

import logging
import time
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError

from reminders import gate, moulds, rereading
from reminders.calling import Intent
from reminders.claiming import lease_from
from reminders.emails import Mail
from reminders.gate import Go
from reminders.lasting import lasting
from reminders.letters import message_letter
from reminders.models import Attempt, Message, State
from reminders.rereading import Reread
from reminders.settling import Call

logger = logging.getLogger(__name__)

# Providers that know our key, and for how long. Half of that is used: their clock is not ours.
KEYS_HOLD: Mapping[str, timedelta] = {"resend": timedelta(hours=24)}
FIRST = timedelta(minutes=1)  # after the doubt, then four times as long each time
AT_ONCE = 20

Came = Attempt.Outcome


def due(lane: str, *, now: datetime) -> list[Attempt]:
    """Calls to be made again now, the oldest first."""
    holds = KEYS_HOLD.get(lane)
    if holds is None:
        return []
    doubtful = Attempt.objects.filter(
        message__state=State.UNKNOWN,
        outcome=Came.UNKNOWN,
        lane=lane,
        started_at__gt=now - holds / 2,
    )
    found = doubtful.select_related("message").order_by("started_at")[: 10 * AT_ONCE]
    return [attempt for attempt in found if _next(attempt) <= now][:AT_ONCE]


def intend(attempt: Attempt, lane: str, *, now: datetime) -> Intent | None:
    """The intent to make this call again, to be followed by it. None: it is not made now."""
    try:
        return _intend(attempt, lane, now)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # it stays `unknown`, which people see
        logger.error("message %s not replayed: %s", attempt.message_id, type(error).__name__)
        return None


def _next(attempt: Attempt) -> datetime:
    pause: timedelta = FIRST * 4 ** min(attempt.replays, 6)
    return (attempt.ended_at or attempt.started_at) + pause


@lasting()
def _intend(attempt: Attempt, lane: str, now: datetime) -> Intent | None:
    began = time.monotonic()
    assert attempt.message is not None
    reread = rereading.message(attempt.message, state=State.UNKNOWN, now=now)
    if reread is None or not _may_still_go(reread, now):
        return None
    row = reread.message
    mail = moulds.write(message_letter(row, reread.instruments), lane)
    if not _same(mail, attempt):
        return None
    row.lease_token = uuid.uuid4()
    Message.objects.filter(pk=row.pk, state=State.UNKNOWN).update(
        state=State.SENDING, lease_token=row.lease_token, lease_until=lease_from(now)
    )
    Attempt.objects.filter(pk=attempt.pk).update(
        outcome=Came.STARTED, replays=attempt.replays + 1, ended_at=None
    )
    mail.carry(attempt.idempotency_key)
    return Intent(Call(row, attempt, replay=True), mail, began)


def _may_still_go(reread: Reread, now: datetime) -> bool:
    """As if it were sent for the first time, on the day that it used up already."""
    if gate.ended(reread.facts):
        return False
    verdict = gate.message_verdict(reread.facts, now)
    return isinstance(verdict, Go) and verdict.capped_on == reread.message.capped_on


def _same(mail: Mail, attempt: Attempt) -> bool:
    """To the letter: a provider refuses another mail under a key it knows, or sends it."""
    return (mail.sha256, mail.template_version) == (
        attempt.payload_sha256,
        attempt.template_version,
    )
