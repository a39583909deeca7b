"""Every e-mail there is, in every form it takes, as the engine writes it."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from reminders import emails
from reminders.letters import Letter

_SECRET = "n3kXw0p0VJm1dYw3r0QH6cJ0Xq0o2c8rXh9bD3yFZ5Q"
_PATIENT = {
    "minutes": 3,
    "closes_at": datetime(2026, 12, 3, 9, 0),  # noqa: DTZ001 (already the patient's)
    "first_name": "Marigold",
    "sender": "Lanternfield Care Team",
    "phone": "555-0100",
    "link": f"https://followup.clinic.example/s/{_SECRET}/",
    "unsubscribe": f"https://followup.clinic.example/u/{_SECRET}/",
}
_STAFF = {
    "priority": 1,
    "reference": "K7Q2-21",
    "sender": "Lanternfield Care Team",
    "link": "https://followup.clinic.example/alerts/",
}
_KINDS = {
    "invitation": ("invitation", {**_PATIENT, "nth": 0}),
    "invitation-unnamed": ("invitation", {**_PATIENT, "nth": 0, "first_name": "", "phone": ""}),
    "reminder-first": ("reminder", {**_PATIENT, "nth": 1}),
    "reminder-second": ("reminder", {**_PATIENT, "nth": 2}),
    "fresh-link": ("fresh_link", {**_PATIENT, "nth": 0}),
    "notice": ("notice", {**_STAFF, "nth": 0, "test": False}),
    "notice-test": ("notice", {**_STAFF, "nth": 0, "test": True}),
    "heartbeat": ("heartbeat", {"sender": "Afterglow"}),
}
_IN_ENGLISH = ("notice", "heartbeat")


def written(language: str) -> Iterator[tuple[str, str]]:
    """The name and the HTML part of each. Staff are written to in English."""
    for name, (template, context) in _KINDS.items():
        if template not in _IN_ENGLISH or language == "en":
            yield name, _html(replace(_LETTER, template=template, context=context), language)


_LETTER = Letter(
    template="",
    ref="ref",
    to="marigold@patients.example",
    sender="Lanternfield Care Team",
    language="en",
    message_id=uuid.UUID(int=1),
    context={},
    stored={},
)


def _html(letter: Letter, language: str) -> str:
    mail = emails.write(replace(letter, language=language), "smtp")
    return str(mail.email.alternatives[0].content)
