"""The sentence above a chart is made of the chart's own numbers."""

from decimal import Decimal

import pytest

from dashboards import words
from dashboards.rows import Definitions, Standing, lost_again
from surveys import instruments
from surveys.change import change
from tests.dashboards.samples import CHICAGO, HALF, point


def said(baseline: str | None, latest: str, band: str = "", key: str = "phq9") -> str:
    instrument = instruments.latest(key)
    defined = Definitions(
        instrument.response_percent, instrument.remission_below, instrument.minimal_change
    )
    start = None if baseline is None else point(0, baseline)
    since = None if start is None else change(instrument, start.exact, Decimal(latest))
    title = instrument.wording["en"].title
    return words.standing(Standing(title, point(66, latest, band), start, since, defined), CHICAGO)


@pytest.mark.parametrize(
    ("baseline", "latest", "band", "sentence"),
    [
        pytest.param(
            "22",
            "9",
            "mild",
            "PHQ-9 9 (mild) on 12 Mar 2026, down 13 from baseline 22: response, not remission.",
            id="response",
        ),
        pytest.param(
            "22",
            "11",
            "moderate",
            "PHQ-9 11 (moderate) on 12 Mar 2026, down 11 from baseline 22: "
            "response, not remission.",
            id="exactly half is a response",
        ),
        pytest.param(
            "22",
            "12",
            "moderate",
            "PHQ-9 12 (moderate) on 12 Mar 2026, down 10 from baseline 22: "
            "better by at least 5, no response yet.",
            id="one less than half is not",
        ),
        pytest.param(
            "22",
            "4",
            "minimal",
            "PHQ-9 4 (minimal) on 12 Mar 2026, down 18 from baseline 22: response and remission.",
            id="both",
        ),
        pytest.param(
            "6",
            "4",
            "minimal",
            "PHQ-9 4 (minimal) on 12 Mar 2026, down 2 from baseline 6: remission, not response.",
            id="remission from a low baseline",
        ),
        pytest.param(
            "12",
            "17",
            "moderately severe",
            "PHQ-9 17 (moderately severe) on 12 Mar 2026, up 5 from baseline 12: "
            "worse by at least 5.",
            id="worse",
        ),
        pytest.param(
            "12",
            "12",
            "moderate",
            "PHQ-9 12 (moderate) on 12 Mar 2026, the same as baseline 12: no change of 5 or more.",
            id="the same",
        ),
        pytest.param(
            None, "9", "mild", "PHQ-9 9 (mild) on 12 Mar 2026, no baseline.", id="no baseline"
        ),
    ],
)
def test_the_sentence(baseline, latest, band, sentence):
    assert said(baseline, latest, band) == sentence


def test_an_instrument_without_bands_or_remission_claims_neither():
    assert (
        said("8.0", "5.6", key="peg")
        == "PEG 5.6 on 12 Mar 2026, down 2.4 from baseline 8.0: response."
    )


def test_an_instrument_without_thresholds_gives_no_verdict():
    assert said("3", "7", key="mood") == "Mood 0-10 7 on 12 Mar 2026."


def test_the_baseline_itself_is_called_so():
    only = point(0, "22", "severe")
    now = Standing("PHQ-9", only, only, None, HALF)
    assert words.standing(now, CHICAGO) == "PHQ-9 22 (severe) on 5 Jan 2026, the baseline."


def test_definitions_are_printed_with_the_instruments_own_thresholds():
    assert words.definitions(HALF) == [
        "Response: at least 50% better than baseline.",
        "Remission: below 5.",
        "A change that matters: 5 points or more.",
    ]


def test_infusions_so_far():
    assert words.infusions_so_far(4, 6) == "4 of 6 infusions."
    assert words.infusions_so_far(1, None) == "1 infusion."


def test_the_line_where_a_response_begins_is_never_named_above_itself():
    assert words.line_name("response", Decimal("4.4333")) == "response ≤ 4.4"
    assert words.line_name("response", Decimal("7.5")) == "response ≤ 7.5"
    assert words.line_name("baseline", Decimal("22")) == "baseline 22"


@pytest.mark.parametrize(
    ("latest", "ending"),
    [
        pytest.param(
            "12", "down 10 from baseline 22: up 8 from the best, 4 on 4 Feb 2026.", id="lost"
        ),
        pytest.param(
            "9",
            "down 13 from baseline 22: response, not remission; "
            "up 5 from the best, 4 on 4 Feb 2026.",
            id="still a response, but no longer what it was",
        ),
        pytest.param("8", "down 14 from baseline 22: response, not remission.", id="not by enough"),
    ],
)
def test_what_was_gained_and_lost_again_is_said(latest, ending):
    start, best, now = point(0, "22"), point(30, "4"), point(66, latest)
    since = change(instruments.latest("phq9"), start.exact, now.exact)
    found = lost_again([start, best, now], start, HALF)
    sentence = words.standing(Standing("PHQ-9", now, start, since, HALF, found), CHICAGO)
    assert sentence == f"PHQ-9 {latest} on 12 Mar 2026, {ending}"


def test_a_baseline_is_never_the_best_of_its_own_course():
    start = point(0, "4")
    assert lost_again([start, point(30, "12")], start, HALF) is None


@pytest.mark.parametrize(
    ("at_least", "rise", "said"),
    [
        pytest.param(20, None, "PHQ-9 score 21: 20 or more", id="high"),
        pytest.param(None, 5, "PHQ-9 score 21: worse by 5 or more", id="worse"),
        pytest.param(9, 3, "PHQ-9 score 21: 9 or more, worse by 3 or more", id="both"),
    ],
)
def test_a_score_that_needs_a_person_says_why(at_least, rise, said):
    assert words.score_alert("PHQ-9", "21", at_least=at_least, rise=rise) == said
