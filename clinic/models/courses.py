"""Courses of treatment and their infusions: the facts every schedule is computed from."""

import uuid
from datetime import datetime
from typing import Self

from django.db import models, transaction
from django.db.models import Case, Count, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce

from clinic.models.definitions import Definition
from clinic.models.patients import Patient
from clinic.models.staff import Member, User
from clinic.sealed import SealedTextField


class Indication(models.TextChoices):
    DEPRESSION = "depression", "depression"
    PTSD = "ptsd", "PTSD"
    NEUROPATHIC = "neuropathic", "neuropathic pain"
    CRPS = "crps", "CRPS"
    FIBROMYALGIA = "fibromyalgia", "fibromyalgia"
    MIGRAINE = "migraine", "migraine"
    OTHER_PAIN = "other_pain", "other pain"


class CourseQuerySet(models.QuerySet["Course"]):
    def visible_to(self, viewer: Member | User) -> Self:
        return self.filter(patient__in=Patient.objects.visible_to(viewer))

    def open(self) -> Self:
        return self.filter(closed_at=None)

    def under_way(self) -> Self:
        """Open, or closed with steps still to come."""
        return self.filter(Q(closed_at=None) | Q(replan_at__isnull=False))

    def lagging(self, now: datetime) -> Self:
        """Courses whose schedule is to be looked at: something changed, or its time has come."""
        return self.filter(replan_at__lte=now).order_by("replan_at")

    @transaction.atomic
    def touch(self, now: datetime) -> int:
        """Say that the facts changed: what was planned from the older ones must not be sent."""
        return self.in_turn().update(revision=F("revision") + 1, replan_at=now)

    @transaction.atomic
    def look_again(self, now: datetime) -> int:
        """Have the schedule looked at, without saying that the facts changed."""
        return self.in_turn().update(replan_at=now)

    def in_turn(self) -> Self:
        """Locked, in one order for everybody: two transactions never wait for each other."""
        list(self.select_for_update(of=("self",), no_key=True).order_by("pk").only("pk"))
        return self


class Course(models.Model):
    """One course of treatment of one patient under one protocol, from enrolment to close."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="courses")
    protocol = models.ForeignKey(Definition, on_delete=models.PROTECT, related_name="+")
    indication = models.CharField(max_length=12, choices=Indication)
    planned_infusions = models.PositiveSmallIntegerField(null=True, blank=True)
    enrolled_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_reason = models.CharField(max_length=200, blank=True)
    revision = models.PositiveIntegerField(default=1)  # raised by every verb
    replan_at = models.DateTimeField(null=True)  # when the schedule is to be looked at again

    objects = CourseQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["replan_at"], condition=Q(replan_at__isnull=False), name="course_replan_idx"
            ),
        ]

    def __str__(self) -> str:
        return f"course {self.pk}"


class InfusionQuerySet(models.QuerySet["Infusion"]):
    def visible_to(self, viewer: Member | User) -> Self:
        return self.filter(course__patient__in=Patient.objects.visible_to(viewer))

    def completed(self) -> Self:
        return self.filter(status=Infusion.Status.COMPLETED)

    def planned(self) -> Self:
        return self.filter(status=Infusion.Status.PLANNED)

    def standing(self) -> Self:
        """Completed or planned, not cancelled."""
        return self.exclude(status=Infusion.Status.CANCELLED)

    def numbered(self) -> Self:
        """With `number`, the place by time: completed ones first, planned ones after them.

        Counted over the whole course, whatever this queryset leaves out; none when cancelled.
        """
        same_course = Infusion.objects.filter(course=OuterRef("course"))
        so_far = same_course.filter(started_at__lte=OuterRef("started_at"))
        completed = Infusion.Status.COMPLETED
        planned = Infusion.Status.PLANNED
        return self.annotate(
            number=Case(
                When(status=completed, then=_how_many(so_far.completed())),
                When(
                    status=planned,
                    then=_how_many(same_course.completed()) + _how_many(so_far.planned()),
                ),
                default=Value(None),
                output_field=models.IntegerField(),
            )
        )


def _how_many(infusions: InfusionQuerySet) -> Coalesce:
    counted = infusions.order_by().values("course").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=models.IntegerField()), 0)


class Infusion(models.Model):
    """One infusion. Its number in the course is its place by time, so it is never stored."""

    class Status(models.TextChoices):
        PLANNED = "planned"
        COMPLETED = "completed"
        CANCELLED = "cancelled"

    class Route(models.TextChoices):
        IV = "iv", "intravenous"
        IM = "im", "intramuscular"
        INTRANASAL = "intranasal", "intranasal"
        SUBCUTANEOUS = "subcutaneous", "subcutaneous"
        SUBLINGUAL = "sublingual", "sublingual"
        ORAL = "oral", "oral"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="infusions")
    started_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=Status)
    stopped_early = models.BooleanField(default=False)
    dose_mg_per_kg = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    route = models.CharField(max_length=12, choices=Route, default=Route.IV)
    duration_minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    systolic_max = models.PositiveSmallIntegerField(null=True, blank=True)  # mmHg
    diastolic_max = models.PositiveSmallIntegerField(null=True, blank=True)  # mmHg
    heart_rate_max = models.PositiveSmallIntegerField(null=True, blank=True)  # per minute
    oxygen_min = models.PositiveSmallIntegerField(null=True, blank=True)  # SpO2, per cent
    complication = SealedTextField(blank=True)
    note = SealedTextField(blank=True)
    cancelled_reason = models.CharField(max_length=200, blank=True)
    recorded_at = models.DateTimeField()
    number: int | None  # only on rows read through `numbered()`

    objects = InfusionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["course", "started_at"],
                condition=~Q(status="cancelled"),
                name="one_infusion_at_a_time",
            ),
        ]
        indexes = [models.Index(fields=["course", "started_at"], name="infusion_course_idx")]

    def __str__(self) -> str:
        return f"infusion {self.pk}"
