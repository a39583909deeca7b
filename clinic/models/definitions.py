"""Questionnaires and protocols as immutable texts. What they mean is read in the apps above."""

import uuid
from typing import Self

from django.db import models
from django.db.models import Q

from clinic.models.staff import Clinic


class DefinitionQuerySet(models.QuerySet["Definition"]):
    def built_in(self) -> Self:
        return self.filter(clinic=None)

    def usable_by(self, clinic: Clinic) -> Self:
        """Built-in definitions and the clinic's own."""
        return self.filter(Q(clinic=None) | Q(clinic=clinic))


class Definition(models.Model):
    """One version of one instrument or protocol. Never changed once recorded."""

    class Kind(models.TextChoices):
        INSTRUMENT = "instrument"
        PROTOCOL = "protocol"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10, choices=Kind)
    key = models.CharField(max_length=40)
    version = models.CharField(max_length=20)
    sha256 = models.CharField(max_length=64)
    text = models.TextField()
    clinic = models.ForeignKey(
        Clinic, on_delete=models.PROTECT, null=True, blank=True, related_name="definitions"
    )
    recorded_at = models.DateTimeField()

    objects = DefinitionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key", "version"],
                condition=Q(clinic=None),
                name="one_text_per_built_in_version",
            ),
            models.UniqueConstraint(
                fields=["clinic", "kind", "key", "version"], name="one_text_per_clinic_version"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key} {self.version}"
