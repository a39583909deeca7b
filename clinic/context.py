"""What every staff template may use."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from clinic.access import PERMISSIONS, may


def staff(request: HttpRequest) -> dict[str, Any]:
    """`can.log_infusion` and so on: what the member's role allows."""
    member = getattr(request, "member", None)
    return {
        "member": member,
        "works_in_several": getattr(request, "works_in_several", False),
        "can": {name.replace(" ", "_"): bool(member and may(member, name)) for name in PERMISSIONS},
        "mail_mode": settings.MAIL_MODE,
    }
