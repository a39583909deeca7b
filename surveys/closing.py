"""What an alert cannot end without. Pure; `ending` says it in words.

Sources: docs/safety.md. An end names the contact that was made, the assessment with its level, a
plan, the day of the next contact, and what was said.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from surveys.case import TRIES, Case, Contact

SPOKEN = frozenset({"spoke", "seen"})  # outcomes that say the patient was reached
AT_MOST = timedelta(days=366)  # until the next contact; more is a slip


@dataclass(frozen=True, slots=True)
class Closing:
    """How somebody wants to end an alert. The words are those of the choices of `Alert`."""

    outcome: str
    note: str
    plan: str = ""
    assessed_with: str = ""
    found: str = ""  # the level that the assessment gave
    next_contact_on: date | None = None
    contact: Contact | None = None  # made, and not recorded yet


class Lack(StrEnum):
    NOTE = "note"
    CONTACT = "contact"
    REACHED = "reached"
    TRIES = "tries"
    PLAN = "plan"
    ASSESSED = "assessed"
    CRITICAL_NOT_ASSESSED = "critical not assessed"
    FOUND = "found"
    NEXT_CONTACT = "next contact"
    NEXT_CONTACT_PAST = "next contact past"
    NEXT_CONTACT_FAR = "next contact far"


def lack(closing: Closing, case: Case, *, today: date, has_died: bool = False) -> Lack | None:
    """The first thing that is missing. `today` is the clinic's; nobody calls a patient who died."""
    if not closing.note.strip():
        return Lack.NOTE
    if not closing.plan:
        return Lack.PLAN
    return (
        _of_contact(closing, case)
        or _of_what_was_found(closing, case)
        or (None if has_died else _of_next(closing.next_contact_on, today))
    )


def needs_a_second(case: Case) -> bool:
    """A critical alert whose patient nobody has reached is never ended by one person."""
    return case.level == "critical" and not case.reached


def _of_contact(closing: Closing, case: Case) -> Lack | None:
    if closing.outcome in SPOKEN and not case.reached:
        return Lack.CONTACT
    if closing.outcome != "not_reached":
        return None
    if case.reached:
        return Lack.REACHED
    return Lack.TRIES if case.tries < TRIES else None


def _of_what_was_found(closing: Closing, case: Case) -> Lack | None:
    if not closing.assessed_with:
        return Lack.ASSESSED
    if closing.assessed_with != "none":
        return None if closing.found else Lack.FOUND
    must = case.level == "critical" and closing.outcome in SPOKEN
    return Lack.CRITICAL_NOT_ASSESSED if must else None


def _of_next(on: date | None, today: date) -> Lack | None:
    if on is None:
        return Lack.NEXT_CONTACT
    if on < today:
        return Lack.NEXT_CONTACT_PAST
    return Lack.NEXT_CONTACT_FAR if on > today + AT_MOST else None
