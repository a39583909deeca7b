"""Patients. Direct identifiers are sealed; search keys find them again."""

import unicodedata
import uuid
from datetime import date, datetime
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import Q

from clinic.models.staff import Clinic, Member, User
from clinic.sealed import SealedTextField

BIRTH_DATE_TRIES = 5  # wrong ones in a row; then a member opens it again

if TYPE_CHECKING:
    from clinic.models.courses import Course


class PatientQuerySet(models.QuerySet["Patient"]):
    def visible_to(self, viewer: Member | User) -> Self:
        """Patients of the clinic a member acts in, or of all where a user works. The only gate."""
        return self.filter(clinic__in=Clinic.objects.of(viewer))

    def held(self, pk: uuid.UUID) -> "Patient":
        """One patient, locked until the transaction ends: verbs about a patient take turns."""
        return self.select_for_update(of=("self",), no_key=True).select_related("clinic").get(pk=pk)

    def contactable(self) -> Self:
        """Neither withdrawn nor deceased."""
        return self.filter(status__in=[Patient.Status.ACTIVE, Patient.Status.PAUSED])


class Patient(models.Model):
    """Someone followed up. Belongs to one clinic."""

    class Status(models.TextChoices):
        ACTIVE = "active"
        PAUSED = "paused"
        WITHDRAWN = "withdrawn"
        DECEASED = "deceased"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="patients")
    name = SealedTextField()
    birth_date_text = SealedTextField(db_column="birth_date")  # ISO 8601
    email = SealedTextField(blank=True)  # optional: without it dues go to the call list
    phone = SealedTextField(blank=True)
    mrn = SealedTextField(blank=True)
    # Whom the clinic may call when it is worried and does not reach the patient; optional.
    trusted_name = SealedTextField(blank=True, default="", db_default="")
    trusted_relation = SealedTextField(blank=True, default="", db_default="")
    trusted_phone = SealedTextField(blank=True, default="", db_default="")
    language = models.CharField(max_length=5, default="en")
    zone = models.CharField(max_length=64, blank=True)  # IANA; blank means the clinic's
    send_hour = models.PositiveSmallIntegerField(null=True, blank=True)  # the patient's own wish
    allowed_days = models.JSONField(default=list)  # weekdays 0-6; empty means every day
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    paused_until = models.DateTimeField(null=True, blank=True)  # none while paused: until resumed
    consent_version = models.CharField(max_length=20, blank=True)
    consented_at = models.DateTimeField(null=True, blank=True)
    enrolled_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)  # withdrawn or deceased
    # Tries since the last right one, on whichever device: what keeps a link from reading back.
    wrong_birth_dates = models.PositiveSmallIntegerField(default=0, db_default=0)

    objects = PatientQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(send_hour__isnull=True) | Q(send_hour__lte=23), name="send_hour_of_day"
            ),
            models.CheckConstraint(
                condition=Q(wrong_birth_dates__lte=BIRTH_DATE_TRIES),
                name="no_try_after_the_last_birth_date",
            ),
        ]
        indexes = [models.Index(fields=["clinic", "status"], name="patient_clinic_idx")]

    def __str__(self) -> str:
        return f"patient {self.pk}"

    @property
    def birth_date(self) -> date:
        return date.fromisoformat(self.birth_date_text)

    @property
    def first_name(self) -> str:
        """What an e-mail may greet by, in one word. Empty when it could be something else: a
        surname that stands first, a number, a mark of writing."""
        words = "".join(c for c in self.name if unicodedata.category(c) != "Cf").split()
        word = words[0] if words else ""
        is_name = all(c in "-.'’" or unicodedata.category(c)[0] in "LM" for c in word)
        return word if is_name else ""

    @property
    def is_birth_date_locked(self) -> bool:
        return self.wrong_birth_dates >= BIRTH_DATE_TRIES

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone or self.clinic.zone)

    def is_paused(self, now: datetime) -> bool:
        """Now: a pause whose end has passed is over, though its row still says so."""
        until = self.paused_until
        return self.status == self.Status.PAUSED and (until is None or until > now)

    def open_courses(self) -> "models.QuerySet[Course]":
        return self.courses.filter(closed_at=None)


class SearchKey(models.Model):
    """A keyed digest by which a patient is found: exact values only, no way back."""

    class Kind(models.TextChoices):
        NAME_WORD = "name"
        BIRTH_DATE = "birth"
        EMAIL = "email"
        PHONE = "phone"
        MRN = "mrn"

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="search_keys")
    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=5, choices=Kind)
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "kind", "digest"], name="one_search_key_per_value"
            ),
            models.UniqueConstraint(
                fields=["clinic", "digest"], condition=Q(kind="mrn"), name="one_patient_per_mrn"
            ),
        ]
        indexes = [models.Index(fields=["clinic", "kind", "digest"], name="search_key_idx")]

    def __str__(self) -> str:
        return f"search key {self.pk}"
