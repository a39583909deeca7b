"""Who did or saw what. Rows are added in the transaction of the act and never change."""

from django.db import models

from clinic.models.patients import Patient
from clinic.models.staff import Clinic, Member


class AuditEntry(models.Model):
    """One act on, or view of, a clinic's data. Field names only: values stay in their rows."""

    class Actor(models.TextChoices):
        MEMBER = "member"
        PATIENT_LINK = "patient_link"
        SYSTEM = "system"

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    actor = models.CharField(max_length=12, choices=Actor)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=200, blank=True)
    action = models.CharField(max_length=40)  # "enrol", "read patient", …
    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, null=True, related_name="audit_entries"
    )
    object_type = models.CharField(max_length=40, blank=True)
    object_id = models.CharField(max_length=36, blank=True)
    fields = models.JSONField(default=list)

    class Meta:
        indexes = [
            models.Index(fields=["clinic", "at"], name="audit_clinic_idx"),
            models.Index(fields=["patient", "at"], name="audit_patient_idx"),
        ]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"audit entry {self.pk}"
