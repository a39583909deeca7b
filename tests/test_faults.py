"""docs/faults.md names a test, or a reason, for each fault. What it names must be there."""

from devtools.processes import ROOT
from tests.guards import registers
from tests.guards.registers import NAMED, functions

PAGE = ROOT / "docs" / "faults.md"
CASES = range(1, 26)
NOT_TRIED = "**Not tried:**"


def rows() -> dict[int, str]:
    return registers.rows(PAGE)


def test_each_fault_has_its_row_in_order():
    assert list(rows()) == list(CASES)


def test_each_row_names_a_test_and_says_why_where_something_is_left_out():
    for number, cells in rows().items():
        named, _, reason = cells.rpartition(" | ")[2].partition(NOT_TRIED)
        assert NAMED.search(named), number
        assert NOT_TRIED not in cells or len(reason.split()) > 8, number


def test_each_test_that_is_named_exists():
    assert registers.missing(rows()) == []


def test_each_test_of_a_fault_is_named():
    here = ROOT / "tests" / "reminders" / "faults"
    written = {
        name
        for path in here.glob("test_*.py")
        for name in functions(str(path.relative_to(ROOT)))
        if name.startswith("test_")
    }
    assert written - {name for _, name in NAMED.findall(PAGE.read_text())} == set()
