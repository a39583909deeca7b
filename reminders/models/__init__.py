"""Everything that leaves the building: what we mean to send and what became of it."""

from reminders.models.claims import UNSENT, Claim, State
from reminders.models.delivery import Lane, ProviderEvent, Pulse, Suppression
from reminders.models.messages import Attempt, Message, Notice

__all__ = [
    "UNSENT",
    "Attempt",
    "Claim",
    "Lane",
    "Message",
    "Notice",
    "ProviderEvent",
    "Pulse",
    "State",
    "Suppression",
]
