"""Occasions on which a patient is asked, and the protocol steps they serve."""

import uuid
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from clinic.models import Course, Infusion, Member, Patient, User


class FollowUpQuerySet(models.QuerySet["FollowUp"]):
    def visible_to(self, viewer: Member | User) -> Self:
        return self.filter(patient__in=Patient.objects.visible_to(viewer))

    def live(self) -> Self:
        """Neither finished nor withdrawn."""
        return self.filter(finished_at=None, withdrawn_at=None)

    def open(self, now: datetime) -> Self:
        """Inside its window and still to be answered. The window is half-open."""
        return self.live().filter(opens_at__lte=now, closes_at__gt=now)


class FollowUp(models.Model):
    """One occasion on which one patient is asked: the dues of one local day. Owns the link."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="follow_ups")
    local_date = models.DateField()  # the patient's calendar day on which it is sent
    opens_at = models.DateTimeField()
    send_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    language = models.CharField(max_length=5, blank=True)  # chosen on the page; else the patient's
    started_at = models.DateTimeField(null=True, blank=True)  # first answer, never a click
    finished_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)  # cancelled or superseded
    reason = models.CharField(max_length=200, blank=True)
    # The link: HMAC(link key, purpose, id, nonce). Only digests are kept; a new nonce revokes.
    link_nonce = models.BinaryField(max_length=16)
    link_key_id = models.CharField(max_length=8)
    link_digest = models.CharField(max_length=64, unique=True)
    unsubscribe_digest = models.CharField(max_length=64, unique=True)

    objects = FollowUpQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "local_date"],
                condition=Q(withdrawn_at=None),
                name="one_follow_up_per_local_day",
            ),
            models.CheckConstraint(
                condition=Q(closes_at__gte=models.F("opens_at")), name="follow_up_window_forward"
            ),
        ]
        indexes = [
            models.Index(
                fields=["closes_at"],
                condition=Q(finished_at=None, withdrawn_at=None),
                name="follow_up_live_idx",
            ),
        ]

    def __str__(self) -> str:
        return f"follow-up {self.pk}"


class StepDue(models.Model):
    """One step of a protocol for one anchor of one course: what the planner reconciles."""

    class State(models.TextChoices):
        PLANNED = "planned"  # not yet asked
        ASKED = "asked"
        SATISFIED = "satisfied"
        SUPERSEDED = "superseded"
        CANCELLED = "cancelled"
        EXPIRED = "expired"
        SKIPPED = "skipped"
        NOT_OFFERED = "not_offered"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="dues")
    step = models.CharField(max_length=20)
    anchor = models.CharField(max_length=24)
    infusion = models.ForeignKey(
        Infusion, on_delete=models.PROTECT, null=True, blank=True, related_name="dues"
    )
    occurrence = models.PositiveSmallIntegerField(default=0)
    anchor_at = models.DateTimeField(null=True)  # infusion or enrolment as it stood when planned
    target_at = models.DateTimeField()
    send_at = models.DateTimeField()
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    instruments = models.JSONField(default=list)  # as asked: "phq8" after a fallback, subsets
    state = models.CharField(max_length=12, choices=State, default=State.PLANNED)
    reason = models.CharField(max_length=200, blank=True)
    follow_up = models.ForeignKey(
        FollowUp, on_delete=models.PROTECT, null=True, blank=True, related_name="dues"
    )
    revision = models.PositiveIntegerField()  # Course.revision this was planned from
    # What moved after it was first planned: {"at", "field", "before", "after", "reason"}.
    changes = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["course", "step", "infusion", "occurrence"],
                condition=Q(infusion__isnull=False),
                name="one_due_per_infusion",
            ),
            models.UniqueConstraint(
                fields=["course", "step", "occurrence"],
                condition=Q(infusion=None),
                name="one_due_per_occurrence",
            ),
        ]
        indexes = [
            models.Index(
                fields=["closes_at"],
                condition=Q(state__in=["planned", "asked"]),
                name="due_live_idx",
            ),
        ]

    def __str__(self) -> str:
        return f"due {self.step} {self.pk}"
