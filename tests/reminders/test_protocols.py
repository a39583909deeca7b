"""Protocols are read strictly, and refused when they contradict themselves."""

import pytest

from reminders import protocols
from reminders.checks import catalogue_is_sound

SOUND = """
id = "p"
version = "1"
title = "A protocol"
source = "a study"
[[steps]]
id = "S1"
title = "One"
anchor = "last_infusion"
offset_days = 7
send_at = "09:00"
closes_after_hours = 72
instruments = ["peg"]
reminder_days = [1, 2]
"""


def test_the_four_protocols_are_there():
    assert protocols.available() == (
        "chronic-pain",
        "crps-fibromyalgia",
        "depression-induction",
        "maintenance",
    )
    assert catalogue_is_sound() == []


@pytest.mark.parametrize(
    ("protocol", "primary"),
    [("depression-induction", "A4"), ("chronic-pain", "B4"), ("crps-fibromyalgia", "C6")],
)
def test_what_comes_after_the_primary_step_ends_with_a_newer_course(protocol, primary):
    found = protocols.latest(protocol)
    assert [step.id for step in found.steps if step.primary] == [primary]
    after = [step.id for step in found.steps if found.after_primary(step.id)]
    assert after == [step.id for step in found.steps if step.id > primary]


def test_a_protocol_of_ones_own_is_read():
    step = protocols.parse(SOUND).steps[0]
    assert (step.id, step.offset_days, step.reminder_days) == ("S1", 7, (1, 2))


def test_an_unknown_protocol_or_version_is_a_key_error():
    with pytest.raises(KeyError):
        protocols.get("chronic-pain", "1999-01")
    with pytest.raises(KeyError):
        protocols.latest("../catalogue")


TWIN = SOUND[SOUND.index("[[steps]]") :]


def on_day(day: int) -> str:
    """The same step again on another day."""
    return TWIN.replace("S1", "S2").replace("offset_days = 7", f"offset_days = {day}")


@pytest.mark.parametrize(
    ("change", "to", "why"),
    [
        pytest.param('"last_infusion"', '"yesterday"', "anchor must be one of", id="anchor"),
        pytest.param('["peg"]', '["nothing"]', "unknown instrument nothing", id="instrument"),
        pytest.param('["peg"]', '["nrs7:sometimes"]', "unknown instrument", id="subset"),
        pytest.param('["peg"]', "[]", "asks nothing", id="asks nothing"),
        pytest.param("hours = 72", "hours = 0", "must be above 0", id="no window"),
        pytest.param("[1, 2]", "[1, 3]", "after the window", id="reminder at the very close"),
        pytest.param("[1, 2]", "[2, 1]", "must ascend", id="reminders out of order"),
        pytest.param("[1, 2]", "[1, 2, 3]", "more than two", id="a third reminder"),
        pytest.param("[1, 2]", "[0]", "begin on day 1", id="reminder with the invitation"),
        pytest.param('"09:00"', '"nine"', "send_at must be an hour", id="hour"),
        pytest.param('"09:00"', '"at once"', "only enrolment", id="at once after an infusion"),
        pytest.param("= 7", "= -7", "can be preceded", id="before an infusion given"),
        pytest.param("offset_days = 7", "offset_day = 7", "unknown offset_day", id="misspelt"),
        pytest.param('"last_infusion"', '"every"', "every_days", id="every without days"),
        pytest.param("[1, 2]", "[1]\nfinal = true", "only `every`", id="final"),
        pytest.param("[1, 2]", '[1]\ncloses_at = "anchor"', "close its own step", id="closing"),
        pytest.param("[1, 2]", "[1]\nwhen.moon = true", "unknown condition moon", id="condition"),
        pytest.param("[1, 2]", "[1]\nwhen.none_planned = 1", "cannot be 1", id="argument"),
        pytest.param(
            "[1, 2]", '[1]\nwhen.indication_in = ["gout"]', "unknown indication", id="indication"
        ),
        pytest.param(
            "[1, 2]",
            '[1]\nunless.answered_within = {step = "S9", days = 1}',
            "names no step: S9",
            id="a step that is not there",
        ),
        pytest.param("[[steps]]", TWIN + "[[steps]]", "used twice", id="the same step twice"),
        pytest.param(
            "[[steps]]",
            on_day(2) + "[[steps]]",
            "peg again inside its minimum interval",
            id="too close",
        ),
        pytest.param('id = "p"', 'ends_unanswered = "X"\nid = "p"', "names no step", id="ending"),
        pytest.param('id = "p"', "id = p", "Invalid value", id="not TOML"),
    ],
)
def test_a_contradiction_is_refused_by_name(change, to, why):
    with pytest.raises(protocols.InvalidProtocol, match=why):
        protocols.parse(SOUND.replace(change, to, 1))


def test_steps_exactly_the_minimum_interval_apart_are_sound():
    assert len(protocols.parse(SOUND + on_day(13)).steps) == 2  # PEG: six days
    with pytest.raises(protocols.InvalidProtocol, match="minimum interval"):
        protocols.parse(SOUND + on_day(12))


def test_an_overlap_that_is_accepted_needs_a_reason_and_is_then_let_be():
    near = on_day(9)
    with pytest.raises(protocols.InvalidProtocol, match="minimum interval"):
        protocols.parse(SOUND + near)
    accepted = near + 'overlap_accepted = "asked weekly in the trial"\n'
    assert protocols.parse(SOUND + accepted).steps[1].overlap_accepted


def test_a_second_primary_step_is_refused():
    twice = (SOUND + on_day(28)).replace("[1, 2]", "[1, 2]\nprimary = true")
    with pytest.raises(protocols.InvalidProtocol, match="more than one step is primary"):
        protocols.parse(twice)
