"""What every staff template may use."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def staff(request: HttpRequest) -> dict[str, Any]:
    return {"member": getattr(request, "member", None), "mail_mode": settings.MAIL_MODE}
