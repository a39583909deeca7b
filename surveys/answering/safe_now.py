"""What the patient says on the crisis page: whether they are safe, and a number for today."""

from datetime import datetime

from django.db import transaction

from clinic.actors import Actor
from surveys import alerts
from surveys.answering.taking import locked
from surveys.models import FollowUp

IN_DANGER = ("unsure", "no")


@transaction.atomic
def say_how_safe(follow_up: FollowUp, safe: str, phone: str, *, by: Actor, now: datetime) -> None:
    """Both may be empty. "No" and "not sure" are critical, and somebody is told now: an alert
    that a member has already taken sends no more notices, so a new one is raised beside it."""
    follow_up = locked(follow_up)
    alert = alerts.worst(follow_up.alerts.open())
    is_in_danger = safe in IN_DANGER
    needs_one = alert is None and bool(phone)
    if needs_one or (is_in_danger and (alert is None or alert.owner_id)):
        alert = alerts.help_now(follow_up, by=by, now=now)
    if alert is None:
        return
    if is_in_danger:
        alerts.escalate(alert, f"able to keep safe: {safe}", by=by, now=now)
    elif safe:
        alerts.note(alert, f"able to keep safe: {safe}", by=by, now=now)
    if phone:
        alerts.leave_phone(alert, phone, by=by, now=now)
