"""The follow-ups that take answers now, for whoever calls the patient or has them in the clinic."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from clinic.models import Patient
from dashboards.queries.history import titles
from dashboards.rows import Answerable
from surveys.models import FollowUp, StepDue
from surveys.questions import LATE_FOR

_OPEN = (StepDue.State.PLANNED, StepDue.State.ASKED)


def answerable(patient: Patient, *, now: datetime) -> list[Answerable]:
    """Those that are open; else the latest that still takes answers, as late. One query."""
    if patient.ended_at is not None:
        return []
    together: dict[FollowUp, list[StepDue]] = defaultdict(list)
    live = FollowUp.objects.live().filter(
        patient=patient, opens_at__lte=now, closes_at__gt=now - LATE_FOR
    )
    dues = StepDue.objects.filter(follow_up__in=live, state__in=(*_OPEN, StepDue.State.EXPIRED))
    for due in dues.select_related("follow_up").order_by("-follow_up__send_at", "target_at"):
        if due.follow_up is not None and (due.state in _OPEN or due.follow_up.closes_at <= now):
            together[due.follow_up].append(due)
    rows = [_row(follow_up, found, now) for follow_up, found in together.items()]
    return [row for row in rows if not row.is_late] or rows[:1]


def _row(follow_up: FollowUp, dues: Sequence[StepDue], now: datetime) -> Answerable:
    return Answerable(
        id=follow_up.pk,
        instruments=titles(name for due in dues for name in due.instruments),
        closes_at=follow_up.closes_at,
        is_late=follow_up.closes_at <= now,
        is_begun=follow_up.started_at is not None,
    )
