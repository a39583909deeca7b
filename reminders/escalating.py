"""Put on record that an alert goes on to further people, once for each step.

Runs in every tick, over every alert that nobody has taken, whatever became of its mail: with mail
on hold the record, the history, the health check and the pages still say that nobody came.
"""

import logging
import uuid
from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import InterfaceError, OperationalError, transaction

from clinic.actors import system
from reminders.roster import Roster
from surveys import escalation
from surveys.case_file import audited, event, locked
from surveys.escalation import Due
from surveys.models import Alert, AlertEvent, Escalation

logger = logging.getLogger(__name__)

Steps = set[tuple[str, int]]
_NOBODY_CAME = system("nobody had taken the alert")


def bring_up(
    alert: Alert, roster: Roster, lost: Collection[uuid.UUID], unreached: int, *, now: datetime
) -> Steps:
    """The steps that stand on record, those that have become due among them.

    `unreached`: how many members a notice was refused for or came back from; each is a step.
    """
    if alert.rule == Alert.TEST_RULE:
        return set()
    known = {(each.reason, each.n) for each in alert.escalations.all()}
    came_back = (Due(escalation.NOT_DELIVERED, n, now) for n in range(1, unreached + 1))
    steps = [*came_back, *escalation.due(alert.level, alert.raised_at, now)]
    new = [step for step in steps if (step.reason, step.n) not in known]
    try:
        return _recorded(alert, new, roster, lost, now) if new else known
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # people come before the record of it
        logger.error("alert %s: not put on record: %s", alert.pk, type(error).__name__)
        return known | {(step.reason, step.n) for step in new}


@transaction.atomic
def _recorded(
    alert: Alert, new: Sequence[Due], roster: Roster, lost: Collection[uuid.UUID], now: datetime
) -> Steps:
    """Under the lock of the alert: of two ticks one writes, and nothing once it is taken."""
    held = locked(alert)
    if held.closed_at is not None or (held.owner and held.owner.may_take_alerts):
        return set()
    known = set(Escalation.objects.filter(alert=alert).values_list("reason", "n"))
    for step in new:
        if (step.reason, step.n) not in known:
            before = roster.told(escalation.reach(alert.level, known))
            known.add((step.reason, step.n))
            told = roster.told(escalation.reach(alert.level, known), lost)
            further = [member for member in told if member not in before]
            names = ", ".join(member.user.name or member.user.email for member in further)
            _write(alert, step, names, now)
    return known


def _write(alert: Alert, step: Due, names: str, now: datetime) -> None:
    Escalation.objects.create(alert=alert, reason=step.reason, n=step.n, due_at=step.at, at=now)
    is_incident = step.reason == escalation.INCIDENT
    kind = AlertEvent.Kind.INCIDENT if is_incident else AlertEvent.Kind.ESCALATED
    why = _WORDS[step.reason]
    event(alert, kind, now=now, detail=f"{why}. {names or 'Nobody further is there'}.")
    audited(_NOBODY_CAME, f"escalation: {step.reason}", alert, now=now)
    is_for_operators = step.reason != escalation.UNTAKEN
    logger.log(
        logging.ERROR if is_for_operators else logging.WARNING, "alert %s: %s", alert.pk, why
    )


_WORDS = {
    escalation.UNTAKEN: "nobody has taken it in time",
    escalation.NOT_DELIVERED: "a notice did not arrive",
    escalation.INCIDENT: "nobody has taken it in 12 hours: a safety incident",
}
