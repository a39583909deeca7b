"""Where it is day now, and where it is night."""

from datetime import datetime
from zoneinfo import ZoneInfo

_AROUND_THE_WORLD = (
    "Pacific/Auckland",
    "Pacific/Noumea",
    "Australia/Sydney",
    "Asia/Tokyo",
    "Asia/Shanghai",
    "Asia/Bangkok",
    "Asia/Kolkata",
    "Asia/Karachi",
    "Asia/Dubai",
    "Europe/Moscow",
    "Europe/Berlin",
    "Europe/London",
    "Atlantic/Cape_Verde",
    "America/Sao_Paulo",
    "America/Puerto_Rico",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Anchorage",
    "Pacific/Honolulu",
    "Pacific/Apia",
)
# Hours by the clock on the wall, half-open: far from the edges of quiet hours (21 to 8).
_DAY, _NIGHT = range(9, 18), (22, 23, 0, 1, 2, 3, 4, 5)


def day_zones(now: datetime) -> list[str]:
    return [zone for zone in _AROUND_THE_WORLD if _hour(zone, now) in _DAY]


def night_zones(now: datetime) -> list[str]:
    return [zone for zone in _AROUND_THE_WORLD if _hour(zone, now) in _NIGHT]


def _hour(zone: str, now: datetime) -> int:
    return now.astimezone(ZoneInfo(zone)).hour
