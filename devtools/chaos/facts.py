"""What the oracle judges: the database and the provider's log at the end of a storm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import time

from devtools.chaos.journal import Act
from devtools.servers.emulator.ledger import Line


@dataclass(frozen=True, slots=True)
class AttemptFacts:
    started: float
    ended: float | None
    outcome: str
    replays: int = 0  # how often the same call was made again


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """Instants are seconds since the epoch."""

    id: str
    patient: str
    follow_up: str
    state: str
    due: float
    not_after: float
    reason: str
    asked_for: bool
    provider_id: str = ""
    attempts: tuple[AttemptFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class PatientFacts:
    id: str
    group: str
    zone: str
    quiet_from: time
    quiet_until: time


@dataclass(frozen=True, slots=True)
class Evidence:
    patients: Mapping[str, PatientFacts]
    messages: Sequence[MessageFacts]
    ledger: Sequence[Line]
    acts: Sequence[Act]
    judged_at: float
    connections: int  # calls that the engine can have in flight at once
    notices: Mapping[str, Sequence[AttemptFacts]] = field(default_factory=dict)
    unsettled_notices: Sequence[str] = ()  # overdue or held at the end


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    rule: str
    message: str  # an id, or nothing
    what: str

    def __str__(self) -> str:
        return f"{self.rule}  {self.message or '-'}  {self.what}"
