"""What a patient's link opens now. A link that opens nothing says nothing about why."""

from datetime import datetime
from enum import Enum

from surveys.models import FollowUp
from surveys.questions import LATE_FOR


class Door(Enum):
    OPEN = "open"
    LATE = "late"  # closed, but answers are still taken: kept as late, never in outcomes
    SENT = "sent"  # answered already
    OVER = "over"  # withdrawn, replaced or too late: asks nothing more, hears what stood on a page
    SHUT = "shut"  # not open yet, or the patient has left: nothing is taken


def door(follow_up: FollowUp, *, now: datetime) -> Door:
    if not _is_contactable(follow_up) or now < follow_up.opens_at:
        return Door.SHUT
    if follow_up.withdrawn_at is not None:
        return Door.OVER
    if follow_up.finished_at is not None:
        return Door.SENT
    if now < follow_up.closes_at:
        return Door.OPEN
    return Door.LATE if now < follow_up.closes_at + LATE_FOR else Door.OVER


def newer(follow_up: FollowUp, *, now: datetime) -> FollowUp | None:
    """The open follow-up that took the place of one that was withdrawn or has closed."""
    if not _is_contactable(follow_up):
        return None
    others = FollowUp.objects.open(now).filter(patient=follow_up.patient).exclude(pk=follow_up.pk)
    return others.select_related("patient__clinic").order_by("-send_at").first()


def _is_contactable(follow_up: FollowUp) -> bool:
    patient = follow_up.patient
    return patient.status not in (patient.Status.WITHDRAWN, patient.Status.DECEASED)
