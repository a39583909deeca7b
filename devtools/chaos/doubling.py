"""A second message on the same day, as an outage of a day leaves it behind."""

import uuid
from datetime import timedelta
from typing import Any

from devtools.crowd import copied, give_link
from reminders.models import Message


def double(patients: list[uuid.UUID]) -> None:
    """Each gets a follow-up of yesterday whose message is due now as well."""
    rows: dict[str, list[Any]] = {"follow_ups": [], "dues": [], "messages": []}
    messages = Message.objects.filter(patient__in=patients).select_related("follow_up")
    for message in messages.prefetch_related("follow_up__dues"):
        first = message.follow_up
        second = copied(first, local_date=first.local_date - timedelta(days=1))
        give_link(second)
        rows["follow_ups"].append(second)
        rows["dues"] += [
            copied(due, occurrence=due.occurrence + 1, follow_up=second) for due in first.dues.all()
        ]
        rows["messages"].append(copied(message, follow_up=second))
    for copies in rows.values():
        type(copies[0])._default_manager.bulk_create(copies)
