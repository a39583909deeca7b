"""Dates -> dues, follow-ups and messages. Pure: no clock, no database, no settings."""

from reminders.schedule.clock import instant, local_date
from reminders.schedule.facts import (
    HORIZON,
    AnswerFacts,
    CourseFacts,
    Due,
    FollowUpFacts,
    InfusionFacts,
    InstrumentFacts,
    Key,
    Message,
    PatientFacts,
    Plan,
    PlannedFollowUp,
    SentFacts,
    State,
)
from reminders.schedule.plan import plan

__all__ = [
    "HORIZON",
    "AnswerFacts",
    "CourseFacts",
    "Due",
    "FollowUpFacts",
    "InfusionFacts",
    "InstrumentFacts",
    "Key",
    "Message",
    "PatientFacts",
    "Plan",
    "PlannedFollowUp",
    "SentFacts",
    "State",
    "instant",
    "local_date",
    "plan",
]
