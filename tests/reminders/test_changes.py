"""One line per thing that moved after it was planned."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from reminders.changes import KEPT, appended, differences, entry, why_moved
from reminders.models import State

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)


def test_an_entry_says_when_what_from_to_and_why():
    later = datetime(2026, 11, 26, 8, tzinfo=ZoneInfo("Europe/Berlin"))
    assert entry(NOW, "due_at", NOW, later, "quiet hours") == {
        "at": "2026-11-25T09:00:00+00:00",
        "field": "due_at",
        "before": "2026-11-25T09:00:00+00:00",
        "after": "2026-11-26T07:00:00+00:00",
        "reason": "quiet hours",
    }


def test_states_and_lists_and_nothing_are_written_as_words():
    assert entry(NOW, "state", None, State.EXPIRED, "")["after"] == "expired"
    assert entry(NOW, "state", None, State.EXPIRED, "")["before"] == ""
    assert entry(NOW, "instruments", ["phq9", "gad7"], ["phq8"], "")["before"] == "phq9, gad7"


def test_appending_leaves_the_old_list_alone_and_keeps_the_last_fifty():
    old = [entry(NOW, "due_at", None, str(n), "") for n in range(KEPT)]
    new = appended(old, entry(NOW, "due_at", None, "new", ""))
    assert (len(old), len(new)) == (KEPT, KEPT)
    assert (new[0]["after"], new[-1]["after"]) == ("1", "new")
    assert appended([], *old) == old


def test_a_line_for_each_field_that_differs_and_for_no_other():
    before = {"state": "planned", "closes_at": NOW}
    lines = differences(NOW, before, {"state": "asked", "closes_at": NOW, "revision": 2}, "why")
    assert [(line["field"], line["after"]) for line in lines] == [("state", "asked")]


@pytest.mark.parametrize(
    ("changed", "state", "reason", "said"),
    [
        (["anchor_at", "target_at"], "planned", "", "what it is counted from was moved"),
        (["reason", "send_at"], "planned", "quiet", "quiet"),
        (["anchor_at", "reason"], "planned", "b", "what it is counted from was moved; b"),
        (["send_at"], "planned", "an old reason", "planned again"),
        (["state"], "cancelled", "withdrawn", "withdrawn"),
        (["state"], "asked", "", "its e-mail went out, or it was begun"),
        (["state"], "expired", "", "planned again"),
        (["instruments"], "planned", "", "what may be asked has changed"),
        (["closes_at"], "planned", "", "its window was moved"),
    ],
)
def test_the_reason_is_the_plans_own_or_the_fact_behind_it(changed, state, reason, said):
    assert why_moved(changed, state, reason) == said
