"""Ends of alerts that lack nothing, for tests that are about something else."""

from datetime import datetime, timedelta
from typing import Any

from clinic.actors import member_actor
from clinic.models import Member
from surveys import contacting, ending
from surveys.case import Contact
from surveys.closing import SPOKEN, Closing
from surveys.models import Alert, ContactAttempt


def closing(outcome: str, *, now: datetime, **changes: Any) -> Closing:
    """Of the patient that was spoken to, if the outcome says so, by telephone just now."""
    defaults: dict[str, Any] = {
        "note": "Agreed.",
        "plan": "safety_plan",
        "assessed_with": "interview",
        "found": "low",
        "next_contact_on": (now + timedelta(days=7)).date(),
        "contact": Contact(now, "phone", "reached") if outcome in SPOKEN else None,
    }
    return Closing(outcome=outcome, **{**defaults, **changes})


def close(alert: Alert, outcome: str, *, by: Member, now: datetime, **changes: Any) -> Alert:
    end = closing(outcome, now=now, **changes)
    return ending.close(alert, end, by=member_actor(by), now=now)


def call(
    alert: Alert, outcome: str = "no_answer", *, by: Member, at: datetime, how: str = "phone"
) -> ContactAttempt:
    once = ContactAttempt().pk
    contact = Contact(at, how, outcome)
    return contacting.record(alert, contact, "", once=once, by=member_actor(by), now=at)
