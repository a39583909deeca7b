"""Change against hand-worked vectors; every threshold at its edge."""

import tomllib
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path

import pytest

from surveys import instruments
from surveys.change import change
from surveys.instruments import OffScale

VECTORS = tomllib.loads((Path(__file__).parent / "vectors/changes.toml").read_text())["change"]


def measured(case):
    chosen = instruments.named({"nrs": "nrs7:average"}.get(case["instrument"], case["instrument"]))
    return change(chosen, Decimal(case["baseline"]), Decimal(case["current"]))


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["id"])
def test_change_is_as_published(case):
    expected = {
        name: Decimal(case[name]) if name in case else None for name in ("improvement", "percent")
    } | {name: case.get(name) for name in ("minimal", "deteriorated", "response", "remission")}
    assert asdict(measured(case)) == expected


def test_higher_is_better_turns_the_sign():
    found = change(instruments.latest("mood"), Decimal(4), Decimal(6))
    assert (found.improvement, found.percent) == (2, 50)
    assert (found.minimal, found.response, found.remission) == (None, None, None)


@pytest.mark.parametrize(
    ("key", "off"),
    [("phq9", "27.5"), ("phq9", "-1"), ("pgic", "0"), ("pgic", "8"), ("phq9", "NaN")],
)
def test_a_total_off_the_scale_is_refused(key, off):
    chosen = instruments.latest(key)
    for baseline, current in ((off, "3"), ("3", off)):
        with pytest.raises(OffScale):
            change(chosen, Decimal(baseline), Decimal(current))


@pytest.mark.parametrize("edge", ["0", "27"])
def test_the_ends_of_the_scale_are_totals(edge):
    assert change(instruments.latest("phq9"), Decimal(edge), Decimal(edge)).improvement == 0


def test_a_named_scale_is_measured_on_its_own_range():
    with pytest.raises(OffScale):
        change(instruments.latest("pcl5"), Decimal(21), Decimal(3), scale="B")
