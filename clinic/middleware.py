"""Which clinic a signed-in member works in now."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from clinic.access import current_member


def membership(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """`request.member`: the one active membership, or none. Read on each request, so that a
    change of role applies at once."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.member = current_member(request)  # type: ignore[attr-defined]
        return get_response(request)

    return middleware
