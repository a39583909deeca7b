"""What a provider's report says about an address: our own reading of the raw event. Pure data.

Anymail calls many a full mailbox "bounced". Silencing a patient for that would be wrong, so that
only what says plainly that the address is dead counts as hard; anything else is soft.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Report(StrEnum):
    NOTHING = "nothing"
    TAKEN = "taken"  # the provider has it
    DELIVERED = "delivered"
    DEFERRED = "deferred"
    SOFT = "soft"
    HARD = "hard"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    REFUSED = "refused"  # the provider will not try


_PLAIN = {
    "queued": Report.TAKEN,
    "sent": Report.TAKEN,
    "opened": Report.TAKEN,
    "clicked": Report.TAKEN,
    "autoresponded": Report.TAKEN,
    "delivered": Report.DELIVERED,
    "deferred": Report.DEFERRED,
    "complained": Report.COMPLAINED,
    "unsubscribed": Report.UNSUBSCRIBED,
    "rejected": Report.REFUSED,
    "failed": Report.REFUSED,
}

# Words with which providers say "permanently", by the field they say it in (lower case).
HARD_WORDS: Mapping[str, frozenset[str]] = {
    "type": frozenset({"hardbounce", "bademailaddress", "permanent", "hard"}),  # Postmark, Resend
    "bouncetype": frozenset({"permanent"}),  # Amazon SES
    "severity": frozenset({"permanent"}),  # Mailgun
    "event": frozenset({"hard_bounce", "hard_bounced"}),  # Brevo, Mandrill
    "bounce_class": frozenset({"10", "30", "90"}),  # SparkPost: invalid recipient, no RCPT, unsub
    "hard_bounce": frozenset({"true"}),  # Mailjet
}
# Kept of a raw event, and nothing else: subject, body and addresses never reach our table.
KEPT = frozenset(
    {
        *HARD_WORDS,
        *("typecode", "bouncesubtype", "code", "enhanced-code", "enhanced_code", "status"),
        *("reject_reason", "recordtype", "reason", "subtype", "error_code", "eventtype"),
    }
)
_TRANSIENT = re.compile(r"\b(4\.\d+\.\d+|5\.2\.2|5\.4\.4)\b")  # 5.4.4 may be our own DNS


def report(kind: str, payload: Mapping[str, Any]) -> Report:
    """`kind` is Anymail's event type, `payload` what was kept of the raw event."""
    if kind != "bounced":
        return _PLAIN.get(kind, Report.NOTHING)
    values = {key.rsplit(".", 1)[-1]: str(value).lower() for key, value in payload.items()}
    if any(_TRANSIENT.search(value) for value in values.values()):
        return Report.SOFT
    hard = any(values.get(field) in words for field, words in HARD_WORDS.items())
    return Report.HARD if hard else Report.SOFT


def kept(raw: Any, path: str = "", depth: int = 4) -> dict[str, str | int | bool]:
    """The classifying fields of a raw event as `{path: value}`: short values, no addresses."""
    found: dict[str, str | int | bool] = {}
    if isinstance(raw, Mapping) and depth:
        for key, value in raw.items():
            here = f"{path}.{key}".lstrip(".").lower()
            if isinstance(value, Mapping | list):
                found |= kept(value, here, depth - 1)
            elif str(key).lower() in KEPT and _is_plain(value):
                found[here] = value
    elif isinstance(raw, list) and raw and depth:
        found |= kept(raw[0], path, depth - 1)
    return found


def _is_plain(value: Any) -> bool:
    if isinstance(value, bool | int):
        return True
    return isinstance(value, str) and len(value) <= 40 and "@" not in value
