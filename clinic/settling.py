"""What a clinic decides about itself: names, hours, cover, and texts used knowingly."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from clinic import audit
from clinic.access import demand
from clinic.actors import Actor
from clinic.enrolment.details import check_allowed_days
from clinic.models import Clinic, Course
from clinic.refusals import Refused

MOST_CLOSED = 366
SETTINGS = frozenset(
    {
        "sender_name",
        "phone",
        "quiet_from",
        "quiet_until",
        "allowed_days",
        "cover",
        "staffed_days",
        "staffed_from",
        "staffed_until",
        "closed_dates",
        "mailbox_reader",
        "reply_within_minutes",
        "greet_by_first_name",
        "shows_own_trend",
    }
)


@transaction.atomic
def change(clinic: Clinic, changes: Mapping[str, Any], *, by: Actor, now: datetime) -> Clinic:
    """Change some of SETTINGS. Cover, days and quiet hours move what is planned for everybody."""
    demand(by, "set up clinic", clinic)
    if unknown := set(changes) - SETTINGS:
        raise ValueError(f"not settings of a clinic: {sorted(unknown)}")
    clinic = Clinic.objects.select_for_update(no_key=True).get(pk=clinic.pk)
    if changes.get("quiet_from", clinic.quiet_from) == changes.get(
        "quiet_until", clinic.quiet_until
    ):
        raise Refused(_("Quiet hours need a beginning and an end."), field="quiet_until")
    if "allowed_days" in changes:
        changes = {**changes, "allowed_days": check_allowed_days(changes["allowed_days"])}
    if "closed_dates" in changes:
        changes = {**changes, "closed_dates": _dates(changes["closed_dates"])}
    changed = sorted(name for name, value in changes.items() if getattr(clinic, name) != value)
    for name in changed:
        setattr(clinic, name, changes[name])
    return _keep(clinic, changed, "change clinic", by, now)


def _dates(written: Iterable[str]) -> list[str]:
    """Each day once, in order. Raises Refused for what is no date."""
    days = set()
    for text in written:
        try:
            days.add(date.fromisoformat(text).isoformat())
        except ValueError:
            raise Refused(
                _("“%(text)s” is not a date. Write it as 2026-12-25.") % {"text": text},
                field="closed_dates",
            ) from None
    if len(days) > MOST_CLOSED:
        raise Refused(_("That is more than a year of closed days."), field="closed_dates")
    return sorted(days)


@transaction.atomic
def switch_text(clinic: Clinic, text: str, on: bool, *, by: Actor, now: datetime) -> Clinic:
    """Use, or stop using, a translation that is only partly verified: "gad7:es"."""
    demand(by, "set up clinic", clinic)
    clinic = Clinic.objects.select_for_update(no_key=True).get(pk=clinic.pk)
    wanted = sorted({*clinic.switched_on, text} if on else set(clinic.switched_on) - {text})
    if wanted == clinic.switched_on:
        return clinic
    clinic.switched_on = wanted
    return _keep(clinic, ["switched_on"], "switch text", by, now)


def _keep(clinic: Clinic, changed: list[str], action: str, by: Actor, now: datetime) -> Clinic:
    if changed:
        clinic.save(update_fields=changed)
        Course.objects.under_way().filter(patient__clinic=clinic).touch(now)
        audit.write(by, action, clinic=clinic, now=now, subject=clinic, fields=changed)
    return clinic
