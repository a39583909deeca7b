"""What a protocol is: frozen records.

Offsets are calendar days from the anchor's local date. Windows are elapsed hours from the target
instant. Reminders are counted in local calendar days from the day the invitation was accepted.
"""

from dataclasses import dataclass
from datetime import time
from enum import StrEnum
from typing import Any


class Anchor(StrEnum):
    ENROLMENT = "enrolment"
    EACH_INFUSION = "each_infusion"
    FIRST_INFUSION = "first_infusion"
    LAST_INFUSION = "last_infusion"
    NEXT_PLANNED = "next_planned_infusion"
    EVERY = "every"  # again and again, counted from enrolment


class Closing(StrEnum):
    """What may close a window before its hours are over."""

    HOURS = "hours"
    FIRST_INFUSION = "first_infusion"
    NEXT_INFUSION = "next_infusion"
    ANCHOR = "anchor"


@dataclass(frozen=True, slots=True)
class Condition:
    """A named function with one argument; there are no expressions."""

    name: str
    argument: Any
    wanted: bool = True  # False: written under `unless`


@dataclass(frozen=True, slots=True)
class Ask:
    """One questionnaire of a step: the first of `one_of` whose minimum interval has passed."""

    one_of: tuple[str, ...]  # "phq9", or with the items asked: "nrs24:average,worst"
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    id: str
    title: str
    anchor: Anchor
    asks: tuple[Ask, ...]
    offset_days: int = 0
    every_days: int = 0
    send_at: time | None = None  # None: at once
    opens_before_hours: int = 0
    closes_after_hours: int | None = None
    closing: Closing = Closing.HOURS
    closes_hours_early: int = 0  # before the anchor's start
    mail_hours_left: int = 0  # with less of the window left it is not mailed
    reminder_days: tuple[int, ...] = ()
    conditions: tuple[Condition, ...] = ()
    or_next_day: bool = False  # a day on which the conditions fail passes the step on
    days_between: int = 0  # local days from one asking of this step to the next
    call_list: bool = False
    call_list_after_hours: int | None = None
    primary: bool = False  # a later course ends what comes after this step
    final: bool = False  # asked once more when the course ends
    overlap_accepted: str = ""  # why the minimum interval does not hold here


@dataclass(frozen=True, slots=True)
class Protocol:
    id: str
    version: str
    title: str
    source: str
    steps: tuple[Step, ...]
    ends_after_days: int | None = None  # without an infusion
    ends_unanswered: str = ""  # the step whose silence ends the course

    def step(self, step_id: str) -> Step | None:
        return next((step for step in self.steps if step.id == step_id), None)

    def after_primary(self, step_id: str) -> bool:
        """Whether a step is listed after the primary outcome."""
        ids = [step.id for step in self.steps]
        primary = [step.id for step in self.steps if step.primary]
        return bool(primary) and step_id in ids[ids.index(primary[0]) + 1 :]
