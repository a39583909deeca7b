"""The aggregations that licensed questionnaires need, on definitions without their wording."""

from decimal import Decimal

import pytest

from surveys.instruments import InvalidInstrument
from surveys.scoring import score
from tests.surveys.builders import instrument, keys, numbered

WORSE = 'higher_is = "worse"\n'


def total(chosen, answers):
    return score(chosen, answers)[0]


def test_who5_is_the_sum_times_four():
    items = numbered(5, range(6))
    chosen = instrument(
        items,
        f'rule = "sum"\nitems = {keys(items)}\nmultiplier = 4\nmax_missing = 0\n'
        'higher_is = "better"\nminimum = 0\nmaximum = 100\n',
    )
    assert total(chosen, dict(zip("12345", [3, 3, 3, 2, 2], strict=True))).value == 52
    assert total(chosen, dict.fromkeys("12345", 5)).value == 100


QIDS = numbered(16, range(4))
GROUPS = (
    '[["1", "2", "3", "4"], ["5"], ["6", "7", "8", "9"], ["10"], ["11"], ["12"], ["13"], '
    '["14"], ["15", "16"]]'
)


def qids():
    return instrument(
        QIDS,
        f'rule = "group_maxima"\nitems = {keys(QIDS)}\ngroups = {GROUPS}\nmax_missing = 0\n'
        f'alternatives = [["6", "7"], ["8", "9"]]\n{WORSE}minimum = 0\nmaximum = 27\n',
    )


def test_qids_adds_the_worst_answer_of_each_domain():
    answers = dict.fromkeys(QIDS, 0) | {"1": 1, "4": 3, "7": 2, "8": 1, "15": 1, "16": 2, "12": 1}
    assert total(qids(), answers).value == 3 + 2 + 2 + 1
    assert total(qids(), dict.fromkeys(QIDS, 3)).value == 27


@pytest.mark.parametrize(
    ("absent", "value", "missing"),
    [
        pytest.param(["6", "9"], 27, 0, id="one of each pair is enough"),
        pytest.param(["6", "7"], None, 1, id="neither of a pair"),
        pytest.param(["6", "7", "8"], None, 1, id="neither of one, one of the other"),
        pytest.param(["5"], None, 1, id="a single item"),
    ],
)
def test_qids_either_or_items(absent, value, missing):
    answers = {item: 3 for item in QIDS if item not in absent}
    found = total(qids(), answers)
    assert (found.value, found.missing) == (value, missing)


FIQR = numbered(21, range(11))


def fiqr():
    function, overall, symptoms = (
        keys({str(n): () for n in numbers})
        for numbers in (range(1, 10), range(10, 12), range(12, 22))
    )
    return instrument(
        FIQR,
        f'rule = "domains"\nitems = {keys(FIQR)}\ngroups = [{function}, {overall}, {symptoms}]\n'
        f'weights = ["1/3", "1", "1/2"]\nmax_missing = 20\n{WORSE}minimum = 0\nmaximum = 100\n',
    )


@pytest.mark.parametrize(
    ("answers", "value", "exact"),
    [
        pytest.param(dict.fromkeys(FIQR, 10), 100, "100", id="most"),
        pytest.param(dict.fromkeys(FIQR, 5), 50, "50", id="half"),
        pytest.param(
            dict.fromkeys(FIQR, 0) | {"1": 10}, 3, "3.3333", id="ten points of function are 10/3"
        ),
        pytest.param(dict.fromkeys(FIQR, 0) | {"10": 10}, 10, "10", id="overall counts whole"),
        pytest.param(dict.fromkeys(FIQR, 0) | {"12": 10}, 5, "5", id="symptoms count half"),
        pytest.param(
            {item: 6 for item in FIQR if item not in ("1", "2", "10", "12")},
            60, "60", id="weights 9/x, 2/x and 10/x",
        ),
        pytest.param(
            {item: 6 for item in FIQR if item not in ("10", "11")},
            None, None, id="a whole domain missing",
        ),
    ],
)  # fmt: skip
def test_fiqr_weighs_its_domains(answers, value, exact):
    found = total(fiqr(), answers)
    assert found.value == value
    assert found.exact == (None if exact is None else Decimal(exact))


DEPRESSION_4A = [
    "41.0", "49.0", "51.8", "53.9", "55.7", "57.3", "58.9", "60.5", "62.2", "63.9", "65.7",
    "67.5", "69.4", "71.2", "73.3", "75.7", "79.4",
]  # fmt: skip


def promis():
    items = numbered(4, range(1, 6))
    table = ", ".join(f'{raw} = "{t}"' for raw, t in enumerate(DEPRESSION_4A, start=4))
    return instrument(
        items,
        f'rule = "lookup"\nitems = {keys(items)}\ntable = {{ {table} }}\nmax_missing = 0\n'
        f"decimals = 1\n{WORSE}minimum = 41.0\nmaximum = 79.4\n",
    )


@pytest.mark.parametrize(
    ("answers", "t_score"), [("1111", "41.0"), ("2111", "49.0"), ("3333", "62.2"), ("5555", "79.4")]
)
def test_promis_looks_up_the_published_t_score(answers, t_score):
    given = {str(n): int(mark) for n, mark in enumerate(answers, start=1)}
    assert total(promis(), given).value == Decimal(t_score)


def test_promis_with_a_missing_answer_has_no_score():
    assert total(promis(), {"1": 1, "2": 1, "3": 1}).value is None


def test_a_table_with_a_hole_is_refused():
    items = {"1": (1, 2)}
    scale = (
        f'rule = "lookup"\nitems = {keys(items)}\ntable = {{ 1 = "40" }}\nmax_missing = 0\n'
        f"{WORSE}minimum = 40\nmaximum = 50\n"
    )
    with pytest.raises(InvalidInstrument, match="each raw sum from 1 to 2"):
        instrument(items, scale)


def test_codes_are_added_not_positions():
    items = numbered(6, (6, 8, 10, 11, 13))
    chosen = instrument(
        items,
        f'rule = "sum"\nitems = {keys(items)}\nmax_missing = 0\n{WORSE}minimum = 36\nmaximum = 78\n'
        'bands = [[36, "little"], [50, "some"], [56, "substantial"], [60, "severe"]]\n',
    )
    found = total(chosen, dict(zip("123456", [6, 8, 10, 11, 13, 8], strict=True)))
    assert (found.value, found.band) == (56, "substantial")


def test_never_drinking_makes_the_rest_zero():
    items = numbered(3, range(5))
    chosen = instrument(
        items,
        f'rule = "sum"\nitems = {keys(items)}\nmax_missing = 0\n{WORSE}minimum = 0\nmaximum = 12\n',
        gates='[[gates]]\nitem = "1"\nitems = ["2", "3"]\n',
    )
    found = total(chosen, {"1": 0})
    assert (found.value, found.missing, found.prorated) == (0, 0, False)
    assert total(chosen, {"1": 1}).value is None
    assert [screen.key for screen in chosen.visible({"1": 0})] == ["1"]
    assert [screen.key for screen in chosen.visible({"1": 2})] == ["1", "2", "3"]


def test_an_item_that_does_not_apply_lowers_the_maximum():
    items = {"1": (*range(9), 99), **{str(n): tuple(range(9)) for n in range(2, 6)}}
    chosen = instrument(
        items,
        f'rule = "sum"\nitems = {keys(items)}\nmax_missing = 0\n{WORSE}minimum = 0\nmaximum = 40\n',
        top="1: not_applicable = 99",
    )
    retired = total(chosen, {"1": 99, "2": 8, "3": 8, "4": 8, "5": 8})
    assert (retired.value, retired.maximum, retired.missing) == (32, 32, 0)
    working = total(chosen, {"1": 8, "2": 8, "3": 8, "4": 8, "5": 8})
    assert (working.value, working.maximum) == (40, 40)
