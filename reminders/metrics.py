"""The engine in numbers for Prometheus, read from the database when it asks.

Nothing lives in a process, so any web process of any host gives the same answer. Every query is
bounded: ages come off the top of a partial index, counts stop at `MOST`, and the rate of sending
is read off the highest number of an attempt. There is never a COUNT over all messages, attempts
or events. No label names a clinic or a patient.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Count, Max, QuerySet
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from clinic.models import Course
from reminders.health import judging, reading
from reminders.health.facts import Engine, Health
from reminders.models import Attempt, Claim, Lane, Message, Notice, ProviderEvent, State
from surveys.models import Alert

MOST = 10_000  # "at least so many": an operator acts long before
_RECENT = timedelta(hours=1)
_VALUE = {Health.OK: 0, Health.WARNING: 1, Health.FAILED: 2}


def exposition(*, now: datetime) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Glance(now))
    return generate_latest(registry)


class Glance(Collector):
    """One scrape: reads, and is thrown away."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def collect(self) -> Iterator[Metric]:
        setup = reading.setup()
        engine = reading.engine(setup, self.now)
        verdicts = judging.judge(engine, setup, self.now)
        yield _gauge(
            "check",
            "What doctor says: 0 ok, 1 warning, 2 failed",
            "check",
            {verdict.check: _VALUE[verdict.health] for verdict in verdicts},
        )
        yield from _ages(engine, self.now)
        yield from _counts(self.now)
        yield from _lanes(self.now)
        yield from _calls(self.now)


def _ages(engine: Engine, now: datetime) -> Iterator[Metric]:
    def age(since: datetime | None) -> float:
        return max(0.0, (now - since).total_seconds()) if since else 0.0

    oldest_unknown = engine.unknown[0][1] if engine.unknown else None
    oldest = {
        "messages_due": age(engine.messages.due_at),
        "notices_due": age(engine.notices.due_at),
        "messages_lease": age(engine.messages.lease_until),
        "notices_lease": age(engine.notices.lease_until),
        "unknown": age(oldest_unknown),
        "planning": age(engine.replan_at),
        "reports": age(engine.report_due_at),
    }
    yield _gauge("oldest_age_seconds", "How long the oldest has waited; 0 is none", "what", oldest)
    pulses = {name: age(at) for name, at in engine.pulses.items()}
    yield _gauge("pulse_age_seconds", "Since a part of the engine ended its work", "pulse", pulses)


def _counts(now: datetime) -> Iterator[Metric]:
    waiting: dict[str, float] = {}
    for name, model in (("messages", Message), ("notices", Notice)):
        waiting[f"{name}_due"] = _at_most(_in(model, State.SCHEDULED).filter(due_at__lte=now))
        waiting[f"{name}_leased"] = _at_most(_in(model, State.CLAIMED, State.SENDING))
    waiting["unknown"] = _at_most(_in(Message, State.UNKNOWN))
    waiting["reports"] = _at_most(ProviderEvent.objects.filter(applied_at=None))
    waiting["planning"] = _at_most(Course.objects.lagging(now))
    yield _gauge("waiting", f"How many wait, counted up to {MOST}", "what", waiting)
    untaken = Alert.objects.untaken().order_by().values("level").annotate(n=Count("pk"))
    by_level = {str(level): 0.0 for level in Alert.Level}
    by_level |= {row["level"]: float(row["n"]) for row in untaken}  # the index holds open ones only
    yield _gauge("untaken_alerts", "Alerts that nobody has taken", "level", by_level)


def _lanes(now: datetime) -> Iterator[Metric]:
    lanes = list(Lane.objects.all())
    paused = {
        lane.name: max(0.0, (lane.paused_until - now).total_seconds()) if lane.paused_until else 0.0
        for lane in lanes
    }
    yield _gauge("lane_paused_seconds", "How long the lane still waits", "lane", paused)
    opened = {lane.name: float(lane.opened) for lane in lanes}
    yield _gauge("lane_opened", "How often its circuit opened in a row; 0 is well", "lane", opened)


def _calls(now: datetime) -> Iterator[Metric]:
    """Attempts are numbered as they are begun; a number that was never used counts as well."""
    newest = Attempt.objects.aggregate(newest=Max("pk"))["newest"] or 0
    yield CounterMetricFamily(
        "afterglow_calls", "Calls to providers begun, by number", value=newest
    )
    recent = Attempt.objects.filter(pk__gt=newest - MOST, ended_at__gt=now - _RECENT)
    accepted = recent.filter(outcome=Attempt.Outcome.ACCEPTED).count()
    name, help_text = "accepted_last_hour", f"Accepted in an hour, among the last {MOST} calls"
    yield GaugeMetricFamily(f"afterglow_{name}", help_text, value=accepted)


def _in(model: type[Claim], *states: State) -> QuerySet[Claim]:
    return model._default_manager.filter(state__in=states)


def _at_most(rows: QuerySet[Claim] | QuerySet[ProviderEvent] | QuerySet[Course]) -> int:
    return rows.order_by()[:MOST].count()


def _gauge(name: str, text: str, label: str, values: dict[str, float]) -> Metric:
    family = GaugeMetricFamily(f"afterglow_{name}", text, labels=[label])
    for value_of, value in values.items():
        family.add_metric([value_of], value)
    return family
