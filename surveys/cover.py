"""Who reads alerts, and when: what a patient in a crisis is told must be true."""

from datetime import UTC, date, datetime, timedelta
from typing import Literal

from clinic.models import Clinic, Member
from surveys.models import Alert

Cover = Literal["always", "weekdays", "none"]

TEST_HOLDS_FOR = timedelta(days=90)  # after this a responder must prove the chain again
_DAY = timedelta(days=1)
_LOOK_AHEAD_DAYS = 60


def cover_of(clinic: Clinic, *, now: datetime) -> Cover:
    """`none` until a responder has taken a test alert within 90 days: then item 9 is not asked."""
    if not proven_responders(clinic, now=now):
        return "none"
    return "always" if clinic.cover == Clinic.Cover.ALWAYS else "weekdays"


def proven_responders(clinic: Clinic, *, now: datetime) -> list[Member]:
    """Responders who have shown that an alert reaches them."""
    taken = Alert.objects.filter(
        clinic=clinic, rule=Alert.TEST_RULE, taken_at__gt=now - TEST_HOLDS_FOR, taken_at__lte=now
    )
    return list(clinic.members.responders().filter(pk__in=taken.values("owner")))


def reading_now(clinic: Clinic, now: datetime) -> bool:
    """Whether somebody reads alerts at this moment."""
    cover = cover_of(clinic, now=now)
    return cover == "always" or (cover == "weekdays" and _is_staffed(clinic, now))


def next_opening(clinic: Clinic, now: datetime) -> datetime | None:
    """When staffed hours begin next, in UTC, holidays left out; none when the clinic has not said.

    The clock on the clinic's wall counts: across a change of daylight saving it still opens at
    eight.
    """
    today = now.astimezone(clinic.tz).date()
    days = (today + timedelta(days=n) for n in range(_LOOK_AHEAD_DAYS + 1))
    openings = (
        datetime.combine(day, clinic.staffed_from, tzinfo=clinic.tz).astimezone(UTC)
        for day in days
        if _is_open_on(clinic, day)
    )
    return next((opening for opening in openings if opening > now), None)


def hours_today(clinic: Clinic, now: datetime) -> tuple[datetime, datetime]:
    """When the clinic's day begins and ends, on its own calendar."""
    local = now.astimezone(clinic.tz)
    start = datetime.combine(local, clinic.staffed_from, tzinfo=clinic.tz)
    end = datetime.combine(local, clinic.staffed_until, tzinfo=clinic.tz)
    return start.astimezone(UTC), end.astimezone(UTC)


def _is_staffed(clinic: Clinic, now: datetime) -> bool:
    """Hours are half-open; they may run past midnight into the day after a staffed one."""
    local = now.astimezone(clinic.tz)
    at, day = local.time(), local.date()
    if clinic.staffed_from < clinic.staffed_until:
        return _is_open_on(clinic, day) and clinic.staffed_from <= at < clinic.staffed_until
    started_today = _is_open_on(clinic, day) and at >= clinic.staffed_from
    started_yesterday = _is_open_on(clinic, day - _DAY) and at < clinic.staffed_until
    return started_today or started_yesterday


def _is_open_on(clinic: Clinic, day: date) -> bool:
    return day.weekday() in clinic.staffed_days and day not in clinic.closed_on
