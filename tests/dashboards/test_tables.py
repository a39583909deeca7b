"""The table under a chart tells the same as the chart."""

from decimal import Decimal

from dashboards import tables
from dashboards.rows import Gap
from tests.dashboards.samples import on_day, phq9, point, timeline


def test_the_table_holds_every_point_and_every_gap_newest_first():
    rows = tables.trend(
        phq9(point(0, "22"), point(40, "9"), gaps=(Gap(on_day(20), "missed"),)), timeline(2)
    )
    assert [(row.value, row.gap) for row in rows] == [
        (Decimal(9), None),
        (None, "missed"),
        (Decimal(22), None),
    ]


def test_a_score_is_told_by_the_infusion_before_it():
    row = tables.trend(phq9(point(12, "9")), timeline(2, 9))[0]
    assert (row.infusion, row.days) == (2, 3)


def test_before_the_first_infusion_there_is_none_to_count_from():
    row = tables.trend(phq9(point(0, "9")), timeline(2))[0]
    assert (row.infusion, row.days) == (None, None)


def test_change_is_counted_from_the_baseline_and_not_for_it():
    start = point(0, "22")
    later, first = tables.trend(phq9(start, point(40, "9"), baseline=start), timeline(2))
    assert later.change == Decimal(-13)
    assert first.change is None
    assert first.is_baseline


def test_a_day_is_a_day_of_the_clinic():
    """Three in the morning in UTC is the evening before in Chicago."""
    row = tables.trend(phq9(point(0.5, "9")), timeline(0))[0]
    assert str(row.on) == "2026-01-05"


def test_an_unfinished_answer_says_how_far_it_came():
    gap = Gap(on_day(3), "unfinished", answered=5, items=9)
    row = tables.trend(phq9(point(0, "9"), gaps=(gap,)), timeline(2))[0]
    assert (row.gap, row.answered, row.items) == ("unfinished", 5, 9)
