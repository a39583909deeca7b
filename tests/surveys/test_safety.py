"""Answers that need a person: floors, history, finished scores. Edges are named."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys import instruments
from surveys.safety import finished_worries, highest, level, worries
from surveys.scoring import score

PHQ9 = instruments.latest("phq9")
CHECKIN = instruments.latest("checkin")
FLAGS = [
    "flag-chest-pain", "flag-breathing", "flag-fainting", "flag-seizure", "flag-headache",
    "flag-hallucination", "flag-no-urine", "flag-blood-urine", "flag-fall",
]  # fmt: skip
RANKS = ["review", "urgent", "critical"]


@pytest.mark.parametrize(
    ("value", "floor"), [(1, "review"), (2, "urgent"), (3, "critical"), (None, "not_answered")]
)
def test_item_9_has_its_floor(value, floor):
    (worry,) = worries(PHQ9, {"9": value})
    assert (worry.item, worry.value, worry.level) == ("9", value, floor)
    assert (worry.rule, worry.kind) == ("suicide-item", "suicide")


def test_item_9_at_0_raises_nothing():
    assert worries(PHQ9, {"9": 0}) == ()


def test_item_9_not_reached_yet_raises_nothing():
    assert worries(PHQ9, {"1": 3}) == ()


def test_item_9_asked_and_left_out_is_not_answered():
    (worry,) = worries(PHQ9, {"1": 3}, asked=["1", "9"])
    assert (worry.value, worry.level) == (None, "not_answered")


def test_item_9_counts_although_there_is_no_total():
    answers = {"9": 2}
    assert score(PHQ9, answers)[0].value is None
    assert worries(PHQ9, answers)[0].level == "urgent"


@pytest.mark.parametrize(
    ("value", "history", "expected"),
    [
        pytest.param(1, [], "urgent", id="first answer ever, at 1"),
        pytest.param(1, [0, 0], "urgent", id="first ever positive"),
        pytest.param(1, [1], "review", id="unchanged at 1"),
        pytest.param(1, [1, 1, 1], "review", id="unchanged at 1 for long"),
        pytest.param(1, [2], "review", id="fallen to 1"),
        pytest.param(1, [1, 0], "urgent", id="back again: risen from 0"),
        pytest.param(2, [1], "urgent", id="risen by exactly 1"),
        pytest.param(2, [2], "urgent", id="unchanged at 2 keeps its floor"),
        pytest.param(2, [3], "urgent", id="fallen to 2 keeps its floor"),
        pytest.param(3, [], "critical", id="first ever at 3"),
        pytest.param(3, [3, 3], "critical", id="unchanged at 3 is not lowered"),
        pytest.param(None, [3], "review", id="not answered"),
        pytest.param(None, [], "review", id="never answered"),
    ],
)
def test_history_raises_item_9_and_never_lowers_it(value, history, expected):
    (worry,) = worries(PHQ9, {"9": value})
    assert level(worry, history=history) == expected


@given(st.integers(1, 3), st.lists(st.integers(0, 3)))
def test_no_history_lowers_a_floor(value, history):
    (worry,) = worries(PHQ9, {"9": value})
    assert RANKS.index(level(worry, history=history)) >= RANKS.index(worry.level)


@given(
    st.dictionaries(
        st.sampled_from("12345678"), st.one_of(st.none(), st.integers(0, 3)), max_size=8
    ),
    st.integers(0, 3),
)
def test_no_other_answer_changes_what_item_9_means(others, value):
    assert worries(PHQ9, others | {"9": value}) == worries(PHQ9, {"9": value})


def test_only_phq9_asks_about_suicide():
    kinds = {
        key
        for key, version in instruments.available()
        for item in instruments.get(key, version).items
        if item.safety is not None and item.safety.kind == "suicide"
    }
    assert kinds == {"phq9"}


@pytest.mark.parametrize("key", ["checkin", "checkin-short"])
@pytest.mark.parametrize("flag", FLAGS)
def test_every_red_flag_is_an_emergency(key, flag):
    chosen = instruments.latest(key)
    (worry,) = worries(chosen, dict.fromkeys(FLAGS, 0) | {flag: 1})
    assert (worry.item, worry.level, worry.kind) == (flag, "urgent", "emergency")


@pytest.mark.parametrize("key", ["checkin", "checkin-short"])
def test_the_red_flags_are_these_nine(key):
    chosen = instruments.latest(key)
    assert list(chosen.screens[0].items) == FLAGS
    rules = [item.key for item in chosen.items if item.safety and item.safety.kind == "emergency"]
    assert rules == FLAGS


@pytest.mark.parametrize("item", [str(number) for number in range(1, 13)])
def test_any_severe_symptom_is_urgent(item):
    (worry,) = worries(CHECKIN, {item: 3}, since_infusion=timedelta(hours=1))
    assert worry.level == "urgent"


@pytest.mark.parametrize("item", ["1", "2", "3"])
def test_any_severe_symptom_of_the_short_check_in_is_urgent(item):
    short = instruments.latest("checkin-short")
    assert [worry.level for worry in worries(short, {item: 3})] == ["urgent"]
    assert worries(short, {item: 2}) == ()


@pytest.mark.parametrize("item", ["1", "2", "3", "4", "5", "8", "9", "10"])
def test_a_moderate_ordinary_symptom_is_no_worry(item):
    assert worries(CHECKIN, {item: 2}, since_infusion=timedelta(days=3)) == ()


@pytest.mark.parametrize("item", ["6", "7", "12"])
@pytest.mark.parametrize(
    ("value", "hours", "found"),
    [
        pytest.param(2, 23.99, [], id="moderate before a day"),
        pytest.param(2, 24, ["urgent"], id="moderate at exactly 24 hours"),
        pytest.param(2, None, ["urgent"], id="moderate, time not known"),
        pytest.param(1, 48, [], id="mild after two days"),
        pytest.param(3, 1, ["urgent"], id="severe at once"),
    ],
)
def test_symptoms_that_should_be_gone_after_a_day(item, value, hours, found):
    since = None if hours is None else timedelta(hours=hours)
    assert [w.level for w in worries(CHECKIN, {item: value}, since_infusion=since)] == found


@pytest.mark.parametrize(
    ("value", "history", "expected"),
    [
        pytest.param(1, [1], "review", id="mild twice"),
        pytest.param(2, [], "review", id="moderate once"),
        pytest.param(2, [1], "review", id="moderate after mild"),
        pytest.param(2, [2], "urgent", id="moderate twice in a row"),
        pytest.param(2, [2, 0], "review", id="moderate twice, not in a row"),
        pytest.param(3, [], "urgent", id="severe"),
    ],
)
def test_urinary_symptoms(value, history, expected):
    (worry,) = worries(CHECKIN, {"11": value})
    assert level(worry, history=history) == expected


def test_craving_is_reviewed_and_declining_to_say_is_not():
    assert [worry.level for worry in worries(CHECKIN, {"13": 1})] == ["review"]
    assert worries(CHECKIN, {"13": 0}) == worries(CHECKIN, {"13": None}) == ()


@pytest.mark.parametrize(("value", "found"), [(2, []), (3, ["review"]), (4, ["review"])])
def test_pcl5_item_16_goes_to_review_not_to_the_crisis_page(value, found):
    raised = worries(instruments.latest("pcl5"), {"16": value})
    assert [worry.level for worry in raised] == found
    assert all(worry.kind == "other" for worry in raised)


def finished(key, answers, **earlier):
    chosen = instruments.latest(key)
    raised = finished_worries(chosen, answers, score(chosen, answers), **earlier)
    return [(worry.rule, worry.level) for worry in raised]


def phq9_of(total, item9=0):
    """A PHQ-9 whose first items make up the rest of the total."""
    answers, left = {"9": item9}, total - item9
    for item in "12345678":
        answers[item] = min(3, left)
        left -= answers[item]
    return answers


@pytest.mark.parametrize(
    ("total", "found"),
    [
        pytest.param(19, [], id="19"),
        pytest.param(20, [("phq-total-severe", "review")], id="exactly 20"),
    ],
)
def test_a_severe_phq9_is_reviewed(total, found):
    assert finished("phq9", phq9_of(total)) == found


@pytest.mark.parametrize(
    ("item9", "total", "baseline", "best", "found"),
    [
        pytest.param(0, 10, "5", None, [("phq-total-rise", "review")], id="exactly 5 up"),
        pytest.param(0, 10, "5.0001", None, [], id="just under 5, exact values"),
        pytest.param(0, 10, "9", "5", [("phq-total-rise", "review")], id="from the best score"),
        pytest.param(0, 10, None, "5", [("phq-total-rise", "review")], id="best only"),
        pytest.param(0, 10, "9", "6", [], id="4 up from the best"),
        pytest.param(1, 10, "5", None, [("phq-total-rise", "urgent")], id="with ideation"),
        pytest.param(1, 9, "5", None, [], id="4 up with ideation"),
        pytest.param(0, 10, None, None, [], id="nothing to compare with"),
        pytest.param(0, 10, "20", None, [], id="better"),
    ],
)
def test_a_rise_of_five_is_reviewed_and_urgent_with_ideation(item9, total, baseline, best, found):
    earlier = {
        name: {"total": Decimal(value)}
        for name, value in (("baseline", baseline), ("best", best))
        if value is not None
    }
    assert finished("phq9", phq9_of(total, item9), **earlier) == found


def test_a_severe_total_does_not_hide_an_urgent_rise():
    risen = {"baseline": {"total": Decimal(10)}}
    assert finished("phq9", phq9_of(21, item9=1), **risen) == [("phq-total-rise", "urgent")]
    assert len(finished("phq9", phq9_of(21), **risen)) == 1


def test_a_rise_compares_exact_totals_not_printed_ones():
    answers = {"1": 2, "2": 2, "3": 2, "4": 2, "5": 1, "6": 1, "7": 1, "8": 1, "9": None}
    assert score(PHQ9, answers)[0].exact == Decimal("13.5")
    assert finished("phq9", answers, baseline={"total": Decimal(9)}) == []
    assert finished("phq9", answers, baseline={"total": Decimal("8.5")}) == [
        ("phq-total-rise", "review")
    ]


def test_phq8_in_place_of_phq9_keeps_the_watch_on_the_total():
    answers = dict.fromkeys("123456", 3) | {"7": 1, "8": 0}
    assert finished("phq8", answers) == []
    assert finished("phq8", answers | {"8": 1}) == [("phq-total-severe", "review")]
    assert finished("phq8", answers, baseline={"total": Decimal(14)}) == [
        ("phq-total-rise", "review")
    ]


def test_no_total_raises_no_total_worry():
    assert finished("phq9", {"1": 3}, baseline={"total": Decimal(0)}) == []


@pytest.mark.parametrize(
    ("value", "found"),
    [
        pytest.param(5, [], id="5"),
        pytest.param(6, [("pgic-worse", "review")], id="exactly 6"),
        pytest.param(7, [("pgic-worse", "review")], id="7"),
    ],
)
def test_a_patient_who_feels_much_worse_is_reviewed(value, found):
    assert finished("pgic", {"1": value}) == found


@pytest.mark.parametrize("key", ["nrs24", "nrs7"])
@pytest.mark.parametrize(
    ("worst", "baseline", "best", "found"),
    [
        pytest.param(9, "6", None, [("pain-worst", "review")], id="exactly 9 and exactly 3 up"),
        pytest.param(8, "2", None, [], id="8 is not bad enough"),
        pytest.param(10, "8", None, [], id="only 2 up"),
        pytest.param(9, "8", "2", [], id="the rise is from baseline, not from the best"),
        pytest.param(9, None, None, [], id="no baseline"),
    ],
)
def test_very_bad_pain_that_rose_is_reviewed(key, worst, baseline, best, found):
    earlier = {
        name: {"worst": Decimal(value)}
        for name, value in (("baseline", baseline), ("best", best))
        if value is not None
    }
    assert finished(key, {"worst": worst}, **earlier) == found


def test_the_highest_level_wins_in_any_order():
    assert highest("review", "critical", "urgent") == "critical"
    assert highest("urgent", "review") == "urgent"
