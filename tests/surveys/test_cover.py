"""Who reads alerts now, and when the clinic opens next."""

from datetime import UTC, datetime, time, timedelta

import pytest

from clinic.actors import member_actor
from clinic.models import Clinic
from surveys import alerts, cover
from tests.builders import BY_TEST

DAY = timedelta(days=1)


def utc(month, day, hour, minute=0):
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.fixture
def staffed(clinic) -> Clinic:
    """Chicago, Monday to Friday, eight to five."""
    clinic.staffed_days, clinic.cover = [0, 1, 2, 3, 4], Clinic.Cover.WEEKDAYS
    clinic.staffed_from, clinic.staffed_until = time(8), time(17)
    clinic.save()
    return clinic


def prove(clinic, member, *, now):
    member.is_responder = True
    member.save()
    test = alerts.send_test(clinic, member, by=BY_TEST, now=now)
    alerts.take(test, by=member_actor(member), now=now)


def test_without_a_proven_responder_there_is_no_cover(staffed, clinician, now):
    assert cover.cover_of(staffed, now=now) == "none"
    alerts.send_test(staffed, clinician, by=BY_TEST, now=now)
    assert cover.cover_of(staffed, now=now) == "none"


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(timedelta(0), "weekdays", id="just taken"),
        pytest.param(90 * DAY - timedelta(seconds=1), "weekdays", id="a second before ninety days"),
        pytest.param(90 * DAY, "none", id="ninety days"),
    ],
)
def test_a_proof_holds_for_ninety_days(staffed, clinician, now, after, expected):
    prove(staffed, clinician, now=now)
    assert cover.cover_of(staffed, now=now + after) == expected


def test_a_responder_who_left_covers_nothing(staffed, clinician, now):
    prove(staffed, clinician, now=now)
    clinician.active = False
    clinician.save()
    assert cover.cover_of(staffed, now=now) == "none"


def test_a_member_who_is_not_a_responder_proves_nothing(staffed, clinician, now):
    prove(staffed, clinician, now=now)
    clinician.is_responder = False
    clinician.save()
    assert cover.cover_of(staffed, now=now) == "none"


@pytest.mark.parametrize(
    ("at", "reads"),
    [
        pytest.param(utc(3, 3, 13, 59), False, id="Tuesday, a minute to eight"),
        pytest.param(utc(3, 3, 14, 0), True, id="Tuesday at eight"),
        pytest.param(utc(3, 3, 22, 59), True, id="Tuesday, a minute to five"),
        pytest.param(utc(3, 3, 23, 0), False, id="Tuesday at five"),
        pytest.param(utc(3, 7, 16, 0), False, id="Saturday"),
        pytest.param(utc(3, 9, 13, 0), True, id="Monday at eight, after the clock went forward"),
        pytest.param(utc(3, 9, 12, 59), False, id="a minute before that"),
    ],
)
def test_staffed_hours_are_the_clinics_own(staffed, clinician, at, reads):
    prove(staffed, clinician, now=at - DAY)
    assert cover.reading_now(staffed, at) is reads


def test_always_is_always(staffed, clinician, now):
    prove(staffed, clinician, now=now)
    staffed.cover = Clinic.Cover.ALWAYS
    assert cover.reading_now(staffed, utc(3, 7, 6))


def test_hours_may_run_past_midnight(staffed, clinician, now):
    prove(staffed, clinician, now=now)
    staffed.staffed_from, staffed.staffed_until = time(20), time(4)
    assert cover.reading_now(staffed, utc(3, 7, 9))  # Friday's night, three on Saturday morning
    assert not cover.reading_now(staffed, utc(3, 8, 9))


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        pytest.param(utc(3, 3, 12), utc(3, 3, 14), id="the same morning"),
        pytest.param(utc(3, 3, 14), utc(3, 4, 14), id="open: the next one"),
        pytest.param(utc(3, 6, 23), utc(3, 9, 13), id="Friday evening, over the skipped hour"),
        pytest.param(utc(10, 30, 22), utc(11, 2, 14), id="Friday evening, over the repeated hour"),
    ],
)
def test_the_next_opening(staffed, at, opens):
    assert cover.next_opening(staffed, at) == opens


@pytest.mark.parametrize(
    ("at", "closed", "opens"),
    [
        pytest.param(utc(12, 24, 23), ["2026-12-25"], utc(12, 28, 14), id="Christmas on a Friday"),
        pytest.param(
            utc(10, 30, 22), ["2026-11-02"], utc(11, 3, 14), id="Monday closed, an hour repeated"
        ),
        pytest.param(
            utc(3, 6, 23), ["2026-03-09"], utc(3, 10, 13), id="Monday closed, an hour skipped"
        ),
        pytest.param(
            utc(12, 18, 23),
            [f"2026-12-{day}" for day in range(21, 32)],
            datetime(2027, 1, 1, 14, tzinfo=UTC),
            id="two weeks closed",
        ),
    ],
)
def test_the_next_opening_leaves_out_closed_days(staffed, at, closed, opens):
    staffed.closed_dates = closed
    assert cover.next_opening(staffed, at) == opens


def test_on_a_closed_day_nobody_reads(staffed, clinician):
    prove(staffed, clinician, now=utc(3, 2, 14))
    staffed.closed_dates = ["2026-03-03"]
    assert not cover.reading_now(staffed, utc(3, 3, 15))
    assert cover.reading_now(staffed, utc(3, 4, 15))


def test_a_night_that_began_before_a_closed_day_is_still_staffed(staffed, clinician):
    prove(staffed, clinician, now=utc(3, 2, 14))
    staffed.staffed_from, staffed.staffed_until = time(20), time(4)
    staffed.closed_dates = ["2026-03-04"]
    assert cover.reading_now(staffed, utc(3, 4, 9))  # Tuesday's night, three on Wednesday morning
    assert not cover.reading_now(staffed, utc(3, 5, 4))  # Wednesday evening at ten
    assert not cover.reading_now(staffed, utc(3, 5, 9))


def test_a_clinic_without_hours_never_says_when(staffed, now):
    staffed.staffed_days = []
    assert cover.next_opening(staffed, now) is None
    assert not cover.reading_now(staffed, now)
