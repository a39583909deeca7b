"""Alerts as staff read them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from dashboards.rows.worklist import URGENCY
from surveys.case import NOTHING, Step


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One alert: what was answered, against what, who has it."""

    id: UUID
    reference: str
    level: str
    raised_at: datetime
    patient_id: UUID | None  # none for a test
    patient_name: str
    owner_id: UUID | None
    owner: str
    taken_at: datetime | None
    closed_at: datetime | None
    outcome: str
    is_test: bool
    asked_for_help: bool
    best_phone: str = ""
    trigger: str = ""
    question: str = ""
    answer: str = ""
    before: str = ""
    step: Step = NOTHING  # what is to be done next
    reached: bool = False  # the patient, since it was raised or reopened
    offered_to_id: UUID | None = None
    offered_to: str = ""
    closing_by_id: UUID | None = None
    closing_by: str = ""  # wants to close it; a second person has to agree
    plan: str = ""
    assessed_with: str = ""
    found: str = ""
    next_contact_on: date | None = None
    reopened_at: datetime | None = None


def most_pressing(rows: Iterable[AlertRow]) -> list[AlertRow]:
    """Nobody has it before somebody has, then by level, then the longest waiting."""
    return sorted(rows, key=lambda row: (bool(row.owner), URGENCY.get(row.level, 9), row.raised_at))


@dataclass(frozen=True, slots=True)
class AlertEventRow:
    at: datetime
    kind: str
    by: str
    detail: str
