"""The content policy of pages that draw."""

from collections.abc import Callable
from typing import Any, ParamSpec, cast

from csp.decorators import csp_update
from django.conf import settings
from django.http import HttpResponse

_P = ParamSpec("_P")


def draws_charts(view: Callable[_P, HttpResponse]) -> Callable[_P, HttpResponse]:
    """Lets in the one empty <style> that Plotly inserts, and nothing else."""
    update = csp_update({"style-src": [settings.PLOTLY_STYLE_HASH]})
    return cast(Callable[_P, HttpResponse], update(cast(Any, view)))
