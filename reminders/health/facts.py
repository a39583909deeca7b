"""What is read before anything is judged. Times and ids; nobody's name, address or answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class Health(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`finding` may name ids and times, nothing else."""

    check: str
    health: Health
    finding: str


@dataclass(frozen=True, slots=True)
class Setup:
    """What the settings say about sending."""

    mail_mode: str
    lane: str
    is_provider: bool  # with reports of its own; plain SMTP has none
    takes_reports: bool  # the webhooks' secret is set
    tick: timedelta
    has_heartbeat: bool = False  # HEARTBEAT_TO is set


@dataclass(frozen=True, slots=True)
class Queue:
    """The two oldest of messages or of notices."""

    due_at: datetime | None = None
    lease_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class LaneState:
    paused_until: datetime | None = None
    opened: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Engine:
    """One glance at the engine's tables."""

    pulses: Mapping[str, datetime] = field(default_factory=dict)
    messages: Queue = Queue()
    notices: Queue = Queue()
    unknown: tuple[tuple[str, datetime], ...] = ()  # id and when it was due, the oldest few
    lane: LaneState = LaneState()
    replan_at: datetime | None = None  # of the course that has waited longest
    report_due_at: datetime | None = None  # of the provider's event that has waited longest
    report_came_at: datetime | None = None
    accepted: tuple[datetime, ...] = ()  # the lane's latest, newest first
    reported_at: datetime | None = None  # the provider's latest event
    untold: tuple[str, ...] = ()  # ids of alerts that nobody was told about
    escalated: tuple[tuple[str, str], ...] = ()  # of untaken ones, the id and why it is serious


@dataclass(frozen=True, slots=True)
class Redis:
    error: str = ""  # the class of what went wrong, or nothing
    policy: str = ""
    evicted: int = 0


@dataclass(frozen=True, slots=True)
class Machine:
    """What only an operator asks for: slower, and nothing a monitor needs every few seconds."""

    redis: Redis = Redis()
    loop_at: datetime | None = None  # when an engine without Redis last went round
    skew: timedelta = timedelta()  # the database's clock before this machine's
    relaxed: tuple[str, ...] = ()  # durability settings of the database that lose commits
    on_sqlite: bool = False
    errors: tuple[str, ...] = ()  # of Django's and our own deployment checks: ids
    warnings: tuple[str, ...] = ()
    unproven: tuple[str, ...] = ()  # ids of clinics without a proven responder
