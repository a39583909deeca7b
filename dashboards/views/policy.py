"""The content policy of pages that draw."""

from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, cast

from csp.decorators import csp_update
from django.conf import settings
from django.http import HttpResponse

_P = ParamSpec("_P")


def draws_charts(view: Callable[_P, HttpResponse]) -> Callable[_P, HttpResponse]:
    """Lets in the one empty <style> that Plotly inserts, and nothing else."""
    update = csp_update({"style-src": [settings.PLOTLY_STYLE_HASH]})
    return cast(Callable[_P, HttpResponse], update(cast(Any, view)))


def frames_our_own(view: Callable[_P, HttpResponse]) -> Callable[_P, HttpResponse]:
    """Lets the page hold a frame from our own address."""
    update = csp_update({"frame-src": ["'self'"]})
    return cast(Callable[_P, HttpResponse], update(cast(Any, view)))


def as_frame(html: str, style_hashes: Sequence[str]) -> HttpResponse:
    """A document that only our own pages may hold, and that can do nothing but be looked at."""
    response = HttpResponse(html)
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    response._csp_config = {  # type: ignore[attr-defined]  # what csp's own decorator sets
        **{name: ["'none'"] for name in ("default-src", "base-uri", "form-action")},
        "style-src": list(style_hashes),
        "frame-ancestors": ["'self'"],
        "sandbox": [True],
    }
    return response
