"""Whether e-mail reaches a patient."""

from collections.abc import Mapping, Sequence

from clinic.models import Patient
from dashboards.rows.worklist import Unreachable
from reminders.models import Suppression
from reminders.suppression import in_the_way

_WHY: Mapping[str, Unreachable] = {
    "": "",
    Suppression.Reason.HARD_BOUNCE: "bounced",
    Suppression.Reason.SOFT_BOUNCES: "bounced",
    Suppression.Reason.COMPLAINT: "complained",
    Suppression.Reason.UNSUBSCRIBED: "unsubscribed",
    Suppression.Reason.REFUSED: "refused",
    Suppression.Reason.STAFF: "stopped_by_staff",
}


def unreachable(patient: Patient) -> Unreachable:
    """Why no e-mail reaches this patient. One query."""
    held = Suppression.objects.in_force().filter(patient=patient)
    return why_unreachable(patient, list(held) if patient.email else [])


def why_unreachable(patient: Patient, suppressions: Sequence[Suppression]) -> Unreachable:
    """Why no e-mail reaches the patient's present address."""
    if not patient.email:
        return "no_email"
    held = [(suppression.reason, suppression.address_digest) for suppression in suppressions]
    return _WHY[in_the_way(patient.email, held)] if held else ""
