"""When an alert goes on to further people: a table, without a database."""

from datetime import UTC, datetime, timedelta

import pytest

from surveys.escalation import EVERYBODY, due, reach

RAISED = datetime(2026, 3, 3, 15, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def after(level: str, minutes: float) -> list[tuple[str, int]]:
    return [(step.reason, step.n) for step in due(level, RAISED, RAISED + minutes * MINUTE)]


@pytest.mark.parametrize(
    ("level", "minutes", "beyond"),
    [
        ("critical", 14.99, 0),
        ("critical", 15, 1),
        ("critical", 30, 3),
        ("critical", 60, EVERYBODY),
        ("urgent", 59.99, 0),
        ("urgent", 60, 1),
        ("urgent", 120, 2),
        ("urgent", 719.99, 2),
        ("urgent", 720, EVERYBODY),
        ("review", 1439.99, 0),
        ("review", 1440, 1),
        ("review", 2880, EVERYBODY),
    ],
)
def test_how_far_it_has_gone(level, minutes, beyond):
    assert reach(level, after(level, minutes)) == beyond


@pytest.mark.parametrize(("level", "comes"), [("critical", 1), ("urgent", 1), ("review", 0)])
def test_after_twelve_hours_it_is_an_incident(level, comes):
    assert after(level, 719.99).count(("incident", 1)) == 0
    assert after(level, 720).count(("incident", 1)) == comes


def test_each_step_knows_when_it_was_due_however_late_it_is_taken():
    steps = due("critical", RAISED, RAISED + timedelta(hours=2))
    assert [step.at for step in steps] == [RAISED + n * MINUTE for n in (15, 30, 60)]


def test_nothing_is_due_before_the_alert_by_a_clock_that_is_behind():
    assert due("critical", RAISED, RAISED - MINUTE) == []


def test_a_lost_mail_reaches_nobody_further_by_itself():
    assert reach("critical", [("not_delivered", 1)]) == 0


def test_a_step_of_a_lower_level_counts_as_far_as_the_higher_one_goes():
    assert reach("review", [("untaken", 3)]) == EVERYBODY
