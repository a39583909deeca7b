"""Read the engine's facts: a glance along an index each, however many rows there are.

Never a COUNT over messages or events: ages come from the first entry of a partial index, which
holds only what is not yet at its end.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from anymail.utils import get_anymail_setting
from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Exists, OuterRef

from clinic.models import Course
from reminders import lanes
from reminders.health.facts import Engine, LaneState, Queue, Setup
from reminders.health.judging import ACCEPTED_SAMPLE, UNTOLD_FOR
from reminders.models import Attempt, Claim, Lane, Message, Notice, ProviderEvent, Pulse, State
from reminders.webhook_proofs import KEYS
from surveys.models import Alert, AlertEvent, Escalation

NAMED = 5  # ids that one line can hold
REPORTS_SAMPLE = 100
PATIENCE_MS = 2000  # a monitor that asks again and again must not pile up on a slow database


def setup() -> Setup:
    return Setup(
        mail_mode=settings.MAIL_MODE,
        lane=lanes.current(),
        is_provider=settings.EMAIL_BACKEND.startswith("anymail.backends."),
        takes_reports=_takes_reports(lanes.current()),
        tick=timedelta(seconds=settings.TICK_SECONDS),
        has_heartbeat=bool(settings.HEARTBEAT_TO),
    )


def _takes_reports(lane: str) -> bool:
    """Whether all that proves a report is set; without it each one is refused."""
    if not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        return False
    if lane == "amazon_ses":
        return bool(settings.SNS_TOPICS)
    if lane not in KEYS:
        return True
    name, key = KEYS[lane]
    return bool(get_anymail_setting(key, esp_name=name, default=None, allow_bare=True))


@contextmanager
def impatiently() -> Iterator[None]:
    """PostgreSQL gives up instead of keeping a monitor waiting."""
    if connection.vendor != "postgresql":
        yield  # SQLite reads without a transaction; one of ours would lock writers out
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(PATIENCE_MS)])
        yield


def engine(chosen: Setup, now: datetime) -> Engine:
    report_due_at, report_came_at = _report_waiting()
    return Engine(
        pulses=dict(Pulse.objects.values_list("name", "at")),
        messages=_queue(Message),
        notices=_queue(Notice),
        unknown=_unknown(),
        lane=_lane(chosen.lane),
        replan_at=_first(Course.objects.filter(replan_at__isnull=False), "replan_at"),
        report_due_at=report_due_at,
        report_came_at=report_came_at,
        accepted=_accepted(chosen.lane) if chosen.is_provider else (),
        reported_at=_reported(chosen.lane) if chosen.is_provider else None,
        untold=_untold(now - UNTOLD_FOR),
        escalated=_escalated(),
    )


def _queue(model: type[Claim]) -> Queue:
    rows = model._default_manager.all()
    leased = rows.filter(state__in=[State.CLAIMED, State.SENDING])
    return Queue(
        due_at=_first(rows.filter(state=State.SCHEDULED), "due_at"),
        lease_until=_first(leased, "lease_until"),
    )


def _first(rows: models.QuerySet[models.Model], column: str) -> datetime | None:
    """The smallest, off the top of the index."""
    found: datetime | None = rows.order_by(column).values_list(column, flat=True).first()
    return found


def _unknown() -> tuple[tuple[str, datetime], ...]:
    rows = Message.objects.filter(state=State.UNKNOWN).order_by("due_at")
    return tuple((str(pk), at) for pk, at in rows.values_list("pk", "due_at")[:NAMED])


def _lane(name: str) -> LaneState:
    lane = Lane.objects.filter(name=name).first()
    return LaneState(lane.paused_until, lane.opened, lane.reason) if lane else LaneState()


def _report_waiting() -> tuple[datetime | None, datetime | None]:
    """When the first in line was to be applied, and the oldest arrival among those in front."""
    waiting = ProviderEvent.objects.filter(applied_at=None).order_by("try_after")
    rows = list(waiting.values_list("try_after", "received_at")[:REPORTS_SAMPLE])
    return (rows[0][0], min(came for _, came in rows)) if rows else (None, None)


def _accepted(lane: str) -> tuple[datetime, ...]:
    """Among the newest calls, by their number: there is no index by time, and none is needed."""
    rows = Attempt.objects.order_by("-pk").values_list("lane", "outcome", "ended_at")
    newest = rows[:ACCEPTED_SAMPLE]
    return tuple(
        ended_at
        for name, outcome, ended_at in newest
        if name == lane and outcome == Attempt.Outcome.ACCEPTED and ended_at
    )


def _reported(lane: str) -> datetime | None:
    newest = ProviderEvent.objects.order_by("-received_at").values_list("provider", "received_at")
    return next((at for provider, at in newest[:REPORTS_SAMPLE] if provider == lane), None)


def _untold(raised_before: datetime) -> tuple[str, ...]:
    """Untaken alerts without one notice that was accepted and did not come back."""
    bounced = AlertEvent.objects.filter(
        alert=OuterRef("alert"),
        member=OuterRef("member"),
        kind=AlertEvent.Kind.NOT_DELIVERED,
        at__gte=OuterRef("accepted_at"),
    )
    arrived = Notice.objects.filter(~Exists(bounced), alert=OuterRef("pk"), state=State.ACCEPTED)
    untold = Alert.objects.untaken().filter(~Exists(arrived), raised_at__lt=raised_before)
    return tuple(
        str(pk) for pk in untold.order_by("raised_at").values_list("pk", flat=True)[:NAMED]
    )


def _escalated() -> tuple[tuple[str, str], ...]:
    """Untaken alerts of which a notice came back, or that have become an incident."""
    serious = Escalation.objects.filter(
        alert__in=Alert.objects.untaken(),
        reason__in=[Escalation.Reason.NOT_DELIVERED, Escalation.Reason.INCIDENT],
    )
    rows = serious.order_by("at", "pk").values_list("alert", "reason")[:NAMED]
    return tuple((str(pk), reason) for pk, reason in rows)
