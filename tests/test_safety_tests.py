"""docs/safety-tests.md names the tests of twenty promises, and tests/sabotage/safety.toml takes the
safeguard of each away. `./dev test safeguards` does it; here both are kept true."""

from devtools import safeguards
from devtools.processes import ROOT
from tests.guards import registers

PAGE = ROOT / "docs" / "safety-tests.md"
TWENTY = range(1, 21)


def test_each_promise_has_its_row_in_order_and_names_a_test():
    rows = registers.rows(PAGE)
    assert list(rows) == list(TWENTY)
    assert [number for number, cells in rows.items() if not registers.NAMED.search(cells)] == []


def test_each_test_that_is_named_exists():
    assert registers.missing(registers.rows(PAGE)) == []


def test_each_promise_has_a_safeguard_to_take_away_and_its_row_names_the_test():
    rows, listed = registers.rows(PAGE), safeguards.listed()
    assert {each.number for each in listed} == set(TWENTY)
    assert [each.number for each in listed if f"`{each.test}`" not in rows[each.number]] == []


def test_what_is_taken_away_stands_exactly_once_and_is_changed():
    assert [each.without for each in safeguards.listed() if each.times() != 1] == []
    assert [each.without for each in safeguards.listed() if each.text == each.becomes] == []


def test_numbers_that_are_none_are_refused(capsys):
    for wrong in (["21"], ["first"], ["1", "0"]):
        assert safeguards.main(wrong) == 2
    assert "usage" in capsys.readouterr().err
