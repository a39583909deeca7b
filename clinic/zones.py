"""Time zones as people choose them: IANA names."""

from zoneinfo import ZoneInfo


def is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # unknown, no name at all, a folder of names
        return False
    return True
