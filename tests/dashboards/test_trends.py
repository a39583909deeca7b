"""From answers to trends: what is a point, what is a gap, what is the baseline."""

from datetime import timedelta
from decimal import Decimal

import pytest

from clinic.models import Course
from dashboards import queries
from surveys.models import Response
from tests.dashboards.histories import make_answer, make_infusion, make_missed, phq9, spread

pytestmark = pytest.mark.django_db


def trends_of(course: Course, now):
    return queries.trends(course.patient, [course], now=now)


def test_scores_gaps_and_infusions_of_a_patient(treated, later):
    found = trends_of(treated, later)
    (chart,) = found.charts
    assert [point.value for point in chart.series[0].points] == [18, 9]
    assert [gap.kind for gap in chart.gaps] == ["missed"]
    assert [mark.number for mark in found.timeline.marks] == [1, 2, 3, 4]
    assert chart.baseline is not None
    assert chart.baseline.value == 18


def test_the_sentence_stands_on_the_latest_score_in_time(treated, later):
    make_answer(treated.patient, "phq9", phq9(2), later - timedelta(days=1), late=True)
    headline = trends_of(treated, later).headline
    assert headline is not None
    assert headline.latest.value == 9
    assert headline.change is not None
    assert headline.change.improvement == 9


def test_four_queries_however_long_the_history(treated, later, django_assert_num_queries):
    for days in range(16, 30):
        make_answer(treated.patient, "phq9", phq9(8), later - timedelta(days=days))
    patient = treated.patient
    assert patient.clinic
    with django_assert_num_queries(4):
        queries.trends(patient, [treated], now=later)


def test_phq8_is_never_joined_to_phq9(treated, later):
    eight = dict.fromkeys("12345678", 1)
    make_answer(treated.patient, "phq8", eight, later - timedelta(days=2))
    nine, other = trends_of(treated, later).charts
    assert (nine.key, other.key) == ("phq9", "phq8")
    assert [point.value for point in other.series[0].points] == [8]
    assert other.baseline is None


def test_pain_comes_first_for_a_patient_treated_for_pain(course, now, later):
    Course.objects.filter(pk=course.pk).update(indication="neuropathic")
    course.refresh_from_db()
    make_answer(course.patient, "phq9", phq9(9), now)
    make_answer(course.patient, "peg", {"1": 5, "2": 4, "3": 4}, now)
    peg, _ = trends_of(course, later).charts
    assert peg.key == "peg"
    assert str(peg.series[0].points[0].value) == "4.3"


def test_pain_ratings_are_lines_of_one_chart(course, now, later):
    make_answer(course.patient, "nrs7", {"average": 4, "worst": 8}, now)
    (chart,) = trends_of(course, later).charts
    assert {series.scale: series.points[0].value for series in chart.series} == {
        "average": Decimal(4),
        "worst": Decimal(8),
    }


def test_a_score_that_could_not_be_computed_is_a_gap(course, now, later):
    make_answer(course.patient, "phq9", phq9(9), now)
    make_answer(course.patient, "phq9", {"1": 2, "9": 0}, now + timedelta(days=8))
    (chart,) = trends_of(course, later).charts
    assert len(chart.series[0].points) == 1
    assert [(gap.kind, gap.answered, gap.items) for gap in chart.gaps] == [("no_score", 2, 9)]


def test_an_estimated_score_says_how_many_answers_are_missing(course, now, later):
    make_answer(course.patient, "phq9", {**phq9(9), "8": None}, now)
    (chart,) = trends_of(course, later).charts
    assert chart.series[0].points[0].missing == 1


def test_what_was_begun_and_not_finished_is_not_missed_as_well(treated, later, now):
    due = treated.dues.get(step="A4")
    begun = make_answer(treated.patient, "phq9", phq9(9), now + timedelta(days=34))
    begun.scores.all().delete()
    Response.objects.filter(pk=begun.pk).update(
        finished_at=None, follow_up=due.follow_up, answers={"1": 2}
    )
    (chart,) = trends_of(treated, later).charts
    assert [(gap.kind, gap.answered) for gap in chart.gaps] == [("unfinished", 1)]


@pytest.mark.parametrize(
    ("days_before", "found"),
    [
        pytest.param(30, True, id="thirty days before the first infusion"),
        pytest.param(31, False, id="thirty-one days before"),
    ],
)
def test_a_baseline_is_at_most_thirty_days_old(course, now, later, days_before, found):
    make_answer(course.patient, "phq9", phq9(20), now)
    make_infusion(course, now + timedelta(days=days_before), now=later)
    (chart,) = trends_of(course, later).charts
    assert (chart.baseline is not None) is found


def test_without_an_infusion_there_is_no_baseline_yet(course, now, later):
    make_answer(course.patient, "phq9", phq9(20), now)
    (chart,) = trends_of(course, later).charts
    assert chart.baseline is None


def test_the_words_of_an_answer_stand_where_a_scale_has_no_bands(course, now, later):
    make_answer(course.patient, "pgic", {"1": 2}, now)
    make_answer(course.patient, "mood", {"1": 7}, now)
    make_infusion(course, now + timedelta(days=1))
    mood, pgic = trends_of(course, later).charts
    assert mood.series[0].points[0].band == ""
    assert mood.baseline is pgic.baseline is None
    assert pgic.series[0].points[0].band == "much improved"


def test_a_gap_belongs_to_the_instruments_that_were_asked(treated, later, now):
    make_answer(treated.patient, "gad7", spread(7, 7, 3), now)
    make_missed(treated, "A5", ["gad7"], now + timedelta(days=36))
    nine, anxiety = trends_of(treated, later).charts
    assert len(nine.gaps) == 1
    assert len(anxiety.gaps) == 2
