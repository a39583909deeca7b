"""What a patient changed on their own page: the trail has it, its fields and not their values."""

from clinic.models import AuditEntry, Patient
from dashboards import mail_words
from dashboards.rows.history import Chosen

ACTIONS = ("change details", "pause", "resume", "unsubscribe", "resubscribe")
SHOWN = 5


def chosen(patient: Patient) -> list[Chosen]:
    """The latest first. One query."""
    acts = AuditEntry.objects.filter(
        patient=patient, actor=AuditEntry.Actor.PATIENT_LINK, action__in=ACTIONS
    )
    latest = acts.order_by("-at", "-pk")[:SHOWN]
    return [Chosen(act.at, mail_words.act(act.action, act.fields)) for act in latest]
