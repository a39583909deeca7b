"""When a patient may see their own trend, what it says, and how it is drawn."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from clinic.models import Clinic, Patient
from surveys import alerts, instruments
from surveys.answering import record
from surveys.drawing import BOTTOM, TOP, drawing
from surveys.models import Alert, FollowUp
from surveys.own_trend import OwnPoint, OwnTrend, is_worse
from surveys.reading_back import own_trends
from tests.builders import BY_TEST, make_course
from tests.surveys.follow_ups import answer_all, make_follow_up
from tests.surveys.histories import DAY, allow_own_trend, answered, begin, missed

START = datetime(2026, 3, 3, 15, tzinfo=UTC)


def points(*values: float) -> tuple[OwnPoint, ...]:
    return tuple(
        OwnPoint(START + n * DAY, Decimal(str(value)), Decimal(str(value)))
        for n, value in enumerate(values)
    )


def trend_of(key: str, *values: float, gaps: tuple[datetime, ...] = ()) -> OwnTrend:
    instrument = instruments.latest(key)
    scale = instrument.drawn_scales[0]
    return OwnTrend(key, instrument.wording["en"].title, scale, points(*values), gaps)


# -- Worse ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "scores", "worse"),
    [
        pytest.param("phq9", (10, 14), False, id="four points"),
        pytest.param("phq9", (10, 15), True, id="exactly five points"),
        pytest.param("phq9", (18, 5, 10), True, id="five from the best, though below the start"),
        pytest.param("phq9", (18, 5, 9), False, id="four from the best"),
        pytest.param("phq9", (20, 5), False, id="better"),
        pytest.param("phq9", (20,), False, id="nothing to compare with"),
        pytest.param("gad7", (8, 12), True, id="the change that matters is less than five"),
        pytest.param("pcl5", (30, 35), True, id="five, though ten would matter"),
        pytest.param("pcl5", (30, 34), False, id="four of eighty"),
        pytest.param("peg", (4, 4.9), False, id="less than one of ten"),
        pytest.param("peg", (4, 5), True, id="one of ten"),
        pytest.param("mood", (6, 1), True, id="where higher is better"),
        pytest.param("mood", (1, 6), False, id="better where higher is better"),
    ],
)
def test_worse_is_five_points_or_the_change_that_matters(key, scores, worse):
    instrument = instruments.latest(key)
    assert is_worse(instrument, instrument.drawn_scales[0], points(*scores)) is worse


def test_thresholds_compare_exact_scores_and_words_the_printed_ones():
    instrument = instruments.latest("phq9")
    start = OwnPoint(START, Decimal(10), Decimal("10.125"))
    today = OwnPoint(START + DAY, Decimal(15), Decimal(15))
    assert not is_worse(instrument, instrument.drawn_scales[0], [start, today])
    shown = trend_of("phq9", 10, 10)
    assert shown.direction == "same"


# -- Drawn ------------------------------------------------------------------------------------


def test_the_scale_stands_upright_and_whole():
    drawn = drawing(trend_of("phq9", 27, 0))
    first, last = drawn.dots
    assert (float(first.y), float(last.y)) == (TOP, BOTTOM)
    assert (drawn.highest, drawn.lowest) == ("27", "0")
    assert float(first.x) < float(last.x)
    assert drawn.start_y == first.y


def test_a_scale_on_which_higher_is_better_is_not_turned_over():
    first, last = drawing(trend_of("mood", 2, 8)).dots
    assert float(first.y) > float(last.y)


def test_no_line_crosses_a_time_without_an_answer():
    drawn = drawing(trend_of("phq9", 20, 15, 10, 5, gaps=(START + 1.5 * DAY,)))
    assert [len(line.split()) for line in drawn.lines] == [2, 2]
    assert [dot.text for dot in drawn.dots] == ["20", "", "", "5"]


@pytest.mark.parametrize("values", [(27, 0), (0, 27), (13.5, 13.5), (27, 27)])
def test_no_number_leaves_the_drawing(values):
    for dot in drawing(trend_of("phq9", *values)).dots:
        assert float(dot.text_y) - 14 >= TOP - 6
        assert float(dot.text_y) <= BOTTOM


def test_numbers_have_a_point_and_the_decimals_of_their_scale():
    drawn = drawing(trend_of("peg", 7, 4.333))
    assert [dot.text for dot in drawn.dots] == ["7.0", "4.3"]
    assert "." in drawn.dots[0].x


# -- When there is one ------------------------------------------------------------------------


@pytest.fixture
def today(now) -> datetime:
    return now + 21 * DAY


@pytest.fixture
def begun(course, clinic, now):
    """A clinic that shows it, and a course with a PHQ-9 of 16 and a GAD-7 of 14 before it."""
    allow_own_trend(clinic)
    begin(course, ["phq9", "gad7"], at=now)
    return course


def seen(follow_up: FollowUp, at: datetime) -> list[tuple[str, list[int]]]:
    """As a page finds it, which reads everything anew."""
    found = FollowUp.objects.select_related("patient__clinic").get(pk=follow_up.pk)
    return [
        (trend.key, [int(point.value) for point in trend.points])
        for trend in own_trends(found, now=at)
    ]


def test_from_the_baseline_to_today(begun, today):
    answered(begun, ["phq9"], at=today - 9 * DAY, value=1)
    follow_up = answered(begun, ["phq9", "gad7"], at=today, value=1)
    assert seen(follow_up, today) == [("gad7", [14, 7]), ("phq9", [16, 8, 8])]


def test_six_queries_whatever_the_history(begun, today, django_assert_num_queries):
    for days in (14, 7):
        answered(begun, ["phq9", "gad7"], at=today - days * DAY, value=1)
    follow_up = answered(begun, ["phq9", "gad7"], at=today, value=1)
    found = FollowUp.objects.select_related("patient__clinic").get(pk=follow_up.pk)
    with django_assert_num_queries(6):
        assert len(own_trends(found, now=today)) == 2


def test_none_where_the_clinic_does_not_show_it_and_then_it_costs_nothing(
    begun, today, django_assert_num_queries
):
    follow_up = answered(begun, ["phq9"], at=today, value=1)
    Clinic.objects.update(shows_own_trend=False)
    found = FollowUp.objects.select_related("patient__clinic").get(pk=follow_up.pk)
    with django_assert_num_queries(0):
        assert own_trends(found, now=today) == ()


def test_what_was_answered_later_does_not_stand_in_an_earlier_one(begun, today):
    earlier = answered(begun, ["phq9"], at=today - 9 * DAY, value=1)
    answered(begun, ["phq9"], at=today, value=1, i1=0)
    assert seen(earlier, today) == [("phq9", [16, 8])]


def test_a_step_that_passed_in_silence_is_a_gap(begun, today):
    missed(begun, ["phq9"], at=today - 9 * DAY)
    missed(begun, ["gad7"], at=today - 8 * DAY)
    follow_up = answered(begun, ["phq9"], at=today, value=1)
    found = FollowUp.objects.select_related("patient__clinic").get(pk=follow_up.pk)
    (shown,) = own_trends(found, now=today)
    assert shown.gaps == (today - 9 * DAY - timedelta(hours=1),)


def test_an_answer_without_a_score_is_a_gap_and_is_never_today(begun, today):
    without = {f"i{n}": None for n in range(1, 4)}
    answered(begun, ["phq9"], at=today - 9 * DAY, value=1, **without)
    follow_up = answered(begun, ["phq9", "gad7"], at=today, value=1)
    found = FollowUp.objects.select_related("patient__clinic").get(pk=follow_up.pk)
    _, phq9 = own_trends(found, now=today)
    assert (len(phq9.points), phq9.gaps) == (2, (today - 9 * DAY,))
    silent = make_follow_up(begun, ["phq9"], now=today + DAY)
    answer_all(silent, now=today + DAY, value=1, i9=0, **without)
    assert seen(silent, today + DAY) == []


def test_phq8_is_never_joined_to_phq9(begun, today):
    follow_up = answered(begun, ["phq8"], at=today, value=1)
    assert seen(follow_up, today) == []


def test_what_has_no_change_that_matters_is_compared_with_nothing(begun, today):
    follow_up = answered(begun, ["mood", "phq2"], at=today, value=1)
    assert seen(follow_up, today) == []


# -- And when there is none -------------------------------------------------------------------


def test_none_without_a_start(course, clinic, now, today):
    allow_own_trend(clinic)
    first = answered(course, ["phq9"], at=today - 9 * DAY, value=2)
    later = answered(course, ["phq9"], at=today, value=1)
    assert seen(first, today) == seen(later, today) == []


def test_none_from_the_baseline_itself(begun):
    baseline = FollowUp.objects.get()
    assert seen(baseline, baseline.finished_at + 2 * DAY) == []


def test_none_from_another_patients_start(begun, clinic, now, today):
    other = make_course(clinic, now=now, name="Bea Ruiz", mrn="", email="")
    follow_up = answered(other, ["phq9"], at=today, value=1)
    assert seen(follow_up, today) == []


def test_none_after_a_thought_of_suicide(begun, today):
    follow_up = answered(begun, ["phq9", "gad7"], at=today, value=0, i9=1)
    assert seen(follow_up, today) == []
    Alert.objects.update(closed_at=today)
    assert seen(follow_up, today) == []


def test_none_after_such_a_thought_was_taken_back_though_no_alert_stood(begun, today):
    follow_up = make_follow_up(begun, ["phq9"], now=today)
    answer_all(follow_up, now=today, value=1, send=False, i9=2)
    record(follow_up, "phq9", "9", {"9": 0}, by=BY_TEST, now=today)
    answer_all(follow_up, now=today, value=1)
    Alert.objects.update(follow_up=None, response=None, closed_at=today)
    assert seen(follow_up, today) == []


@pytest.mark.parametrize("value", [None, 1])
def test_none_without_or_with_such_an_answer_though_no_alert_stands(begun, today, value):
    follow_up = answered(begun, ["phq9"], at=today, value=1, i9=value)
    Alert.objects.update(follow_up=None, response=None, closed_at=today)
    assert seen(follow_up, today) == []


def test_none_while_an_alert_of_another_day_is_open(begun, today):
    alert = alerts.help_now(FollowUp.objects.get(), by=BY_TEST, now=today - DAY)
    follow_up = answered(begun, ["phq9"], at=today, value=1)
    assert seen(follow_up, today) == []
    Alert.objects.filter(pk=alert.pk).update(closed_at=today)
    assert seen(follow_up, today) != []


def test_none_after_asking_for_help_on_the_thanks_page(begun, today):
    follow_up = answered(begun, ["phq9"], at=today, value=1)
    alerts.help_now(follow_up, by=BY_TEST, now=today)
    assert seen(follow_up, today) == []


def test_none_of_them_when_one_has_become_worse(begun, today):
    follow_up = make_follow_up(begun, ["phq9", "gad7"], now=today)
    answer_all(follow_up, now=today, value=1, send=False, i9=0)
    for item in "1234567":  # 7 becomes 21: worse than the 14 of the start
        record(follow_up, "gad7", item, {item: 3}, by=BY_TEST, now=today)
    answer_all(follow_up, now=today)
    assert seen(follow_up, today) == []


def test_none_after_a_worsening_from_the_best_though_below_the_start(begun, today):
    answered(begun, ["phq9"], at=today - 9 * DAY, value=0)
    follow_up = answered(begun, ["phq9"], at=today, value=0, i1=3, i2=2)
    Alert.objects.all().update(closed_at=today, follow_up=None, response=None)
    assert seen(follow_up, today) == []


def test_none_after_late_answers(begun, today):
    follow_up = make_follow_up(begun, ["phq9"], now=today, opens=-3 * DAY, closes=-1 * DAY)
    answer_all(follow_up, now=today, value=1, i9=0)
    assert seen(follow_up, today) == []


@pytest.mark.parametrize("status", [Patient.Status.WITHDRAWN, Patient.Status.DECEASED])
def test_none_once_the_patient_has_left(begun, today, status):
    follow_up = answered(begun, ["phq9"], at=today, value=1)
    Patient.objects.update(status=status)
    assert seen(follow_up, today) == []


def test_none_of_a_follow_up_that_was_replaced_or_is_not_sent(begun, today):
    follow_up = make_follow_up(begun, ["phq9"], now=today)
    answer_all(follow_up, now=today, value=1, i9=0, send=False)
    assert seen(follow_up, today) == []
    follow_up = answered(begun, ["phq9"], at=today + DAY, value=1)
    FollowUp.objects.update(withdrawn_at=today)
    assert seen(follow_up, today + DAY) == []
