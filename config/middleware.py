"""Headers every answer carries, beside the CSP that django-csp writes, and its log number."""

import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from structlog.contextvars import bound_contextvars


def security_headers(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """No caching of anything personal, no cross-origin use, no indexing."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("X-Robots-Tag", "noindex")
        return response

    return middleware


def request_id(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """One number for all log lines of a request, and for whoever asks about it. Always our own:
    what a stranger sends does not reach the log."""

    def middleware(request: HttpRequest) -> HttpResponse:
        number = secrets.token_hex(8)
        with bound_contextvars(request_id=number):
            response = get_response(request)
        response.headers["X-Request-ID"] = number
        return response

    return middleware
