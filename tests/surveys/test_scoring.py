"""Scores against hand-worked vectors, and what must hold for any answers."""

import tomllib
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys import instruments
from surveys.instruments import OffScale
from surveys.scoring import findings, score

VECTORS = tomllib.loads((Path(__file__).parent / "vectors/scores.toml").read_text())
CASES = [
    pytest.param(key, case, id=f"{key}: {case['id']}") for key in VECTORS for case in VECTORS[key]
]
SCORED = ["phq9", "phq8", "phq2", "gad7", "gad2", "peg", "nrs7", "pgic", "pcptsd5", "pcl5"]


def answered(key, marks):
    items = [item.key for item in instruments.latest(key).items]
    return {item: int(mark) for item, mark in zip(items, marks, strict=False) if mark != "."}


def expected_total(case):
    value = case.get("value")
    exact = case.get("exact", value)
    return (
        None if value is None else Decimal(value),
        None if exact is None else Decimal(exact),
        case.get("band"),
        case.get("missing", 0),
        case.get("prorated", False),
    )


@pytest.mark.parametrize(("key", "case"), CASES)
def test_the_total_is_as_published(key, case):
    total = score(instruments.latest(key), answered(key, case["answers"]))[0]
    found = (total.value, total.exact, total.band, total.missing, total.prorated)
    assert found == expected_total(case)


@pytest.mark.parametrize(("key", "case"), CASES)
def test_findings_are_as_published(key, case):
    names = {
        "phq9": ["positive"], "phq8": ["positive"], "phq2": ["positive"],
        "gad7": ["positive"], "gad2": ["positive"], "pgic": ["responder", "worse"],
        "pcptsd5": ["positive", "positive_sensitive"], "pcl5": ["positive", "provisional_dsm5"],
    }  # fmt: skip
    found = findings(instruments.latest(key), answered(key, case["answers"]))
    assert found == {name: case.get(name) for name in names[key]}


@pytest.mark.parametrize("case", VECTORS["pcl5"], ids=lambda case: case["id"])
def test_pcl5_clusters_are_as_published(case):
    scores = score(instruments.latest("pcl5"), answered("pcl5", case["answers"]))
    assert [one.scale for one in scores] == ["total", "B", "C", "D", "E"]
    for one in scores[1:]:
        assert one.value == case.get(one.scale)
        assert one.missing == case.get(f"{one.scale}_missing", 0)


@pytest.mark.parametrize(
    ("answers", "value", "exact"),
    [
        pytest.param([0, 0, 0], "0.0", "0", id="none"),
        pytest.param([10, 10, 10], "10.0", "10", id="most"),
        pytest.param([5, 5, 6], "5.3", "5.3333", id="a third goes down"),
        pytest.param([1, 2, 2], "1.7", "1.6667", id="two thirds go up"),
        pytest.param([4, 5, 6], "5.0", "5", id="a mean, not a sum"),
    ],
)
def test_peg_is_a_mean_with_one_decimal(answers, value, exact):
    given_answers = dict(zip("123", answers, strict=True))
    (total,) = score(instruments.latest("peg"), given_answers)
    assert (total.value, total.exact, total.band) == (Decimal(value), Decimal(exact), None)
    assert total.value.as_tuple().exponent == -1


@pytest.mark.parametrize("absent", ["1", "2", "3"])
def test_peg_with_one_answer_missing_is_no_score(absent):
    (total,) = score(instruments.latest("peg"), {key: 5 for key in "123" if key != absent})
    assert (total.value, total.exact, total.missing) == (None, None, 1)


@pytest.mark.parametrize(
    ("rating", "band"),
    [
        pytest.param(0, "none", id="0"),
        pytest.param(1, "mild", id="exactly 1"),
        pytest.param(3, "mild", id="3"),
        pytest.param(4, "moderate", id="exactly 4"),
        pytest.param(6, "moderate", id="6"),
        pytest.param(7, "severe", id="exactly 7"),
        pytest.param(10, "severe", id="10"),
    ],
)
@pytest.mark.parametrize("key", ["nrs24", "nrs7"])
def test_pain_ratings_are_scales_of_their_own(key, rating, band):
    scores = {one.scale: one for one in score(instruments.latest(key), {"worst": rating})}
    assert list(scores) == ["average", "worst", "least", "now"]
    assert (scores["worst"].value, scores["worst"].band) == (rating, band)
    assert scores["average"].value is None


def test_mood_is_one_number_without_bands():
    (total,) = score(instruments.latest("mood"), {"1": 7})
    assert (total.value, total.band) == (7, None)
    assert instruments.latest("mood").scales[0].higher_is == "better"


@pytest.mark.parametrize("key", ["checkin", "checkin-short"])
def test_the_check_in_has_no_score(key):
    assert score(instruments.latest(key), {"flag-chest-pain": 1}) == ()


def test_a_skipped_answer_counts_as_missing():
    (total,) = score(instruments.latest("phq2"), {"1": 3, "2": None})
    assert (total.value, total.missing) == (None, 1)


@pytest.mark.parametrize("value", [-1, 4, 100, True, False, 2.0, "2"])
def test_an_answer_off_the_scale_is_refused_never_clamped(value):
    with pytest.raises(OffScale):
        score(instruments.latest("phq9"), {"1": value})


def test_an_unknown_item_is_refused():
    with pytest.raises(OffScale, match="phq9 has no item '11'"):
        score(instruments.latest("phq9"), {"11": 0})


@st.composite
def answered_instruments(draw):
    chosen = instruments.latest(draw(st.sampled_from(SCORED)))
    given_answers = {}
    for item in chosen.items:
        value = draw(st.sampled_from([*item.values, None, "absent"]))
        if value != "absent":
            given_answers[item.key] = value
    return chosen, given_answers


@given(answered_instruments(), st.randoms(use_true_random=False))
def test_the_order_of_answering_changes_nothing(case, rng):
    chosen, answers = case
    shuffled = list(answers.items())
    rng.shuffle(shuffled)
    assert score(chosen, dict(shuffled)) == score(chosen, answers)


@given(answered_instruments())
def test_a_skip_and_an_absent_answer_score_alike(case):
    chosen, answers = case
    without = {item: value for item, value in answers.items() if value is not None}
    assert score(chosen, without) == score(chosen, answers)
    assert findings(chosen, without) == findings(chosen, answers)


@given(answered_instruments())
def test_scores_stay_on_their_scale_and_near_their_exact_value(case):
    chosen, answers = case
    for one in score(chosen, answers):
        scale = chosen.scale(one.scale)
        if one.value is not None:
            assert scale.minimum <= one.value <= scale.maximum
            step = Decimal(1).scaleb(-scale.decimals)
            assert -step / 2 <= one.exact - one.value + Decimal("0.0001")
            assert one.exact - one.value < step / 2 + Decimal("0.0001")
        assert one.prorated == (one.value is not None and one.missing > 0)


@given(answered_instruments(), st.data())
def test_a_missing_answer_never_takes_the_total_beyond_what_it_could_have_been(case, data):
    chosen, answers = case
    low = {item.key: answers.get(item.key) for item in chosen.items}
    high = dict(low)
    for item in chosen.items:
        if low[item.key] is None:
            low[item.key], high[item.key] = min(item.values), max(item.values)
    bounds = zip(score(chosen, low), score(chosen, answers), score(chosen, high), strict=True)
    for lowest, one, highest in bounds:
        if one.exact is not None:
            assert lowest.exact <= one.exact <= highest.exact


@given(answered_instruments(), st.data())
def test_taking_an_answer_away_never_makes_fewer_missing(case, data):
    chosen, answers = case
    if not answers:
        return
    taken = data.draw(st.sampled_from(sorted(answers)))
    fewer = {item: value for item, value in answers.items() if item != taken}
    if taken == "exposure":
        return  # a closed gate is what makes the five complete
    for before, after in zip(score(chosen, answers), score(chosen, fewer), strict=True):
        assert after.missing >= before.missing
        assert before.value is not None or after.value is None


@given(answered_instruments(), st.data())
def test_a_worse_answer_never_lowers_a_score(case, data):
    chosen, answers = case
    item = data.draw(st.sampled_from(chosen.items))
    value = answers.get(item.key)
    if value is None or value == max(item.values):
        return
    worse = answers | {item.key: min(v for v in item.values if v > value)}
    for before, after in zip(score(chosen, answers), score(chosen, worse), strict=True):
        if before.exact is not None and after.exact is not None:
            assert after.exact >= before.exact


@given(answered_instruments(), st.integers())
def test_no_number_off_the_scale_is_ever_scored(case, value):
    chosen, answers = case
    item = chosen.items[0]
    if value not in item.values:
        with pytest.raises(OffScale):
            score(chosen, answers | {item.key: value})
