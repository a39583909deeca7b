"""Wall clocks and instants. Expected instants were worked out by hand from the zones' laws."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from reminders.schedule.clock import EVERY_DAY, Hours, allowed_days, day_end, instant


@pytest.mark.parametrize(
    ("zone", "wall", "expected"),
    [
        pytest.param("America/Chicago", "2026-03-07 09:00", "03-07 15:00", id="winter"),
        pytest.param("America/Chicago", "2026-03-08 09:00", "03-08 14:00", id="summer: still nine"),
        pytest.param("America/Chicago", "2026-03-08 02:30", "03-08 08:00", id="skipped: gap's end"),
        pytest.param("America/Chicago", "2026-03-08 02:00", "03-08 08:00", id="skipped: first"),
        pytest.param("America/Chicago", "2026-03-08 01:59", "03-08 07:59", id="just before a gap"),
        pytest.param("America/Chicago", "2026-11-01 01:30", "11-01 06:30", id="repeated: first"),
        pytest.param("America/Chicago", "2026-11-01 09:00", "11-01 15:00", id="winter again"),
        pytest.param("America/Denver", "2026-03-08 02:30", "03-08 09:00", id="Denver skips"),
        pytest.param("America/Denver", "2026-11-01 01:30", "11-01 07:30", id="Denver repeats"),
        pytest.param("America/Santiago", "2026-09-06 00:00", "09-06 04:00", id="midnight skipped"),
        pytest.param("America/Santiago", "2026-09-06 00:30", "09-06 04:00", id="and half past"),
        pytest.param(
            "America/Santiago", "2026-04-04 23:30", "04-05 02:30", id="late hour repeated"
        ),
        pytest.param("Australia/Lord_Howe", "2026-10-04 02:10", "10-03 15:30", id="half an hour"),
        pytest.param("Australia/Lord_Howe", "2026-04-05 01:45", "04-04 14:45", id="half repeated"),
        pytest.param("Africa/Cairo", "2026-04-24 00:00", "04-23 22:00", id="Cairo skips midnight"),
        pytest.param("Africa/Cairo", "2026-10-29 23:30", "10-29 20:30", id="Cairo repeats"),
    ],
)
def test_a_wall_time_means_one_instant(zone, wall, expected):
    local = datetime.fromisoformat(wall)
    found = instant(local.date(), local.time(), ZoneInfo(zone))
    assert f"{found:%m-%d %H:%M}" == expected


def test_a_day_that_a_zone_left_out_is_the_next_one():
    apia = ZoneInfo("Pacific/Apia")
    expected = datetime(2011, 12, 30, 20, tzinfo=UTC)  # 31 December, ten o'clock
    assert instant(date(2011, 12, 30), time(10), apia) == expected
    assert instant(date(2011, 12, 31), time(10), apia) == expected


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        pytest.param("America/Chicago", date(2026, 3, 8), 23, id="spring"),
        pytest.param("America/Chicago", date(2026, 11, 1), 25, id="autumn"),
        pytest.param("America/Santiago", date(2026, 9, 6), 23, id="begins at one"),
        pytest.param("Australia/Lord_Howe", date(2026, 10, 4), 23.5, id="half an hour"),
    ],
)
def test_a_day_ends_where_the_next_begins(zone, day, hours):
    zone = ZoneInfo(zone)
    length = day_end(day, zone) - instant(day, time(0), zone)
    assert length.total_seconds() == hours * 3600


@pytest.mark.parametrize(
    ("zone", "moment", "expected"),
    [
        pytest.param("America/Chicago", "2026-03-03 20:59", "03-03 20:59", id="last minute"),
        pytest.param("America/Chicago", "2026-03-03 21:00", "03-04 08:00", id="exactly nine"),
        pytest.param("America/Chicago", "2026-03-04 07:59", "03-04 08:00", id="before eight"),
        pytest.param("America/Chicago", "2026-03-04 08:00", "03-04 08:00", id="exactly eight"),
        pytest.param("America/Chicago", "2026-03-07 23:00", "03-08 08:00", id="spring night"),
        pytest.param("America/Chicago", "2026-10-31 23:00", "11-01 08:00", id="autumn night"),
        pytest.param("America/Santiago", "2026-09-05 23:00", "09-06 08:00", id="no midnight"),
    ],
)
def test_quiet_hours_end_in_the_morning_of_the_same_night(zone, moment, expected):
    zone = ZoneInfo(zone)
    hours = Hours(zone, time(21), time(8), (), EVERY_DAY)
    found = hours.clear(datetime.fromisoformat(moment).replace(tzinfo=zone))
    assert f"{found.astimezone(zone):%m-%d %H:%M}" == expected


def test_quiet_hours_that_end_in_a_repeated_hour_do_not_run_backwards():
    chicago = ZoneInfo("America/Chicago")
    hours = Hours(chicago, time(21), time(1, 30), (), EVERY_DAY)
    second_showing = datetime(2026, 11, 1, 7, 10, tzinfo=UTC)  # 01:10 for the second time
    assert hours.clear(second_showing) == datetime(2026, 11, 1, 7, 30, tzinfo=UTC)


def test_quiet_hours_within_one_day():
    hours = Hours(ZoneInfo("UTC"), time(12), time(14), (), EVERY_DAY)
    assert hours.clear(datetime(2026, 3, 3, 13, tzinfo=UTC)).hour == 14
    late = datetime(2026, 3, 3, 23, tzinfo=UTC)
    assert hours.clear(late) == late


def test_no_quiet_hours_at_all():
    hours = Hours(ZoneInfo("UTC"), time(0), time(0), (), EVERY_DAY)
    night = datetime(2026, 3, 3, 3, tzinfo=UTC)
    assert hours.clear(night) == night


@pytest.mark.parametrize(
    ("clinic", "patient", "expected"),
    [
        pytest.param([], [], range(7), id="nobody chose: every day"),
        pytest.param([0, 1], [], {0, 1}, id="the clinic's alone"),
        pytest.param([], [5, 6], {5, 6}, id="the patient's alone"),
        pytest.param([0, 1, 2], (2, 3), {2}, id="what both allow"),
        pytest.param([0, 1, 2, 3, 4], [5, 6], {5, 6}, id="no day in common: the patient's"),
    ],
)
def test_mail_goes_on_the_days_clinic_and_patient_both_allow(clinic, patient, expected):
    assert allowed_days(clinic, patient) == frozenset(expected)
