"""On which weekdays check-ins are e-mailed, in words for staff."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.models import Clinic, Patient
from reminders.schedule.clock import EVERY_DAY, allowed_days, share_a_day

WEEKDAYS = [
    (0, gettext_lazy("Monday")), (1, gettext_lazy("Tuesday")), (2, gettext_lazy("Wednesday")),
    (3, gettext_lazy("Thursday")), (4, gettext_lazy("Friday")), (5, gettext_lazy("Saturday")),
    (6, gettext_lazy("Sunday")),
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class MailDays:
    """`is_against`: the clinic mails on none of the days the patient chose."""

    words: str
    is_against: bool


def mail_days(patient: Patient) -> MailDays:
    ours, theirs = patient.clinic.allowed_days, patient.allowed_days
    return MailDays(_named(allowed_days(ours, theirs)), not share_a_day(ours, theirs))


def against_their_days(clinic: Clinic) -> int:
    """Patients who chose only days on which this clinic does not mail."""
    chosen = clinic.patients.contactable().exclude(allowed_days=[])
    days = chosen.values_list("allowed_days", flat=True)
    return sum(not share_a_day(clinic.allowed_days, theirs) for theirs in days)


def _named(days: Iterable[int]) -> str:
    if set(days) >= EVERY_DAY:
        return _("every day")
    return ", ".join(str(name) for day, name in WEEKDAYS if day in days)
