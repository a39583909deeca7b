"""For monitors and load balancers: alive, ready, and numbers. Nothing here is about a patient."""

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import Error
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from reminders import metrics
from reminders.health import judging, reading
from reminders.health.facts import Health, Verdict
from reminders.timekeeping import database_clock


@login_not_required
@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """This process answers. Asks nobody else, so that a sick database restarts no web server."""
    return JsonResponse({"status": "ok"})


@login_not_required
@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """The engine's verdicts: names and states, no numbers. Redis is not asked: its silence shows
    in what is no longer done."""
    try:
        with reading.impatiently():
            chosen, now = reading.setup(), database_clock()()
            verdicts = judging.judge(reading.engine(chosen, now), chosen, now)
    except Error:
        verdicts = [Verdict("database", Health.FAILED, "")]
    failing = any(verdict.health is Health.FAILED for verdict in verdicts)
    told: dict[str, Any] = {
        "status": "failing" if failing else "ok",
        "checks": {verdict.check: verdict.health for verdict in verdicts},
    }
    return JsonResponse(told, status=503 if failing else 200)


@login_not_required
@never_cache
@require_safe
def numbers(request: HttpRequest) -> HttpResponse:
    """Prometheus, with its token. Without METRICS_TOKEN there is no such address."""
    if not settings.METRICS_TOKEN:
        raise Http404
    given = request.headers.get("Authorization", "")
    if not constant_time_compare(given, f"Bearer {settings.METRICS_TOKEN}"):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    try:
        with reading.impatiently():
            written = metrics.exposition(now=database_clock()())
    except Error:
        return HttpResponse(status=503)
    return HttpResponse(written, content_type=CONTENT_TYPE_LATEST)
