"""What is done next about an alert, and what it cannot end without: tables, without a database."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from surveys.case import Case, Contact, Do, next_step
from surveys.closing import Closing, Lack, lack, needs_a_second

NOW = datetime(2026, 3, 3, 15, 0, tzinfo=UTC)
TODAY = date(2026, 3, 3)
MINUTE = timedelta(minutes=1)
VAIN = Contact(NOW, "phone", "no_answer")
SPOKE = Contact(NOW, "phone", "reached")
SISTER = Contact(NOW, "trusted", "reached")
OPEN = Case("critical", NOW)
TAKEN = replace(OPEN, taken_at=NOW + 5 * MINUTE)
END = Closing("spoke", "Agreed.", "no_change", "cssrs", "low", TODAY)


@pytest.mark.parametrize(
    ("case", "do"),
    [
        pytest.param(OPEN, Do.TAKE, id="nobody has it"),
        pytest.param(TAKEN, Do.CALL, id="taken"),
        pytest.param(replace(TAKEN, is_offered=True), Do.ACCEPT, id="handed over"),
        pytest.param(replace(TAKEN, contacts=(VAIN,)), Do.CALL_AGAIN, id="one call in vain"),
        pytest.param(replace(TAKEN, contacts=(VAIN, VAIN)), Do.CALL_TRUSTED, id="two in vain"),
        pytest.param(replace(TAKEN, contacts=(SISTER,)), Do.CALL_AGAIN, id="only the sister"),
        pytest.param(replace(TAKEN, contacts=(VAIN, VAIN, SISTER)), Do.DECIDE, id="and the sister"),
        pytest.param(replace(TAKEN, contacts=(VAIN, VAIN, SPOKE)), Do.CLOSE, id="reached"),
        pytest.param(replace(TAKEN, is_closing=True), Do.CONFIRM, id="to be agreed to"),
        pytest.param(replace(TAKEN, is_closed=True), Do.NOTHING, id="closed"),
    ],
)
def test_one_thing_is_next(case, do):
    assert next_step(case).do is do


@pytest.mark.parametrize(
    ("level", "take", "call"), [("critical", 15, 30), ("urgent", 60, 240), ("review", 1440, 1440)]
)
def test_how_soon(level, take, call):
    assert next_step(replace(OPEN, level=level)).due_at == NOW + take * MINUTE
    taken = replace(TAKEN, level=level)
    assert next_step(taken).due_at == NOW + (5 + call) * MINUTE
    again = replace(taken, reopened_at=NOW + timedelta(days=1))
    assert next_step(again).due_at == NOW + timedelta(days=1) + call * MINUTE


REACHED = replace(TAKEN, contacts=(SPOKE,))
UNREACHED = replace(TAKEN, contacts=(VAIN, VAIN))


@pytest.mark.parametrize(
    ("changes", "case", "lacks"),
    [
        pytest.param({}, REACHED, None, id="nothing"),
        pytest.param({"note": "  "}, REACHED, Lack.NOTE, id="words"),
        pytest.param({"plan": ""}, REACHED, Lack.PLAN, id="a plan"),
        pytest.param({}, UNREACHED, Lack.CONTACT, id="spoke with whom nobody reached"),
        pytest.param({"outcome": "seen"}, TAKEN, Lack.CONTACT, id="seen, and no contact"),
        pytest.param({"outcome": "not_reached"}, REACHED, Lack.REACHED, id="was reached"),
        pytest.param({"outcome": "not_reached"}, TAKEN, Lack.TRIES, id="nobody tried"),
        pytest.param(
            {"outcome": "not_reached"}, replace(TAKEN, contacts=(VAIN,)), Lack.TRIES, id="one try"
        ),
        pytest.param(
            {"outcome": "not_reached", "assessed_with": "none"}, UNREACHED, None, id="two tries"
        ),
        pytest.param({"assessed_with": ""}, REACHED, Lack.ASSESSED, id="an assessment"),
        pytest.param({"found": ""}, REACHED, Lack.FOUND, id="its level"),
        pytest.param(
            {"assessed_with": "none"}, REACHED, Lack.CRITICAL_NOT_ASSESSED, id="critical, none"
        ),
        pytest.param(
            {"assessed_with": "none"}, replace(REACHED, level="urgent"), None, id="urgent, none"
        ),
        pytest.param({"next_contact_on": None}, REACHED, Lack.NEXT_CONTACT, id="next contact"),
        pytest.param(
            {"next_contact_on": TODAY - timedelta(days=1)},
            REACHED,
            Lack.NEXT_CONTACT_PAST,
            id="yesterday",
        ),
        pytest.param({"next_contact_on": TODAY + timedelta(days=366)}, REACHED, None, id="a year"),
        pytest.param(
            {"next_contact_on": TODAY + timedelta(days=367)},
            REACHED,
            Lack.NEXT_CONTACT_FAR,
            id="a slip of the year",
        ),
    ],
)
def test_what_an_end_lacks(changes, case, lacks):
    assert lack(replace(END, **changes), case, today=TODAY) is lacks


def test_nobody_is_to_call_a_patient_who_died():
    assert lack(replace(END, next_contact_on=None), REACHED, today=TODAY, has_died=True) is None


@pytest.mark.parametrize(
    ("case", "second"),
    [
        (UNREACHED, True),
        (TAKEN, True),
        (replace(TAKEN, contacts=(SISTER,)), True),
        (REACHED, False),
        (replace(UNREACHED, level="urgent"), False),
    ],
)
def test_a_critical_one_without_contact_needs_a_second_person(case, second):
    assert needs_a_second(case) is second
