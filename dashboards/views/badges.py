"""What the head of every staff page counts."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from clinic.access import may
from dashboards import queries


def mail(request: HttpRequest) -> dict[str, Any]:
    """`mail_waiting`: e-mails and addresses that need somebody. Asked only where it is shown."""
    member = getattr(request, "member", None)
    if member is None or not may(member, "send messages"):
        return {"mail_waiting": 0}
    now = timezone.now()
    return {
        "mail_waiting": SimpleLazyObject(lambda: queries.waiting_for_staff(member.clinic, now=now))
    }


def left_waiting(request: HttpRequest) -> dict[str, Any]:
    """`alerts_left_waiting`: how many alerts nobody has taken for too long. For everybody at work:
    whoever is there fetches a clinician."""
    member = getattr(request, "member", None)
    if member is None:
        return {"alerts_left_waiting": 0}
    now = timezone.now()
    counted = SimpleLazyObject(lambda: queries.left_waiting(member.clinic, now=now))
    return {"alerts_left_waiting": counted}
