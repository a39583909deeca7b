"""What holds for every protocol and every history, not only for those we thought of."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reminders import protocols
from reminders.dry_run import course_facts, dry_run, remember
from reminders.schedule import CourseFacts, Due, InfusionFacts, PatientFacts, Plan, plan
from reminders.schedule.asking import SAFE_DAYS
from reminders.schedule.clock import local_date
from reminders.schedule.plan import hours_of
from reminders.schedule.questionnaires import instrument_facts

ZONES = [
    "America/Chicago",
    "America/Denver",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Pacific/Apia",
    "UTC",
]
START = datetime(2026, 2, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)

pytestmark = pytest.mark.slow

instants = st.integers(0, 24 * 330).map(lambda hours: START + hours * HOUR)


@st.composite
def histories(draw) -> tuple[PatientFacts, list]:
    """One or two courses anywhere in the year, up to seven infusions in the first."""
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    enrolled = draw(instants)
    gaps = draw(st.lists(st.integers(1, 24 * 12), max_size=7))
    starts = [enrolled + sum(gaps[: n + 1]) * HOUR for n in range(len(gaps))]
    status = st.sampled_from(["completed", "completed", "completed", "planned", "cancelled"])
    infusions = [InfusionFacts(f"i{n}", s, draw(status), s) for n, s in enumerate(starts)]
    names = draw(st.lists(st.sampled_from(protocols.available()), min_size=1, max_size=2))
    first, *others = [
        CourseFacts(
            f"course {n}",
            protocols.latest(name),
            draw(st.sampled_from(["depression", "crps"])),
            enrolled + n * draw(st.integers(1, 24 * 30)) * HOUR,
            draw(st.sampled_from([None, 3, 6])),
        )
        for n, name in enumerate(names)
    ]
    course, events = course_facts(first, infusions)
    facts = PatientFacts(
        zone=zone,
        clinic_zone=zone,
        courses=(course, *others),
        instruments=instrument_facts(draw(st.sampled_from(["en", "es"]))),
        cover=draw(st.sampled_from(["always", "weekdays", "none"])),
        send_hour=draw(st.sampled_from([None, 7, 18])),
        allowed_days=draw(st.sampled_from([frozenset(range(7)), frozenset({0, 2, 4})])),
        quiet_from=draw(st.sampled_from([time(21), time(19, 30)])),
    )
    return facts, events


def lived(history, answered="none"):
    facts, events = history
    until = max(event.at for event in events) + timedelta(days=130)
    return dry_run(facts, events, until, answered)


many = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@many
@given(histories(), st.sampled_from(["none", "all"]))
def test_no_two_messages_on_one_local_day(history, answered):
    run = lived(history, answered)
    days = [local_date(sent.at, run.facts.zone) for sent in run.sent]
    assert len(days) == len(set(days))


@many
@given(histories())
def test_nothing_goes_in_quiet_hours_or_after_an_infusion(history):
    run = lived(history)
    for sent in run.sent:
        assert hours_of(run.facts, sent.at).clear(sent.at) == sent.at


@many
@given(histories())
def test_the_days_a_patient_allows_are_kept(history):
    run = lived(history)
    for sent in run.sent:
        assert local_date(sent.at, run.facts.zone).weekday() in run.facts.allowed_days


@many
@given(histories(), st.sampled_from(["none", "all"]))
def test_item_nine_goes_on_safety_days_and_never_before_its_target(history, answered):
    run = lived(history, answered)
    follow_ups = {due.follow_up: [] for due in run.dues}
    for due in run.dues:
        follow_ups[due.follow_up].append(due)
    for sent in run.facts.sent:
        dues = follow_ups.get(sent.follow_up, [])
        asked = {name for due in dues for name in due.instruments}
        if run.facts.cover == "none":
            assert "phq9" not in asked
        if run.facts.cover == "weekdays" and "phq9" in asked:
            assert sent.on.weekday() in SAFE_DAYS
    assert all(due.send_at >= due.target_at for due in run.dues)


def without_rows(planned: Plan) -> list[Due]:
    """Only a first plan has follow-ups that have no row yet."""
    return [replace(due, follow_up=None) for due in planned.dues]


@many
@given(histories(), st.integers(0, 24 * 60))
def test_planning_from_a_plan_gives_the_same_plan(history, hours):
    run = lived(history)
    now = max([sent.at for sent in run.sent], default=START) + hours * HOUR
    facts, first = remember(run.facts, plan(run.facts, now))
    _, second = remember(facts, plan(facts, now))
    assert without_rows(first) == without_rows(second)
    assert [f.messages for f in first.follow_ups] == [f.messages for f in second.follow_ups]
    assert not second.withdraw


@many
@given(histories())
def test_dues_are_unique_and_every_end_has_a_reason(history):
    run = lived(history)
    keys = [due.key for due in run.dues]
    assert len(keys) == len(set(keys))
    for due in run.dues:
        assert due.opens_at <= due.closes_at
        if due.state not in ("planned", "asked", "satisfied"):
            assert due.reason


@many
@given(histories())
def test_nothing_is_asked_after_its_window(history):
    run = lived(history)
    dues = {}
    for due in run.dues:
        dues.setdefault(due.follow_up, []).append(due)
    for sent, fact in zip(run.sent, run.facts.sent, strict=True):
        if due := dues.get(fact.follow_up):
            assert any(sent.at < each.closes_at or each.state == "superseded" for each in due)
