"""Where invented patients live: a team, an engine at other days' clocks, and no way out for mail.

History is dispatched like any day's mail, so that its messages, attempts and alerts are real rows;
only the way out of the building is swapped for one that leads nowhere.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from clinic.actors import member_actor
from clinic.models import Clinic, Member
from reminders import delivery, dispatch, notices
from reminders.models import Message, ProviderEvent
from reminders.tasks import tell_responders
from surveys import alerts
from surveys.models import Alert
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
    alerts.close(alert, outcome, _NOTES[outcome], by=by, now=min(at + 5 * minutes * MINUTE, until))


def tell_and_leave(alert: Alert, team: Team, left: str, *, at: datetime) -> None:
    """An alert that is still on the list: "open", or "taken" by the clinician."""
    _tell(alert, at)
    if left == "taken":
        by = member_actor(team.clinician)
        alerts.take(alert, by=by, now=at + 12 * MINUTE)
        alerts.note(alert, "No answer; message left to call back.", by=by, now=at + 20 * MINUTE)


def _tell(alert: Alert, at: datetime) -> None:
    notices.create_for(alert.pk, now=at)
    dispatch.drain(clock=lambda: at)
