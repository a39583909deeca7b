"""Answers that need a person: raised in the answer's transaction, owned, ended."""

import uuid
from typing import Self

from django.db import models
from django.db.models import Q

from clinic.models import Clinic, Member, Patient, User
from clinic.sealed import SealedTextField
from surveys.models.answers import Response
from surveys.models.followups import FollowUp


class AlertQuerySet(models.QuerySet["Alert"]):
    def visible_to(self, viewer: Member | User) -> Self:
        return self.filter(clinic__in=Clinic.objects.of(viewer))

    def open(self) -> Self:
        return self.filter(closed_at=None)

    def untaken(self) -> Self:
        """Nobody has it: nobody pressed "I am taking this", or who did may no longer."""
        gone = Q(owner__active=False) | Q(owner__user__is_active=False)
        return self.open().filter(Q(owner=None) | gone | ~Q(owner__role__in=Member.CLINICAL))

    def to_be_told(self) -> Self:
        """Nobody has taken it, or it was handed over to somebody who has not taken it yet."""
        return self.untaken() | self.open().filter(offered_to__isnull=False)

    def about_patients(self) -> Self:
        """Without the test alerts by which a clinic proves its chain."""
        return self.exclude(rule=Alert.TEST_RULE)


class Alert(models.Model):
    """One answer that needs a person, with an owner and an end."""

    TEST_RULE = "test"

    class Level(models.TextChoices):
        REVIEW = "review"
        URGENT = "urgent"
        CRITICAL = "critical"

    class Outcome(models.TextChoices):
        SPOKE = "spoke", "Spoke with the patient"
        SEEN = "seen", "Seen in clinic"
        REFERRED = "referred", "Referred to emergency care"
        WELFARE = "welfare", "Welfare check requested"
        NOT_REACHED = "not_reached", "Could not be reached"
        NO_ACTION = "no_action", "Reviewed, no contact needed"
        TESTED = "tested", "Test alert"

    class Plan(models.TextChoices):
        NO_CHANGE = "no_change", "No change"
        SAFETY_PLAN = "safety_plan", "Safety plan made or gone over"
        EARLIER_VISIT = "earlier_visit", "Earlier visit"
        EMERGENCY = "emergency", "Emergency referral"
        WELFARE = "welfare", "Welfare check"

    class AssessedWith(models.TextChoices):
        CSSRS = "cssrs", "C-SSRS screener"
        SAFE_T = "safe_t", "SAFE-T"
        ASQ = "asq", "ASQ"
        INTERVIEW = "interview", "Clinical interview"
        OTHER = "other", "Another tool, named in the note"
        NONE = "none", "None was made"

    class Found(models.TextChoices):
        """The level that the assessment gave."""

        LOW = "low", "Low"
        MODERATE = "moderate", "Moderate"
        HIGH = "high", "High"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="alerts")
    reference = models.CharField(max_length=10)  # what a notice may say: "7F3K-21"
    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, null=True, related_name="alerts"
    )  # none for a test alert
    follow_up = models.ForeignKey(
        FollowUp, on_delete=models.PROTECT, null=True, related_name="alerts"
    )
    response = models.ForeignKey(
        Response, on_delete=models.PROTECT, null=True, related_name="alerts"
    )
    level = models.CharField(max_length=8, choices=Level)
    rule = models.CharField(max_length=60)  # which rule, with its version
    trigger = models.CharField(max_length=60)  # what gave it, e.g. "9=2": the same answer, once
    raised_at = models.DateTimeField()
    best_phone = SealedTextField(blank=True)  # the number the patient left for today
    owner = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="+")
    taken_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=12, choices=Outcome, blank=True)
    plan = models.CharField(max_length=13, choices=Plan, blank=True)
    assessed_with = models.CharField(max_length=9, choices=AssessedWith, blank=True)
    found = models.CharField(max_length=8, choices=Found, blank=True)
    next_contact_on = models.DateField(null=True, blank=True)
    # Handed over: the owner has it until this member takes it.
    offered_to = models.ForeignKey(
        Member, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    offered_at = models.DateTimeField(null=True, blank=True)
    # Wants to end it with the outcome above; a second person has to agree.
    closing_by = models.ForeignKey(
        Member, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    reopened_at = models.DateTimeField(null=True, blank=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["response", "trigger"],
                condition=Q(response__isnull=False),
                name="one_alert_per_answer",
            ),
            models.CheckConstraint(
                condition=Q(taken_at=None) | Q(owner__isnull=False), name="taken_has_an_owner"
            ),
            models.CheckConstraint(
                condition=Q(offered_to=None, offered_at=None)
                | Q(offered_at__isnull=False, offered_to__isnull=False, owner__isnull=False),
                name="offered_by_its_owner",
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None) | Q(offered_to=None, closing_by=None),
                name="closed_waits_for_nobody",
            ),
        ]
        indexes = [
            models.Index(
                fields=["clinic", "raised_at"], condition=Q(closed_at=None), name="alert_open_idx"
            ),
        ]

    def __str__(self) -> str:
        return f"alert {self.reference}"


class AlertEvent(models.Model):
    """One thing that happened to an alert. Append-only."""

    class Kind(models.TextChoices):
        RAISED = "raised"
        LEVEL = "level"
        NOTIFIED = "notified"
        NOT_DELIVERED = "not_delivered"
        TAKEN = "taken"
        PHONE = "phone"  # the patient left the best number for today
        NOTE = "note"
        CONTACT = "contact"  # somebody tried to reach the patient
        OFFERED = "offered"  # handed over, and not taken yet
        HANDED_OVER = "handed_over"
        KEPT = "kept"  # the owner took the offer back
        TO_CONFIRM = "to_confirm"  # a second person has to agree to the end
        CONFIRMED = "confirmed"
        SENT_BACK = "sent_back"
        CLOSED = "closed"
        REOPENED = "reopened"
        ESCALATED = "escalated"
        INCIDENT = "incident"

    alert = models.ForeignKey(Alert, on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField()
    kind = models.CharField(max_length=13, choices=Kind)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="+")
    detail = models.CharField(max_length=1000, blank=True)

    class Meta:
        indexes = [models.Index(fields=["alert", "at"], name="alert_event_idx")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class ContactAttempt(models.Model):
    """One try to reach a patient about an alert. Append-only; its note is in the history."""

    class How(models.TextChoices):
        PHONE = "phone", "Telephone"
        VIDEO = "video", "Video call"
        IN_PERSON = "in_person", "In person"
        MESSAGE = "message", "Written message"
        TRUSTED = "trusted", "Somebody close to the patient"

    class Outcome(models.TextChoices):
        REACHED = "reached", "Spoke"
        NO_ANSWER = "no_answer", "No answer"
        LEFT_MESSAGE = "left_message", "Left a message"
        DECLINED = "declined", "Did not want to talk"
        WRONG_NUMBER = "wrong_number", "Wrong number"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    alert = models.ForeignKey(Alert, on_delete=models.PROTECT, related_name="contacts")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    how = models.CharField(max_length=9, choices=How)
    outcome = models.CharField(max_length=12, choices=Outcome)

    def __str__(self) -> str:
        return f"contact attempt {self.pk}"


class Escalation(models.Model):
    """One step by which an alert that nobody had taken went on to further people. Append-only."""

    class Reason(models.TextChoices):
        UNTAKEN = "untaken"
        NOT_DELIVERED = "not_delivered"  # a responder's mail was refused or came back
        INCIDENT = "incident"

    alert = models.ForeignKey(
        Alert, on_delete=models.PROTECT, related_name="escalations", db_index=False
    )  # the constraint is an index of it
    reason = models.CharField(max_length=13, choices=Reason)
    n = models.PositiveSmallIntegerField()
    due_at = models.DateTimeField()  # also if nothing ran then
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["alert", "reason", "n"], name="one_escalation_a_step"),
        ]

    def __str__(self) -> str:
        return f"escalation {self.pk}"
