"""Make the database say what the protocol says. Safe to repeat: a second run writes nothing.

Everything staff do to a patient, a course or an infusion is a fact; the schedule is computed from
the facts again and the rows are brought to agree. Nothing a patient has begun is touched.
"""

from reminders.planning.facts import protocol_of
from reminders.planning.reconciling import (
    facts_of,
    lagging,
    plan_for_display,
    reconcile,
    reconcile_lagging,
)
from reminders.planning.writing import Changes

__all__ = [
    "Changes",
    "facts_of",
    "lagging",
    "plan_for_display",
    "protocol_of",
    "reconcile",
    "reconcile_lagging",
]
