"""What a mail says: a row in, plain facts out. Says nothing an onlooker could use.

A letter holds the link and the address, so it lives in memory only. `stored` is what an attempt
keeps of it: enough to write the same letter again, nothing personal.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import dateformat, translation
from django.utils.translation import pgettext

from reminders.models import Message, Notice
from reminders.suppression import address_digest
from surveys import instruments, links, questions
from surveys.models import Alert

_PRIORITY = {Alert.Level.CRITICAL: 1, Alert.Level.URGENT: 2, Alert.Level.REVIEW: 3}
_NAMESPACE = uuid.UUID("6f1d6c5e-6f0c-5d0e-9a53-2f0f6c1b7a11")


@dataclass(frozen=True, slots=True)
class Letter:
    template: str
    ref: str  # our id, opaque; the provider reports it back
    to: str
    sender: str
    language: str
    message_id: uuid.UUID  # the same every time this mail goes
    context: Mapping[str, Any]
    stored: Mapping[str, Any]
    unsubscribe: str = ""


def message_letter(message: Message, names: tuple[str, ...]) -> Letter:
    """`names` is what the follow-up asks, as `StepDue.instruments` names it."""
    patient, follow_up = message.patient, message.follow_up
    clinic = patient.clinic
    unsubscribe = links.unsubscribe_url(follow_up)
    language = follow_up.language or patient.language
    sender = clinic.sender_in(language)
    to = mailbox(patient.email)
    known = {
        "nth": message.nth,
        "minutes": minutes(names),
        "closes_at": follow_up.closes_at.isoformat(),
        "zone": patient.tz.key,
        "greeted": clinic.greet_by_first_name,
    }
    return Letter(
        template=message.kind,
        ref=str(message.pk),
        to=to,
        sender=sender,
        language=language,
        message_id=_stable(message.pk, bytes(follow_up.link_nonce)),
        unsubscribe=unsubscribe,
        stored={**known, "address": address_digest(to)},
        context={
            "nth": message.nth,
            "minutes": known["minutes"],
            **_last_moment(
                follow_up.closes_at.astimezone(patient.tz).replace(tzinfo=None), language
            ),
            "first_name": patient.first_name if clinic.greet_by_first_name else "",
            "sender": sender,
            "phone": clinic.phone,
            "link": links.survey_url(follow_up),
            "unsubscribe": unsubscribe,
        },
    )


def notice_letter(notice: Notice) -> Letter:
    """A reference and a priority: what is wrong, and with whom, is behind the sign-in."""
    alert, clinic = notice.alert, notice.clinic
    known = {"priority": _PRIORITY[Alert.Level(alert.level)], "nth": notice.nth}
    return Letter(
        template="notice",
        ref=str(notice.pk),
        to=mailbox(notice.member.user.email),
        sender=clinic.sender_name,
        language="en",
        message_id=_stable(notice.pk, b"notice"),
        stored=known,
        context={
            **known,
            "reference": alert.reference,
            "test": alert.rule == Alert.TEST_RULE,
            "sender": clinic.sender_name,
            "link": settings.SITE_ROOT + reverse("dashboards:alerts"),
        },
    )


def mailbox(address: str) -> str:
    """Where mail for this address goes. What becomes of it says nothing about another one."""
    mode, _, instead = settings.MAIL_MODE.partition(":")
    return instead if mode == "redirect" else address


@lru_cache(maxsize=1024)
def _last_moment(closes_at: datetime, language: str) -> Mapping[str, str]:
    """`closes_at` on the patient's clock, in the patient's words."""
    with translation.override(language):
        day = dateformat.format(closes_at, pgettext("a day", "l, F j"))
        return {"day": day, "time": dateformat.format(closes_at, pgettext("a time of day", "P"))}


@lru_cache(maxsize=256)
def minutes(names: tuple[str, ...]) -> int:
    """As the first page says it, before anything is answered."""
    return questions.minutes_for(
        screen for name in names for screen in instruments.named(name).visible({})
    )


def _stable(pk: uuid.UUID, nonce: bytes) -> uuid.UUID:
    return uuid.uuid5(_NAMESPACE, f"{pk}:{nonce.hex()}")
