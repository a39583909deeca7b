"""What is well and what is not: each limit at its boundary, then the same read off real rows."""

import socket
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from clinic.actors import member_actor
from clinic.models import Course
from devtools.processes import free_port
from devtools.stack import Stack, page_status
from reminders import claiming, pulses, ticking
from reminders.health import judging, machine, reading
from reminders.health.advice import ADVICE
from reminders.health.facts import Engine, Health, LaneState, Machine, Queue, Redis, Setup
from reminders.models import Attempt, Lane, Message, Notice, ProviderEvent, Pulse, State
from reminders.tasks import drain, drain_events
from surveys import alerts
from surveys.models import AlertEvent
from tests.builders import make_course
from tests.guards.tree import ROOT
from tests.reminders.letters import make_alert, make_message, make_notice

NOW = datetime(2026, 3, 3, 15, 0, tzinfo=UTC)
MICRO = timedelta(microseconds=1)
SETUP = Setup("send", "smtp", is_provider=False, takes_reports=False, tick=timedelta(seconds=15))
POSTMARK = replace(SETUP, lane="postmark", is_provider=True, takes_reports=True)
WELL = Engine(pulses={"tick": NOW})


def health(check: str, engine: Engine, setup: Setup = SETUP) -> Health:
    return {v.check: v.health for v in judging.judge(engine, setup, NOW)}[check]


def of_machine(check: str, facts: Machine, setup: Setup = SETUP) -> Health:
    return {v.check: v.health for v in machine.judge(facts, setup, NOW)}[check]


def test_an_engine_that_works_is_well():
    assert {v.health for v in judging.judge(WELL, SETUP, NOW)} == {Health.OK}


AGED = [
    ("tick", judging.PULSE_AT_LEAST, lambda at: replace(WELL, pulses={"tick": at})),
    ("messages", judging.MESSAGES_WAIT, lambda at: replace(WELL, messages=Queue(due_at=at))),
    ("notices", judging.NOTICES_WAIT, lambda at: replace(WELL, notices=Queue(due_at=at))),
    ("leases", judging.LEASE_OVER, lambda at: replace(WELL, messages=Queue(lease_until=at))),
    ("leases", judging.LEASE_OVER, lambda at: replace(WELL, notices=Queue(lease_until=at))),
    ("unknown", judging.UNKNOWN_FOR, lambda at: replace(WELL, unknown=(("id", at),))),
    ("planning", judging.PLANNING_WAITS, lambda at: replace(WELL, replan_at=at)),
    ("reports", judging.REPORTS_WAIT, lambda at: replace(WELL, report_due_at=at)),
]


@pytest.mark.parametrize(("check", "limit", "made"), AGED)
def test_exactly_at_its_limit_is_well_and_a_moment_later_is_not(check, limit, made):
    assert health(check, made(NOW - limit)) is Health.OK
    assert health(check, made(NOW - limit - MICRO)) is Health.FAILED


@pytest.mark.parametrize(("check", "limit", "made"), AGED)
def test_what_is_still_to_come_does_not_wait(check, limit, made):
    assert health(check, made(NOW + timedelta(days=1))) is Health.OK


def test_no_tick_at_all_is_not_well():
    assert health("tick", Engine()) is Health.FAILED


@pytest.mark.parametrize(("seconds", "limit"), [(15, 60), (20, 60), (21, 63), (60, 180)])
def test_a_slow_tick_is_given_three_rounds(seconds, limit):
    slow = replace(SETUP, tick=timedelta(seconds=seconds))
    assert judging.pulse_limit(slow) == timedelta(seconds=limit)


LATE = replace(WELL, messages=Queue(due_at=NOW - timedelta(hours=5)))


def test_what_is_held_on_purpose_is_not_late():
    assert health("messages", LATE, replace(SETUP, mail_mode="hold")) is Health.OK
    paused = replace(LATE, lane=LaneState(paused_until=NOW + MICRO))
    assert health("messages", paused) is Health.OK
    assert health("messages", replace(LATE, lane=LaneState(paused_until=NOW))) is Health.FAILED


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (LaneState(), Health.OK),
        (LaneState(paused_until=NOW), Health.OK),
        (LaneState(paused_until=NOW + MICRO), Health.WARNING),
        (LaneState(paused_until=NOW + judging.PAUSED_FOR), Health.WARNING),
        (LaneState(paused_until=NOW + judging.PAUSED_FOR + MICRO), Health.FAILED),
        (LaneState(paused_until=NOW - MICRO, opened=1), Health.FAILED),
    ],
)
def test_a_throttled_lane_warns_and_a_shut_one_fails(state, expected):
    assert health("lane", replace(WELL, lane=state)) is expected


def test_a_report_that_cannot_be_applied_warns_after_its_day():
    came = NOW - judging.REPORTS_ASIDE
    parked = replace(WELL, report_due_at=NOW + MICRO, report_came_at=came)
    assert health("reports", parked) is Health.OK
    assert health("reports", replace(parked, report_came_at=came - MICRO)) is Health.WARNING


HOUR_AGO = NOW - judging.SILENT_FOR
TWENTY = (HOUR_AGO - MICRO,) * 20


@pytest.mark.parametrize(
    ("accepted", "reported", "expected"),
    [
        pytest.param((), None, Health.OK, id="nothing sent"),
        pytest.param(TWENTY[1:], None, Health.OK, id="too few to tell"),
        pytest.param(TWENTY, None, Health.FAILED, id="twenty and never a word"),
        pytest.param((HOUR_AGO,) * 20, None, Health.OK, id="twenty, but only an hour ago"),
        pytest.param((NOW,) * 999, None, Health.OK, id="a morning's burst"),
        pytest.param((NOW,) * 1000, None, Health.FAILED, id="a thousand and never a word"),
        pytest.param(TWENTY, HOUR_AGO - MICRO, Health.OK, id="a word after the last of them"),
        pytest.param((NOW,) * 20, HOUR_AGO - MICRO, Health.FAILED, id="twenty since the last word"),
        pytest.param((NOW,) * 1000, HOUR_AGO, Health.OK, id="the last word an hour ago"),
    ],
)
def test_webhooks_are_silent_when_many_went_and_nobody_spoke(accepted, reported, expected):
    engine = replace(WELL, accepted=accepted, reported_at=reported)
    assert health("webhooks", engine, POSTMARK) is expected
    assert health("webhooks", engine, SETUP) is Health.OK, "plain SMTP never reports"


def test_a_provider_whose_reports_are_refused_warns():
    assert health("webhooks", WELL, replace(POSTMARK, takes_reports=False)) is Health.WARNING


@pytest.mark.parametrize(
    ("lane", "chosen", "takes"),
    [
        ("postmark", {}, False),
        ("postmark", {"WEBHOOK_SECRET": ["a:b"]}, True),
        ("mailgun", {"WEBHOOK_SECRET": ["a:b"]}, False),
        ("mailgun", {"WEBHOOK_SECRET": ["a:b"], "MAILGUN_WEBHOOK_SIGNING_KEY": "k"}, True),
        ("amazon_ses", {"WEBHOOK_SECRET": ["a:b"]}, False),
    ],
)
def test_reports_are_taken_when_all_that_proves_them_is_set(settings, lane, chosen, takes):
    settings.EMAIL_BACKEND = f"anymail.backends.{lane}.EmailBackend"
    settings.ANYMAIL, settings.SNS_TOPICS = chosen, []
    assert reading.setup().takes_reports is takes


def test_an_alert_that_nobody_was_told_about_fails():
    assert health("alerts", replace(WELL, untold=("id",))) is Health.FAILED


@pytest.mark.parametrize(
    ("check", "facts", "expected"),
    [
        ("clock", Machine(skew=-machine.SKEW_WARNS), Health.OK),
        ("clock", Machine(skew=machine.SKEW_WARNS + MICRO), Health.WARNING),
        ("clock", Machine(skew=-machine.SKEW_FAILS), Health.WARNING),
        ("clock", Machine(skew=machine.SKEW_FAILS + MICRO), Health.FAILED),
        ("redis", Machine(), Health.OK),
        ("redis", Machine(Redis(error="ConnectionError")), Health.FAILED),
        ("redis", Machine(Redis(error="ConnectionError"), loop_at=NOW), Health.WARNING),
        (
            "redis",
            Machine(Redis(error="ConnectionError"), loop_at=NOW - timedelta(seconds=61)),
            Health.FAILED,
        ),
        ("redis", Machine(Redis(policy="noeviction")), Health.OK),
        ("redis", Machine(Redis(policy="allkeys-lru")), Health.FAILED),
        ("redis", Machine(Redis(evicted=1)), Health.WARNING),
        ("durability", Machine(relaxed=("synchronous_commit is off",)), Health.FAILED),
        ("durability", Machine(relaxed=("x",), on_sqlite=True), Health.WARNING),
        ("settings", Machine(warnings=("security.W004",)), Health.WARNING),
        ("settings", Machine(errors=("clinic.E001",), warnings=("x",)), Health.FAILED),
        ("responders", Machine(unproven=("id",)), Health.WARNING),
    ],
)
def test_what_an_operators_machine_facts_mean(check, facts, expected):
    assert of_machine(check, facts) is expected


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("send", Health.OK), ("redirect:x@y.example", Health.WARNING), ("hold", Health.FAILED)],
)
def test_a_server_that_writes_to_nobody_says_so(mode, expected):
    assert of_machine("mail_mode", Machine(), replace(SETUP, mail_mode=mode)) is expected


def test_every_check_has_its_advice_and_its_place_in_the_runbook():
    made = {v.check for v in judging.judge(WELL, SETUP, NOW)}
    made |= {v.check for v in machine.judge(Machine(), SETUP, NOW)}
    assert made == set(ADVICE)
    runbook = (ROOT / "docs" / "operations.md").read_text()
    assert not [check for check in sorted(made) if f"\n### `{check}`\n" not in runbook]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"), (172799, "47 h"),
     (172800, "2 days")],
)  # fmt: skip
def test_a_span_is_said_in_the_unit_one_would_use(seconds, said):
    assert judging.words(timedelta(seconds=seconds)) == said


# -- Read off real rows -----------------------------------------------------------------------


def read(now: datetime) -> Engine:
    return reading.engine(reading.setup(), now)


def test_a_tick_leaves_its_pulse_and_a_second_one_moves_it(db, now):
    ticking.tick(now=now)
    ticking.tick(now=now + MICRO)
    assert list(Pulse.objects.values_list("name", "at")) == [("tick", now + MICRO)]


def test_a_tick_that_fails_half_way_leaves_none(db, now, monkeypatch):
    def broken(**kwargs):
        raise RuntimeError

    monkeypatch.setattr(ticking, "expire", broken)
    with pytest.raises(RuntimeError):
        ticking.tick(now=now)
    assert not Pulse.objects.exists()


def another(course: Course, n: int, now: datetime) -> Course:
    return make_course(course.patient.clinic, now=now, mrn=f"M{n}", name=f"P {n}")


def test_the_oldest_of_each_kind_is_found(course, clinician, now):
    old, newer = now - timedelta(hours=2), now - timedelta(hours=1)
    for at in (newer, old):
        make_message(another(course, at.hour, now), now=now, due_at=at)
    make_notice(make_alert(course.patient.clinic, now=now), clinician, now=now, due_at=newer)
    Course.objects.filter(pk=course.pk).update(replan_at=old)
    engine = read(now)
    assert (engine.messages.due_at, engine.notices.due_at) == (old, newer)
    assert engine.replan_at == old
    [taken, *_] = claiming.claim(Message, 1, now=now)
    Message.objects.filter(pk=taken.pk).update(lease_until=old)
    assert read(now).messages == Queue(due_at=newer, lease_until=old)


def test_unknown_messages_are_named_by_id(course, now):
    message = make_message(course, now=now, state=State.UNKNOWN, due_at=now)
    assert read(now).unknown == ((str(message.pk), now),)


def test_the_lane_that_the_settings_choose_is_read(db, now):
    Lane.objects.create(name="locmem", paused_until=now, opened=2, reason="x", updated_at=now)
    Lane.objects.create(name="postmark", opened=9, updated_at=now)
    assert read(now).lane == LaneState(now, 2, "x")


def test_reports_that_wait_are_seen_and_applied_ones_are_not(db, now):
    for n, applied in enumerate((None, now)):
        ProviderEvent.objects.create(
            provider="postmark", dedupe_key=str(n), kind="sent", received_at=now - MICRO * n,
            try_after=now, applied_at=applied,
        )  # fmt: skip
    engine = read(now)
    assert (engine.report_due_at, engine.report_came_at) == (now, now)


def test_accepted_calls_and_reports_of_this_provider_are_counted(message, now, settings):
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    for n, (lane, outcome) in enumerate(
        [("postmark", "accepted"), ("smtp", "rejected"), ("postmark", "rejected")], start=1
    ):
        Attempt.objects.create(
            message=message, n=n, lane=lane, outcome=outcome, started_at=now, ended_at=now,
            idempotency_key=message.pk, template_version="1",
        )  # fmt: skip
    for provider, at in (("postmark", now - MICRO), ("mailgun", now)):
        ProviderEvent.objects.create(
            provider=provider, dedupe_key=provider, kind="sent", received_at=at, try_after=at
        )
    engine = read(now)
    assert engine.accepted == (now,)
    assert engine.reported_at == now - MICRO


OLD = timedelta(minutes=10, microseconds=1)


def accepted(alert, member, now) -> Notice:
    return make_notice(alert, member, now=now, state=State.ACCEPTED, accepted_at=now)


def test_an_alert_is_untold_until_a_notice_arrives(clinic, clinician, now):
    alert = make_alert(clinic, now=now - OLD)
    make_notice(alert, clinician, now=now)
    assert read(now).untold == (str(alert.pk),)
    assert read(now - MICRO).untold == (), "ten minutes are allowed"
    Notice.objects.all().delete()
    accepted(alert, clinician, now)
    assert read(now).untold == ()


def test_a_notice_that_came_back_has_told_nobody(clinic, clinician, admin, now):
    alert = make_alert(clinic, now=now - OLD)
    accepted(alert, clinician, now - MICRO)
    AlertEvent.objects.create(alert=alert, at=now, kind="not_delivered", member=clinician)
    assert read(now).untold == (str(alert.pk),)
    accepted(alert, admin, now)
    assert read(now).untold == ()


def test_a_taken_alert_needs_no_notice(clinic, clinician, now):
    make_alert(clinic, now=now - OLD, owner=clinician, taken_at=now)
    assert read(now).untold == ()


@pytest.mark.parametrize("reason", ["not_delivered", "incident"])
def test_what_is_serious_fails_the_check_until_somebody_takes_it(clinic, clinician, now, reason):
    alert = make_alert(clinic, now=now)
    alert.escalations.create(reason=reason, n=1, due_at=now, at=now)
    assert read(now).escalated == ((str(alert.pk), reason),)
    assert health("alerts", replace(WELL, escalated=(("id", reason),))) is Health.FAILED
    alerts.take(alert, by=member_actor(clinician), now=now)
    assert read(now).escalated == ()


def test_a_step_in_time_is_nothing_for_operators(clinic, now):
    alert = make_alert(clinic, now=now)
    alert.escalations.create(reason="untaken", n=1, due_at=now, at=now)
    assert read(now).escalated == ()


def test_a_read_asks_a_fixed_number_of_questions(
    course, clinician, now, settings, django_assert_num_queries
):
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    for n in range(5):
        make_message(another(course, n, now), now=now)
        make_alert(course.patient.clinic, now=now - OLD, trigger=f"9={n}")
    with django_assert_num_queries(13):
        read(now)


# -- The addresses ----------------------------------------------------------------------------


@pytest.fixture
def works(db):
    """An engine whose last tick has just ended."""
    pulses.beat(pulses.TICK, now=timezone.now())


def test_a_live_process_says_so_without_the_database(client):
    response = client.get(reverse("health-live"))  # no database fixture: a query would fail
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert "no-store" in response.headers["Cache-Control"]


def test_ready_names_checks_and_states_and_no_number(works, client, django_assert_num_queries):
    impatience = 3 if connection.vendor == "postgresql" else 0  # a savepoint, its end, a time-out
    with django_assert_num_queries(12 + impatience):
        response = client.get(reverse("health-ready"))
    assert response.status_code == 200
    assert response.json()["status"] == "ok"
    assert set(response.json()["checks"].values()) == {"ok"}
    assert not any(character.isdigit() for character in response.content.decode())
    assert "no-store" in response.headers["Cache-Control"]


def test_ready_is_not_when_beat_is_silent(db, client):
    response = client.get(reverse("health-ready"))
    assert (response.status_code, response.json()["checks"]["tick"]) == (503, "failed")


@pytest.fixture
def mute_server():
    """Takes connections and never says a word: a database host that has hung."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.processes
@pytest.mark.parametrize("hangs", [True, False])
def test_ready_says_so_within_seconds_when_the_database_is_away(
    service_env, tmp_path, mute_server, hangs
):
    """With Redis away as well. A refused connection and one that hangs."""
    port = free_port()
    database = f"postgres://x@127.0.0.1:{mute_server if hangs else 1}/x"
    away = {"DATABASE_URL": database, "REDIS_URL": "redis://127.0.0.1:1/0"}
    web = Stack({**service_env, **away}, tmp_path).web(port, workers=1)
    web.start_until(lambda: page_status(port, "/health/live") == 200, 60)
    try:
        began = time.monotonic()
        assert page_status(port, "/health/ready") == 503
        assert time.monotonic() - began < 8
        assert page_status(port, "/health/live") == 200
    finally:
        web.stop()


def test_a_monitor_behind_the_proxy_is_not_sent_to_https(db, client, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert client.get(reverse("health-live")).status_code == 200
    assert client.get("/accounts/login/").status_code == 301


def test_the_pulse_of_a_drain_is_written_when_it_ends(db, settings):
    settings.MAIL_MODE = "hold"
    drain()
    drain_events()
    assert set(Pulse.objects.values_list("name", flat=True)) == {"sends", "events"}
