"""Where invented patients live: a team, an engine at other days' clocks, and no way out for mail.

History is dispatched like any day's mail, so that its messages, attempts and alerts are real rows;
only the way out of the building is swapped for one that leads nowhere.
"""

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from clinic.actors import member_actor, system
from clinic.models import Clinic, Member
from reminders import delivery, dispatch, notices
from reminders.models import Message, ProviderEvent
from reminders.tasks import tell_responders
from surveys import alerts, contacting, ending
from surveys.case import Contact
from surveys.closing import SPOKEN, Closing
from surveys.models import Alert, ContactAttempt
from surveys.signals import alert_raised

NOWHERE = "django.core.mail.backends.dummy.EmailBackend"
MINUTE = timedelta(minutes=1)
_HEARS = "reminders.tasks"
_NOTES = {
    Alert.Outcome.SPOKE: "Called. Safe at home, not alone. Next visit brought forward.",
    Alert.Outcome.SEEN: "Talked it through at the visit; went over the safety plan together.",
    Alert.Outcome.NO_ACTION: "Read beside the last scores. On the list for the next visit.",
}


@dataclass(frozen=True, slots=True)
class Team:
    clinic: Clinic
    admin: Member
    clinician: Member
    coordinator: Member


@contextmanager
def history() -> Iterator[None]:
    """Mail that history sends reaches nobody; its alerts wake no worker of today; no log line."""
    before, reminders = (settings.EMAIL_BACKEND, settings.MAIL_MODE), logging.getLogger("reminders")
    level = reminders.level
    reminders.setLevel(logging.WARNING)
    settings.EMAIL_BACKEND, settings.MAIL_MODE = NOWHERE, "send"
    alert_raised.disconnect(tell_responders, dispatch_uid=_HEARS)
    try:
        yield
    finally:
        reminders.setLevel(level)
        alert_raised.connect(tell_responders, dispatch_uid=_HEARS)
        settings.EMAIL_BACKEND, settings.MAIL_MODE = before


def bounce(message: Message, *, at: datetime) -> None:
    """The provider says that this mailbox does not exist."""
    ProviderEvent.objects.create(
        provider="demo",
        dedupe_key=f"bounce {message.pk}",
        kind="bounced",
        message_ref=str(message.pk),
        occurred_at=at,
        received_at=at,
        payload={"type": "HardBounce"},
        try_after=at,
    )
    delivery.drain_events(clock=lambda: at)


def prove_responder(team: Team, *, at: datetime) -> None:
    """A test alert, and the clinician who takes it: without one no clinic asks about suicide."""
    alert = alerts.send_test(team.clinic, team.clinician, by=member_actor(team.admin), now=at)
    _tell(alert, at)
    alerts.take(alert, by=member_actor(team.clinician), now=at + 4 * MINUTE)


def tell_and_care(alert: Alert, team: Team, *, minutes: int, at: datetime, until: datetime) -> None:
    """Responders are told; the clinician takes the alert, and ends it within the day."""
    by = member_actor(team.clinician)
    _tell(alert, at)
    alerts.take(alert, by=by, now=min(at + minutes * MINUTE, until))
    is_review = alert.level == Alert.Level.REVIEW
    often = Alert.Outcome.SEEN if minutes % 2 else Alert.Outcome.SPOKE
    outcome = Alert.Outcome.NO_ACTION if is_review else often
    if not is_review:
        how = "in_person" if outcome == Alert.Outcome.SEEN else "phone"
        _contact(alert, team, how, "reached", at=min(at + 3 * minutes * MINUTE, until))
    ended = min(at + 5 * minutes * MINUTE, until)
    ending.close(alert, _closing(outcome, _NOTES[outcome], ended), by=by, now=ended)


def tell_and_leave(alert: Alert, team: Team, left: str, *, at: datetime) -> None:
    """An alert that is still on the list: "open", "taken", "handed" over, or "unreached"."""
    _tell(alert, at)
    if left != "open":
        _LEFT[left](alert, team, at)


def _taken(alert: Alert, team: Team, at: datetime) -> None:
    alerts.take(alert, by=member_actor(team.clinician), now=at + 12 * MINUTE)
    _contact(alert, team, "phone", "left_message", at=at + 20 * MINUTE)


def _handed(alert: Alert, team: Team, at: datetime) -> None:
    """Ended, opened again by the administrator, and handed back to the clinician."""
    by, chief = member_actor(team.clinician), member_actor(team.admin)
    alerts.take(alert, by=by, now=at + 6 * MINUTE)
    _contact(alert, team, "phone", "reached", at=at + 15 * MINUTE)
    ended = at + 25 * MINUTE
    spoke = Alert.Outcome.SPOKE
    ending.close(alert, _closing(spoke, _NOTES[spoke], ended), by=by, now=ended)
    ending.reopen(alert, "The sister rang: still very low.", by=chief, now=at + 40 * MINUTE)
    said = "You know the family. Please ring once more today."
    contacting.hand_over(alert, team.clinician, said, by=chief, now=at + 45 * MINUTE)


def _unreached(alert: Alert, team: Team, at: datetime) -> None:
    """Became critical; nobody answers; the end waits for a second person."""
    link, by = system("the patient's page"), member_actor(team.clinician)
    alerts.escalate(alert, "able to keep safe: unsure", by=link, now=at + MINUTE)
    alerts.take(alert, by=by, now=at + 8 * MINUTE)
    for minutes, how in ((12, "phone"), (31, "phone"), (40, "trusted")):
        _contact(alert, team, how, "no_answer", at=at + minutes * MINUTE)
    said = "Three calls in vain. The police have been asked to look in."
    welfare = _closing(Alert.Outcome.WELFARE, said, at, plan=Alert.Plan.WELFARE)
    ending.close(alert, welfare, by=by, now=at + 55 * MINUTE)


_LEFT = {"taken": _taken, "handed": _handed, "unreached": _unreached}


def _contact(alert: Alert, team: Team, how: str, came: str, *, at: datetime) -> ContactAttempt:
    contact, by = Contact(at, how, came), member_actor(team.clinician)
    return contacting.record(alert, contact, "", once=uuid.uuid4(), by=by, now=at)


def _closing(
    outcome: Alert.Outcome, note: str, at: datetime, plan: Alert.Plan = Alert.Plan.SAFETY_PLAN
) -> Closing:
    spoken = outcome in SPOKEN
    return Closing(
        outcome=outcome,
        note=note,
        plan=plan if outcome != Alert.Outcome.NO_ACTION else Alert.Plan.NO_CHANGE,
        assessed_with=Alert.AssessedWith.CSSRS if spoken else Alert.AssessedWith.NONE,
        found=Alert.Found.LOW if spoken else "",
        next_contact_on=(at + timedelta(days=7)).date(),
    )


def _tell(alert: Alert, at: datetime) -> None:
    notices.create_for(alert.pk, now=at)
    dispatch.drain(clock=lambda: at)
