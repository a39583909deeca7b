"""A claimed batch, read at once and written ahead. What decides comes at each row's turn."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import InterfaceError, OperationalError

from reminders import claiming, moulds, rereading
from reminders.claiming import Claimed, Taken
from reminders.emails import Mail
from reminders.letters import message_letter
from reminders.models import Message, Notice
from reminders.rereading import Reread
from reminders.stamps import Stamp, stamps

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A claimed row, with its facts as they were at `read_at`, their stamp, and what they say."""

    row: Claimed
    read_at: datetime
    stamp: Stamp | None = None
    reread: Reread | None = None
    mail: Mail | None = None


def prepare(taken: Taken[Any], lane: str, *, now: datetime) -> list[Prepared]:
    """The rows of one claim, soonest first. Stamps come first: what changes later shows."""
    if taken.model is Notice:
        return [Prepared(row, now) for row in claiming.load(taken)]
    marks = stamps(taken.ids, lane)
    rows: list[Message] = claiming.load(taken)
    facts = _facts(rows, now)
    return [_prepared(row, marks.get(row.pk), facts.get(row.pk), lane, now) for row in rows]


def mail_of(reread: Reread, lane: str) -> Mail:
    return moulds.write(message_letter(reread.message, reread.instruments), lane)


def _prepared(
    row: Message, stamp: Stamp | None, reread: Reread | None, lane: str, now: datetime
) -> Prepared:
    """Without facts or without a mail where there is trouble: then it is looked at by itself."""
    try:
        mail = mail_of(reread, lane) if reread else None
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        logger.warning("a message is written at its turn: %s", type(error).__name__)
        mail = None
    return Prepared(row, now, stamp, reread, mail)


def _facts(rows: Sequence[Message], now: datetime) -> dict[Any, Reread]:
    """Nothing if one of the rows cannot be read: then each is read by itself, at its turn."""
    try:
        return rereading.messages(rows, now=now)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        logger.warning("a batch is read row by row: %s", type(error).__name__)
        return {}
