"""Where an alert stands, and what is to be done about it next. Pure.

The times are those of the clinical protocol (docs/safety.md). Contacts are those made since the
alert was raised or, if that came later, reopened.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# From the alert to "I am taking this", and from there to the first try to reach the patient.
TAKE_WITHIN: Mapping[str, timedelta] = {
    "critical": timedelta(minutes=15),
    "urgent": timedelta(minutes=60),
    "review": timedelta(hours=24),
}
CALL_WITHIN: Mapping[str, timedelta] = {
    "critical": timedelta(minutes=30),
    "urgent": timedelta(hours=4),
    "review": timedelta(hours=24),
}
TRIES = 2  # to reach the patient in vain, before somebody close to them is called


@dataclass(frozen=True, slots=True)
class Contact:
    """One try to reach the patient, or somebody close to them."""

    at: datetime
    how: str
    outcome: str

    @property
    def is_to_patient(self) -> bool:
        return self.how != "trusted"

    @property
    def reached(self) -> bool:
        return self.is_to_patient and self.outcome == "reached"


@dataclass(frozen=True, slots=True)
class Case:
    level: str
    raised_at: datetime
    taken_at: datetime | None = None
    reopened_at: datetime | None = None
    is_offered: bool = False  # handed over, and not taken by the other yet
    is_closing: bool = False  # somebody wants to close it, and a second person must agree
    is_closed: bool = False
    contacts: tuple[Contact, ...] = ()

    @property
    def reached(self) -> bool:
        return any(contact.reached for contact in self.contacts)

    @property
    def tries(self) -> int:
        """To reach the patient, in vain."""
        return sum(each.is_to_patient and not each.reached for each in self.contacts)


class Do(StrEnum):
    TAKE = "take"
    ACCEPT = "accept"
    CONFIRM = "confirm"
    CALL = "call"
    CALL_AGAIN = "call_again"
    CALL_TRUSTED = "call_trusted"  # somebody close to the patient
    DECIDE = "decide"  # about a welfare check
    CLOSE = "close"
    NOTHING = ""


@dataclass(frozen=True, slots=True)
class Step:
    do: Do
    due_at: datetime | None = None


NOTHING = Step(Do.NOTHING)


def next_step(case: Case) -> Step:
    """One thing at a time. It never is "nothing" while the alert is open."""
    if case.is_closed:
        return NOTHING
    if case.taken_at is None:
        return Step(Do.TAKE, case.raised_at + TAKE_WITHIN[case.level])
    if case.is_offered:
        return Step(Do.ACCEPT)
    if case.is_closing:
        return Step(Do.CONFIRM)
    return _contact(case, case.reopened_at or case.taken_at)


def _contact(case: Case, since: datetime) -> Step:
    if case.reached:
        return Step(Do.CLOSE)
    if case.tries >= TRIES:
        called = any(not contact.is_to_patient for contact in case.contacts)
        return Step(Do.DECIDE if called else Do.CALL_TRUSTED)
    if case.contacts:
        return Step(Do.CALL_AGAIN)
    return Step(Do.CALL, since + CALL_WITHIN[case.level])
