"""One shape for everything that is claimed and sent: a state, a due time, a lease."""

import uuid

from django.db import models
from django.db.models import Q


class State(models.TextChoices):
    """scheduled -> claimed -> sending -> an end. After `sending` a crash means "maybe sent"."""

    SCHEDULED = "scheduled"
    CLAIMED = "claimed"
    SENDING = "sending"
    ACCEPTED = "accepted"  # the provider has it
    UNKNOWN = "unknown"  # maybe sent: waits for evidence or a person
    REJECTED = "rejected"  # refused for this recipient
    FAILED = "failed"  # cannot be sent as it is
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    SUPPRESSED = "suppressed"  # the address is not to be written to
    SKIPPED = "skipped"


UNSENT = (State.SCHEDULED, State.CLAIMED)
TERMINAL = (
    State.ACCEPTED,
    State.REJECTED,
    State.FAILED,
    State.CANCELLED,
    State.SUPERSEDED,
    State.EXPIRED,
    State.SUPPRESSED,
    State.SKIPPED,
)


class Claim(models.Model):
    """What may be claimed. Every change of state is one UPDATE naming the state it expects."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.SCHEDULED)
    due_at = models.DateTimeField()
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    claims = models.PositiveSmallIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)  # calls that count against the limit
    reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(lease_token__isnull=False, state__in=["claimed", "sending"])
                | (Q(lease_token=None) & ~Q(state__in=["claimed", "sending"])),
                name="%(class)s_claimed_has_a_lease",
            ),
            models.CheckConstraint(
                condition=~Q(state="accepted") | Q(accepted_at__isnull=False),
                name="%(class)s_accepted_has_a_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at", "id"], condition=Q(state="scheduled"), name="%(class)s_due_idx"
            ),
            models.Index(
                fields=["lease_until"],
                condition=Q(state__in=["claimed", "sending"]),
                name="%(class)s_lease_idx",
            ),
            models.Index(
                fields=["due_at"], condition=Q(state="unknown"), name="%(class)s_unknown_idx"
            ),
        ]
