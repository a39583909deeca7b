"""What we ask, when it is due, what was answered, and which answers need a person."""

from surveys.models.alerts import Alert, AlertEvent, ContactAttempt, Escalation
from surveys.models.answers import Response, Score
from surveys.models.followups import FollowUp, StepDue

__all__ = [
    "Alert",
    "AlertEvent",
    "ContactAttempt",
    "Escalation",
    "FollowUp",
    "Response",
    "Score",
    "StepDue",
]
