"""Answers as given, and the numbers computed from them."""

import uuid
from typing import Self

from django.db import models
from django.db.models import Q

from clinic.models import Definition, Member, Patient, User
from surveys.models.followups import FollowUp


class ResponseQuerySet(models.QuerySet["Response"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(patient__in=Patient.objects.visible_to(user))

    def finished(self) -> Self:
        return self.filter(finished_at__isnull=False)

    def for_outcomes(self) -> Self:
        """Finished in time: a late answer is kept and its safety judged, but counts nowhere."""
        return self.finished().filter(late=False)


class Response(models.Model):
    """One patient's answers to one instrument on one follow-up, or entered by staff."""

    class Mode(models.TextChoices):
        LINK = "link"
        TABLET = "tablet"
        PHONE = "phone"
        STAFF = "staff"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="responses")
    follow_up = models.ForeignKey(
        FollowUp, on_delete=models.PROTECT, null=True, blank=True, related_name="responses"
    )
    instrument = models.ForeignKey(Definition, on_delete=models.PROTECT, related_name="+")
    subset = models.CharField(max_length=60, blank=True)  # "average,worst": items asked of it
    language = models.CharField(max_length=5)
    wording_sha256 = models.CharField(max_length=64)
    mode = models.CharField(max_length=8, choices=Mode, default=Mode.LINK)
    entered_by = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="+")
    answers = models.JSONField(default=dict)  # item -> number, or null when skipped on purpose
    answered_at = models.JSONField(default=dict)  # item -> ISO instant, server clock
    replaced = models.JSONField(default=list)  # answers changed later: [item, value, ISO instant]
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    late = models.BooleanField(default=False)

    objects = ResponseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["follow_up", "instrument"],
                condition=Q(follow_up__isnull=False),
                name="one_response_per_instrument",
            ),
        ]
        indexes = [
            models.Index(fields=["patient", "finished_at"], name="response_patient_idx"),
        ]

    def __str__(self) -> str:
        return f"response {self.pk}"


class Score(models.Model):
    """One number, or an honest "no score", computed from one response."""

    response = models.ForeignKey(Response, on_delete=models.CASCADE, related_name="scores")
    scale = models.CharField(max_length=20)
    value = models.DecimalField(max_digits=6, decimal_places=1, null=True)  # as printed
    exact = models.DecimalField(max_digits=9, decimal_places=4, null=True)  # before rounding
    band = models.CharField(max_length=20, blank=True)
    missing = models.PositiveSmallIntegerField(default=0)
    prorated = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["response", "scale"], name="one_score_per_scale"),
        ]

    def __str__(self) -> str:
        return f"score {self.pk}"
