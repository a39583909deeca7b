"""When something fails on our side: what was chosen stays on the page, beside the crisis block.

It may be the database that is away, or what a signed-in member's session is read from. So this asks
neither: the choice comes back out of the form that was sent, the language out of the pass.
"""

import sys
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import get_template
from django.urls import Resolver404, resolve
from django.utils import translation
from django.views.decorators.cache import never_cache

from surveys.unsaved import unsaved_kinds
from surveys.views.frame import spoken

PATIENT_PAGES = ("surveys", "reminders")
AWAY = 503
FAULT = 500
TRY_AGAIN_AFTER = "30"  # seconds; for programs, a person has a button


@login_not_required
@never_cache
def server_error(request: HttpRequest) -> HttpResponse:
    """In place of Django's own page: on patients' addresses one that sends the same form again."""
    is_away = isinstance(sys.exception(), OperationalError | InterfaceError)
    if not _is_patients(request.path_info):
        return HttpResponse(get_template("500.html").render(), status=FAULT)
    with translation.override(spoken(request)):
        context = _context(request)
        page = get_template("surveys/unsaved.html").render(context)
    response = HttpResponse(page, status=AWAY if is_away else FAULT)
    response.headers["Content-Language"] = context["language"]
    if is_away:
        response.headers["Retry-After"] = TRY_AGAIN_AFTER
    return response


def _context(request: HttpRequest) -> dict[str, Any]:
    sent = request.POST
    kinds = unsaved_kinds(sent.get("question", ""), sent.getlist("answer"))
    is_answer = "language" not in sent and "skip" not in sent
    return {
        "language": translation.get_language(),
        "csrf_token": get_token(request),
        "is_form": request.method == "POST",
        "fields": [
            (name, value)
            for name, values in sent.lists()
            for value in values
            if name != "csrfmiddlewaretoken"
        ],
        "is_thoughts": is_answer and "suicide" in kinds,
        "is_emergency": is_answer and "emergency" in kinds,
    }


def _is_patients(path: str) -> bool:
    try:
        return resolve(path).app_name in PATIENT_PAGES
    except Resolver404:
        return False
