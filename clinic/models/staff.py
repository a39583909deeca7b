"""Clinics and the people who work in them."""

import uuid
from datetime import date, time
from functools import lru_cache
from typing import Any, ClassVar, Self
from zoneinfo import ZoneInfo

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import make_password
from django.db import models
from django.utils import translation
from django.utils.translation import gettext, gettext_noop


class ClinicQuerySet(models.QuerySet["Clinic"]):
    def of(self, viewer: "Member | User") -> Self:
        """The clinic a member acts in, or those a user works in: while that membership lasts."""
        mine = {"pk": viewer.pk} if isinstance(viewer, Member) else {"user": viewer}
        return self.filter(pk__in=Member.objects.active().filter(**mine).values("clinic"))


CARE_TEAM = gettext_noop("Care Team")


class Clinic(models.Model):
    """The tenant. Its zone and hours rule what is sent and what patients are told."""

    class Cover(models.TextChoices):
        """Who reads the alert mailbox: at all hours, or in staffed hours only."""

        ALWAYS = "always"
        WEEKDAYS = "weekdays"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)  # for staff; may tell the speciality
    sender_name = models.CharField(max_length=60, default=CARE_TEAM)  # what patients see
    zone = models.CharField(max_length=64)
    phone = models.CharField(max_length=32, blank=True)
    quiet_from = models.TimeField(default=time(21))
    quiet_until = models.TimeField(default=time(8))
    allowed_days = models.JSONField(default=list)  # weekdays 0-6 for mail; empty means every day
    cover = models.CharField(max_length=10, choices=Cover, default=Cover.WEEKDAYS)
    staffed_days = models.JSONField(default=list)  # weekdays, 0 = Monday
    staffed_from = models.TimeField(default=time(8))
    staffed_until = models.TimeField(default=time(17))
    closed_dates = models.JSONField(default=list)  # days on which nobody is there: "2026-12-25"
    mailbox_reader = models.CharField(max_length=120, blank=True)  # who reads alerts in those hours
    reply_within_minutes = models.PositiveSmallIntegerField(default=60)
    greet_by_first_name = models.BooleanField(default=False)
    shows_own_trend = models.BooleanField(default=False, db_default=False)  # to the patient
    switched_on = models.JSONField(default=list)  # partly verified texts used knowingly: "gad7:es"
    created_at = models.DateTimeField()

    objects = ClinicQuerySet.as_manager()

    def __str__(self) -> str:
        return f"clinic {self.pk}"

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @property
    def closed_on(self) -> frozenset[date]:
        """Holidays and other closures, on the clinic's own calendar."""
        return frozenset(map(date.fromisoformat, self.closed_dates))

    def sender_in(self, language: str) -> str:
        """What patients see. A name of the clinic's own stays as it is; ours is translated."""
        if self.sender_name != CARE_TEAM:
            return self.sender_name
        return _care_team(language)


@lru_cache(maxsize=16)
def _care_team(language: str) -> str:
    with translation.override(language):
        return gettext(CARE_TEAM)


class UserManager(BaseUserManager["User"]):
    """What Django's and allauth's account code expects; staff come in by invitation only."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def at(self, email: str) -> "User":
        """The account of this address, made now if there is none: two clinics may ask at once."""
        user, _ = self.get_or_create(email=email, defaults={"password": make_password(None)})
        return user


class User(AbstractBaseUser):
    """One person who signs in. What they may do is their Member row, per clinic."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, blank=True)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return f"user {self.pk}"


class MemberQuerySet(models.QuerySet["Member"]):
    def active(self) -> Self:
        return self.filter(active=True, user__is_active=True)

    def responders(self) -> Self:
        """Members who are told about alerts."""
        return self.active().filter(is_responder=True, role__in=Member.CLINICAL)


class Member(models.Model):
    """One person's role in one clinic."""

    class Role(models.TextChoices):
        ADMIN = "admin"
        CLINICIAN = "clinician"
        COORDINATOR = "coordinator"
        VIEWER = "viewer"

    CLINICAL = (Role.ADMIN, Role.CLINICIAN)  # may see scores and take an alert

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="members")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role)
    is_responder = models.BooleanField(default=False)
    active = models.BooleanField(default=True)
    joined_at = models.DateTimeField()

    objects = MemberQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clinic", "user"], name="one_membership_per_clinic"),
        ]

    def __str__(self) -> str:
        return f"member {self.pk}"

    @property
    def is_clinical(self) -> bool:
        return self.role in self.CLINICAL

    @property
    def may_take_alerts(self) -> bool:
        """Works here still, in a role that may."""
        return self.active and self.user.is_active and self.is_clinical
