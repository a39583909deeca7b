"""django-post_office's side."""

from collections.abc import Callable, Mapping
from typing import Any

from django.core.management import call_command
from post_office import mail
from post_office.models import STATUS, Email, EmailTemplate

from devtools.bench.counting import Count, counted
from devtools.bench.letters import Pattern

NAME = "invitation"


def prepare(patterns: dict[str, Pattern]) -> None:
    """Its tables, and one template with a translation."""
    call_command("migrate", verbosity=0)
    first: EmailTemplate | None = None
    for language, pattern in patterns.items():
        first = first or _template("", pattern, None)
        _template(language, pattern, first)


def queue(rows: list[tuple[str, str, str, str, dict[str, str]]], sender: str) -> None:
    """To be rendered when it is sent, as we do."""
    templates = {row.language: row for row in EmailTemplate.objects.exclude(language="")}
    mail.send_many(
        [
            {
                "recipients": address,
                "sender": sender,
                "template": templates[language],
                "context": {"link": link, "unsubscribe": unsubscribe},
                "headers": headers,
                "render_on_delivery": True,
            }
            for address, language, link, unsubscribe, headers in rows
        ]
    )


def send() -> Count:
    with counted() as count:
        mail.send_queued_mail_until_done()
    count.done = Email.objects.filter(status=STATUS.sent).count()
    Email.objects.all().delete()
    return count


def _template(language: str, pattern: Pattern, first: EmailTemplate | None) -> EmailTemplate:
    return EmailTemplate.objects.create(
        name=NAME,
        language=language,
        default_template=first,
        subject=pattern.subject,
        content=pattern.text,
        html_content=pattern.html,
    )


ORDERS: Mapping[str, Callable[..., Any]] = {"prepare": prepare, "queue": queue, "send": send}
