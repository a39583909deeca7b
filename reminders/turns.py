"""Whose turn it is: clinics with due mail take turns, however much each of them has.

A clinic with a hundred thousand due messages must not stand before one with a single one.
"""

import random
import uuid
from collections import deque
from collections.abc import Iterator
from datetime import datetime

from django.db.models import Exists, OuterRef

from clinic.models import Clinic
from reminders.models import Message, State

AT_ONCE = 25  # clinics that share one claim


class Turns:
    """One drain's round of the clinics, begun at a random one so that drains do not collide."""

    def __init__(self) -> None:
        self._waiting: deque[uuid.UUID] = deque()

    def each(self, now: datetime) -> Iterator[list[uuid.UUID]]:
        """The clinics whose turn it is, group after group: the rest of this round, then one more.

        Not without end: what is due may be locked, and is to be looked for again later.
        """
        yield from self._rest()
        self._waiting.extend(_with_due_mail(now))
        self._waiting.rotate(random.randrange(len(self._waiting) or 1))
        yield from self._rest()

    def _rest(self) -> Iterator[list[uuid.UUID]]:
        while self._waiting:
            yield [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]


def _with_due_mail(now: datetime) -> list[uuid.UUID]:
    """One probe of an index for each clinic, whatever is due there."""
    due = Message.objects.filter(clinic=OuterRef("pk"), state=State.SCHEDULED, due_at__lte=now)
    return list(Clinic.objects.filter(Exists(due)).order_by("pk").values_list("pk", flat=True))
