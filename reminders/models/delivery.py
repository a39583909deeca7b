"""What providers tell us, who must not be written to, and lanes that are paused."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from clinic.models import Clinic, Patient


class ProviderEvent(models.Model):
    """One event from a provider's webhook, stored as it came and applied later, once."""

    provider = models.CharField(max_length=20)
    dedupe_key = models.CharField(max_length=64)
    kind = models.CharField(max_length=20)  # Anymail's event type
    message_ref = models.CharField(max_length=36, blank=True)  # our id, from the metadata
    provider_message_id = models.CharField(max_length=200, blank=True)
    occurred_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField()
    payload = models.JSONField(default=dict)  # without subject, body and addresses
    applied_at = models.DateTimeField(null=True, blank=True)
    try_after = models.DateTimeField()  # a receipt may come before our own record
    outcome = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "dedupe_key"], name="one_row_per_provider_event"
            ),
        ]
        indexes = [
            models.Index(
                fields=["try_after"], condition=Q(applied_at=None), name="provider_event_open_idx"
            ),
            models.Index(
                fields=["message_ref"], condition=~Q(message_ref=""), name="provider_event_ref_idx"
            ),
            models.Index(fields=["received_at"], name="provider_event_age_idx"),
        ]

    def __str__(self) -> str:
        return f"provider event {self.pk}"


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    def in_force(self) -> Self:
        return self.filter(lifted_at=None)


class Suppression(models.Model):
    """An address that must not be written to, and why. Lifted by staff, never deleted."""

    class Reason(models.TextChoices):
        HARD_BOUNCE = "hard_bounce"
        COMPLAINT = "complaint"
        UNSUBSCRIBED = "unsubscribed"
        REFUSED = "refused"  # at the moment of sending
        SOFT_BOUNCES = "soft_bounces"  # three in thirty days
        STAFF = "staff"

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="suppressions")
    address_digest = models.CharField(max_length=64)
    reason = models.CharField(max_length=12, choices=Reason)
    since = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "address_digest", "reason"],
                condition=Q(lifted_at=None),
                name="one_suppression_per_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"suppression {self.pk}"


class LaneQuerySet(models.QuerySet["Lane"]):
    def paused(self, now: datetime) -> Self:
        return self.filter(paused_until__gt=now)


class Lane(models.Model):
    """One way out of the building (a provider account). Its circuit lives here, not in Redis."""

    name = models.CharField(max_length=40, primary_key=True)
    paused_until = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    unknown_in_a_row = models.PositiveSmallIntegerField(default=0)
    opened = models.PositiveSmallIntegerField(default=0)  # doublings of the pause so far
    updated_at = models.DateTimeField()

    objects = LaneQuerySet.as_manager()

    def __str__(self) -> str:
        return f"lane {self.name}"


class Pulse(models.Model):
    """When a part of the engine last did its work. Health is progress, not a running process."""

    name = models.CharField(max_length=40, primary_key=True)  # "tick", "drain"
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"pulse {self.name}"
