"""E-mails to patients and to staff, and each call to a provider."""

from typing import Self

from django.db import models
from django.db.models import Q

from clinic.models import Clinic, Member, Patient, User
from reminders.models.claims import Claim
from surveys.models import Alert, FollowUp


class MessageQuerySet(models.QuerySet["Message"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(patient__in=Patient.objects.visible_to(user))


class Message(Claim):
    """One e-mail we mean to send to a patient, and what became of it."""

    class Kind(models.TextChoices):
        INVITATION = "invitation"
        REMINDER = "reminder"
        FRESH_LINK = "fresh_link"
        CONFIRMATION = "confirmation"

    class Delivery(models.TextChoices):
        """What the provider reported since; only ever moves down this list."""

        NONE = ""
        DEFERRED = "deferred"
        DELIVERED = "delivered"
        SOFT_BOUNCED = "soft_bounced"
        UNSUBSCRIBED = "unsubscribed"
        BOUNCED = "bounced"
        COMPLAINED = "complained"

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="messages")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="messages")
    follow_up = models.ForeignKey(
        FollowUp, on_delete=models.PROTECT, related_name="messages", db_index=False
    )  # the nudge's constraint is an index of it
    kind = models.CharField(max_length=12, choices=Kind)
    nth = models.PositiveSmallIntegerField(default=0)  # 0 is the invitation
    not_after = models.DateTimeField()
    # The patient's local day on which it was accepted or is `unknown`; the cap is a constraint.
    # Stays empty for mail the patient asked for or a member sent after confirming.
    capped_on = models.DateField(null=True, blank=True)
    asked_for = models.BooleanField(default=False)  # outside the cap and quiet hours
    requested_by = models.ForeignKey(
        Member, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    delivery = models.CharField(max_length=12, choices=Delivery, blank=True, default=Delivery.NONE)
    delivered_at = models.DateTimeField(null=True, blank=True)
    provider_message_id = models.CharField(max_length=200, blank=True)
    # What moved after it was first planned: {"at", "field", "before", "after", "reason"}.
    changes = models.JSONField(default=list)

    objects = MessageQuerySet.as_manager()

    class Meta(Claim.Meta):
        constraints = [
            *Claim.Meta.constraints,
            models.UniqueConstraint(
                fields=["follow_up", "kind", "nth"], name="one_message_per_nudge"
            ),
            models.UniqueConstraint(
                fields=["patient", "capped_on"],
                condition=Q(capped_on__isnull=False),
                name="one_message_per_local_day",
            ),
        ]
        indexes = [
            *Claim.Meta.indexes,
            models.Index(
                fields=["clinic", "due_at", "id"],
                condition=Q(state="scheduled"),
                name="message_clinic_idx",
            ),
            models.Index(
                fields=["provider_message_id"],
                condition=~Q(provider_message_id=""),
                name="message_provider_idx",
            ),
        ]

    def __str__(self) -> str:
        return f"message {self.pk}"


class Notice(Claim):
    """One e-mail to a member of staff about one alert. Repeats until the alert is taken."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    alert = models.ForeignKey(Alert, on_delete=models.PROTECT, related_name="notices")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    nth = models.PositiveSmallIntegerField(default=0)
    provider_message_id = models.CharField(max_length=200, blank=True)

    class Meta(Claim.Meta):
        constraints = [
            *Claim.Meta.constraints,
            models.UniqueConstraint(fields=["alert", "member", "nth"], name="one_notice_per_round"),
        ]
        indexes = list(Claim.Meta.indexes)

    def __str__(self) -> str:
        return f"notice {self.pk}"


class Attempt(models.Model):
    """One call to a provider, written before it is made. Holds no rendered mail and no link."""

    class Outcome(models.TextChoices):
        STARTED = "started"
        ACCEPTED = "accepted"
        UNKNOWN = "unknown"
        NOT_SENT = "not_sent"
        REJECTED = "rejected"
        FAILED = "failed"
        ABANDONED = "abandoned"  # a person decided to send again

    message = models.ForeignKey(
        Message, on_delete=models.PROTECT, null=True, related_name="attempt_rows", db_index=False
    )
    notice = models.ForeignKey(
        Notice, on_delete=models.PROTECT, null=True, related_name="attempt_rows", db_index=False
    )
    n = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=9, choices=Outcome, default=Outcome.STARTED)
    error = models.CharField(max_length=120, blank=True)  # class and code, never a text
    lane = models.CharField(max_length=40)
    idempotency_key = models.UUIDField()
    template_version = models.CharField(max_length=16)
    inputs = models.JSONField(default=dict)  # render inputs without the link
    payload_sha256 = models.CharField(max_length=64, blank=True)
    replays = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["message", "n"],
                condition=Q(message__isnull=False),
                name="message_attempt_n",
            ),
            models.UniqueConstraint(
                fields=["notice", "n"], condition=Q(notice__isnull=False), name="notice_attempt_n"
            ),
            # At most one call per message is open, accepted or unresolved: the database says so.
            models.UniqueConstraint(
                fields=["message"],
                condition=Q(outcome__in=["started", "accepted", "unknown"]),
                name="one_live_attempt_per_message",
            ),
            models.CheckConstraint(
                condition=Q(message__isnull=False, notice=None)
                | Q(message=None, notice__isnull=False),
                name="attempt_is_for_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return f"attempt {self.pk}"
