"""How long a member of staff stays signed in: 15 minutes without use, 12 hours in all.

Enforced here, on the server. Pages that ask for news by themselves send `X-Background`, which
does not count as use.
"""

from datetime import datetime, timedelta

from django.contrib.sessions.backends.base import SessionBase

IDLE = timedelta(minutes=15)
LONGEST = timedelta(hours=12)
NOTED_EVERY = timedelta(minutes=1)  # how often use is written down; a session may last so much less
SINCE_KEY, USED_KEY = "staff_since", "staff_used"


def is_over(session: SessionBase, *, now: datetime) -> bool:
    """A session not yet looked at has just begun."""
    return (
        now - _at(session, USED_KEY, now) >= IDLE or now - _at(session, SINCE_KEY, now) >= LONGEST
    )


def note_use(session: SessionBase, *, now: datetime) -> None:
    if SINCE_KEY not in session:
        session[SINCE_KEY] = now.isoformat()
    if USED_KEY not in session or now - _at(session, USED_KEY, now) >= NOTED_EVERY:
        session[USED_KEY] = now.isoformat()


def _at(session: SessionBase, key: str, otherwise: datetime) -> datetime:
    return datetime.fromisoformat(session[key]) if key in session else otherwise
