"""Every reason not to send, with the instant at which it begins to hold."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from reminders import gate
from reminders.gate import Go, Later, MessageFacts, Never, NoticeFacts
from reminders.models import State
from reminders.schedule.clock import Hours

CHICAGO = ZoneInfo("America/Chicago")
NOW = datetime(2026, 3, 3, 15, tzinfo=UTC)  # Tuesday, 09:00 in Chicago
HOUR, MICRO = timedelta(hours=1), timedelta(microseconds=1)
EVERY_DAY = frozenset(range(7))


def hours(zone: str = "America/Chicago", held=(), days=EVERY_DAY) -> Hours:
    return Hours(ZoneInfo(zone), time(21), time(8), held, days)


FACTS = MessageFacts(
    kind="invitation",
    due_at=NOW,
    not_after=NOW + 24 * HOUR,
    asked_for=False,
    hours=hours(),
    status="active",
    paused_until=None,
    has_email=True,
    suppressed="",
    alert_open=False,
    send_at=NOW,
    closes_at=NOW + 48 * HOUR,
    answered=False,
    withdrawn=False,
    days_taken=frozenset(),
)
REMINDER = replace(FACTS, kind="reminder", not_after=NOW + 15 * HOUR)
TODAY = date(2026, 3, 3)


def verdict(now=NOW, facts=FACTS, **changes):
    return gate.message_verdict(replace(facts, **changes), now)


def test_with_nothing_in_the_way_it_goes_and_uses_up_the_local_day():
    assert verdict() == Go(TODAY)


def test_the_day_used_up_is_the_patients_and_not_the_servers():
    evening = datetime(2026, 3, 4, 2, 30, tzinfo=UTC)  # still Tuesday in Chicago
    assert verdict(evening) == Go(TODAY)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"status": "withdrawn"}, Never(State.CANCELLED, "patient withdrawn")),
        ({"status": "deceased"}, Never(State.CANCELLED, "patient deceased")),
        ({"withdrawn": True}, Never(State.CANCELLED, "follow-up withdrawn")),
        ({"answered": True}, Never(State.CANCELLED, "answered")),
        ({"has_email": False}, Never(State.SKIPPED, "no e-mail address")),
        ({"suppressed": "complaint"}, Never(State.SUPPRESSED, "complaint")),
        ({"closes_at": NOW}, Never(State.EXPIRED, "closed")),
        ({"closes_at": NOW + MICRO}, Go(TODAY)),
        ({"not_after": NOW - MICRO}, Never(State.EXPIRED, "missed")),
        ({"not_after": NOW}, Go(TODAY)),
        ({"due_at": NOW + MICRO}, Later(NOW + MICRO, "moved")),
        ({"due_at": NOW - 12 * HOUR}, Go(TODAY)),
        ({"alert_open": True}, Go(TODAY)),
        ({"status": "paused", "paused_until": NOW}, Go(TODAY)),
        ({"status": "paused", "paused_until": NOW + HOUR}, Later(NOW + HOUR, "paused")),
        ({"status": "paused"}, Later(NOW + HOUR, "paused")),
        (
            {"status": "paused", "paused_until": NOW + 30 * HOUR},
            Never(State.EXPIRED, "paused"),
        ),
    ],
)
def test_reasons_not_to_send_an_invitation(changes, expected):
    assert verdict(**changes) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Go(TODAY)),
        ({"alert_open": True}, Never(State.SKIPPED, "an alert is open")),
        ({"due_at": datetime(2026, 3, 3, 6, tzinfo=UTC)}, Go(TODAY)),
        (
            {"due_at": datetime(2026, 3, 3, 5, 59, tzinfo=UTC)},  # 23:59 the day before
            Never(State.EXPIRED, "missed"),
        ),
        (
            {"days_taken": frozenset({TODAY})},
            Never(State.SUPERSEDED, "another message the same day"),
        ),
        ({"status": "paused", "paused_until": NOW + HOUR}, Later(NOW + HOUR, "paused")),
    ],
)
def test_reasons_not_to_send_a_reminder(changes, expected):
    assert verdict(facts=REMINDER, **changes) == expected


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        (datetime(2026, 3, 3, 20, 59, 59, 999999, CHICAGO), Go(TODAY)),
        (datetime(2026, 3, 3, 21, 0, tzinfo=CHICAGO), 8),
        (datetime(2026, 3, 4, 0, 0, tzinfo=CHICAGO), 8),
        (datetime(2026, 3, 4, 7, 59, 59, 999999, CHICAGO), 8),
        (datetime(2026, 3, 4, 8, 0, tzinfo=CHICAGO), Go(date(2026, 3, 4))),
    ],
)
def test_nothing_goes_in_quiet_hours(local, expected):
    if expected == 8:
        expected = Later(datetime(2026, 3, 4, 14, tzinfo=UTC), "quiet hours")
    assert verdict(local.astimezone(UTC), not_after=NOW + 40 * HOUR) == expected


def test_an_invitation_that_quiet_hours_would_make_too_late_is_missed():
    night = datetime(2026, 3, 4, 4, tzinfo=UTC)
    assert verdict(night, not_after=night + HOUR) == Never(State.EXPIRED, "quiet hours")


def test_a_reminder_that_fell_into_quiet_hours_is_not_carried_into_the_next_day():
    night = datetime(2026, 3, 4, 4, tzinfo=UTC)
    facts = replace(REMINDER, not_after=NOW + 48 * HOUR)
    assert verdict(night, facts) == Never(State.EXPIRED, "quiet hours")


def test_the_zone_that_counts_is_the_one_the_patient_lives_in_now():
    """Planned for nine in Chicago; the patient has moved to Honolulu since, where it is five."""
    moved = verdict(hours=hours("Pacific/Honolulu"))
    assert moved == Later(datetime(2026, 3, 3, 18, tzinfo=UTC), "quiet hours")


def test_an_infusion_holds_mail_until_the_next_morning():
    morning = datetime(2026, 3, 4, 14, tzinfo=UTC)
    facts = replace(FACTS, hours=hours(held=((NOW - HOUR, morning),)))
    assert verdict(facts=facts) == Later(morning, "quiet hours")
    assert verdict(morning, facts) == Go(date(2026, 3, 4))


def test_an_invitation_waits_for_the_next_day_the_patient_allows():
    facts = replace(FACTS, hours=hours(days=frozenset({3})), not_after=NOW + 72 * HOUR)
    facts = replace(facts, closes_at=NOW + 144 * HOUR)
    thursday = datetime(2026, 3, 5, 15, tzinfo=UTC)
    assert verdict(facts=facts) == Later(thursday, "not a day of the patient's")


def test_a_second_message_of_the_day_waits_until_the_next():
    tomorrow = datetime(2026, 3, 4, 15, tzinfo=UTC)
    taken = frozenset({TODAY})
    assert verdict(days_taken=taken) == Later(tomorrow, "another message the same day")
    assert verdict(days_taken=frozenset({date(2026, 3, 2)})) == Go(TODAY)


def test_what_the_patient_asked_for_passes_quiet_hours_and_the_cap():
    night = datetime(2026, 3, 4, 4, tzinfo=UTC)
    facts = replace(FACTS, asked_for=True, days_taken=frozenset({TODAY}))
    assert verdict(night, facts) == Go(None)
    assert verdict(night, replace(facts, status="deceased")).state == State.CANCELLED
    assert verdict(night, replace(facts, suppressed="unsubscribed")).state == State.SUPPRESSED


def test_a_notice_goes_at_any_hour_until_its_alert_is_taken():
    assert gate.notice_verdict(NoticeFacts(alert_taken=False, member_active=True)) == Go()
    for facts in (NoticeFacts(True, True), NoticeFacts(False, False)):
        assert gate.notice_verdict(facts).state == State.CANCELLED
