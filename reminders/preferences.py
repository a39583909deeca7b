"""What a patient chooses about e-mail: whether it comes, when, and in which language.

Nothing is planned here: the verbs say that the facts changed, and the next look at the courses,
or the gate before a mail goes, plans from the new ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from django.db import transaction

from clinic import enrolment
from clinic.actors import Actor, patient_link
from clinic.models import Clinic, Patient
from reminders import suppression, unsubscribing
from reminders.models import Suppression
from reminders.schedule.clock import instant, local_date
from surveys.models import FollowUp

Mail = Literal["on", "pause", "off"]
PAUSE = timedelta(days=14)  # local days, whatever the clocks do in between


@dataclass(frozen=True, slots=True)
class Standing:
    """How e-mail to a patient stands. `paused_until` none: until the clinic ends the pause."""

    language: str
    send_hour: int | None
    mail: Mail
    paused_until: datetime | None
    is_clinics_pause: bool  # not for the patient to end
    is_held: bool  # no mail goes, for a reason that is not the patient's wish
    is_ended: bool  # withdrawn or deceased: only to stop is left to choose


def standing(patient: Patient, *, now: datetime) -> Standing:
    """At most two queries."""
    held = Suppression.objects.in_force().filter(patient=patient)
    reasons = list(held.values_list("reason", "address_digest"))
    wish = Suppression.Reason.UNSUBSCRIBED
    is_off = any(reason == wish for reason, _ in reasons)
    others = [(reason, digest) for reason, digest in reasons if reason != wish]
    is_paused = patient.is_paused(now)
    return Standing(
        language=patient.language,
        send_hour=patient.send_hour,
        mail="off" if is_off else "pause" if is_paused else "on",
        paused_until=patient.paused_until if is_paused else None,
        is_clinics_pause=is_paused and not enrolment.is_own_pause(patient),
        is_held=not patient.email or bool(suppression.in_the_way(patient.email, others)),
        is_ended=has_left(patient),
    )


@transaction.atomic
def choose(follow_up: FollowUp, wishes: Mapping[str, Any], *, now: datetime) -> Standing:
    """Carry out some of `mail`, `language` and `send_hour`; how it stands then.

    All at once or nothing, and safe to repeat. What is not the patient's to change stays: the
    clinic's pause, another reason not to write, and everything but to stop after the end.
    """
    if not wishes:
        return standing(follow_up.patient, now=now)
    patient, by = Patient.objects.held(follow_up.patient_id), patient_link(follow_up.pk)
    if wishes.get("mail") == "off":
        unsubscribing.unsubscribe(follow_up, now=now)
    if not has_left(patient):
        _prefer(patient, wishes, by, now)
        if wishes.get("mail") in ("on", "pause"):
            suppression.resubscribe(patient, by=by, now=now)
        if wishes.get("mail") in ("on", "off"):  # stopping is more than a pause, which it ends
            enrolment.end_own_pause(patient, by=by, now=now)
        if wishes.get("mail") == "pause":
            enrolment.pause_own(patient, two_weeks_on(now, patient.tz), by=by, now=now)
    return standing(Patient.objects.select_related("clinic").get(pk=patient.pk), now=now)


def _prefer(patient: Patient, wishes: Mapping[str, Any], by: Actor, now: datetime) -> None:
    named = {name: wishes[name] for name in ("language", "send_hour") if name in wishes}
    if named:
        enrolment.prefer(patient, named, by=by, now=now)
    if "language" in named:  # a language chosen on a page of questions gives way to this one
        chosen = FollowUp.objects.live().filter(patient=patient).exclude(language="")
        chosen.exclude(language=named["language"]).update(language="")


def has_left(patient: Patient) -> bool:
    """Withdrawn or deceased."""
    return patient.status in (Patient.Status.WITHDRAWN, Patient.Status.DECEASED)


def two_weeks_on(now: datetime, zone: ZoneInfo) -> datetime:
    """The beginning of the local day on which e-mail starts again."""
    return instant(local_date(now, zone) + PAUSE, time(0), zone)


def hours(clinic: Clinic, own: int | None) -> list[int]:
    """The full hours at which this clinic may write, and the one the patient has already."""
    return [hour for hour in range(24) if hour == own or not _is_quiet(clinic, time(hour))]


def _is_quiet(clinic: Clinic, at: time) -> bool:
    begins, ends = clinic.quiet_from, clinic.quiet_until
    if begins > ends:
        return at >= begins or at < ends
    return begins <= at < ends
