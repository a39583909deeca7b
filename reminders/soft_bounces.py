"""An address that keeps sending mail back is paused until staff look (decision 0017).

Three messages that bounced softly, sent within thirty days of each other. A message counts once,
whatever is reported about it, and by when it was sent, so that late or repeated reports change
nothing. One that arrived in between resets nothing. What was sent before staff lifted the last
pause counts no more.
"""

from datetime import datetime, timedelta

from clinic.models import Patient
from reminders import suppression
from reminders.models import Attempt, Message, Suppression

ENOUGH = 3
WITHIN = timedelta(days=30)


def pause_if_enough(patient: Patient, digest: str, *, now: datetime) -> bool:
    """Inside a transaction that holds the patient."""
    since = _third(_sent_in_vain(patient, digest))
    if since is None:
        return False
    reason = Suppression.Reason.SOFT_BOUNCES
    return suppression.suppress(patient, digest, reason, now=now, since=since)


def _sent_in_vain(patient: Patient, digest: str) -> list[datetime]:
    """When those were sent that came back, since staff last had a look."""
    pauses = Suppression.objects.filter(
        patient=patient, address_digest=digest, reason=Suppression.Reason.SOFT_BOUNCES
    )
    lifted = pauses.filter(lifted_at__isnull=False).order_by("-lifted_at")
    returned = Message.objects.filter(
        patient=patient,
        delivery=Message.Delivery.SOFT_BOUNCED,
        accepted_at__isnull=False,
        attempt_rows__outcome=Attempt.Outcome.ACCEPTED,
        attempt_rows__inputs__address=digest,
    )
    if last := lifted.values_list("lifted_at", flat=True).first():
        returned = returned.filter(accepted_at__gt=last)
    rows = returned.values_list("pk", "accepted_at").distinct()
    return sorted(accepted_at for _, accepted_at in rows if accepted_at)


def _third(times: list[datetime]) -> datetime | None:
    """When the last was sent of the first three that lie within thirty days."""
    spans = zip(times, times[ENOUGH - 1 :], strict=False)
    return next((last for first, last in spans if last - first <= WITHIN), None)
