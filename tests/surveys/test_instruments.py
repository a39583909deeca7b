"""Reading definitions: screens, subsets, and everything that is refused."""

import pytest

from surveys import instruments
from surveys.instruments import InvalidInstrument, completed, parse, select
from tests.surveys.builders import definition, keys, numbered

SUM = 'rule = "sum"\nhigher_is = "worse"\nmax_missing = 0\n'
THREE = numbered(3, (0, 1, 2))
GOOD = definition(THREE, SUM + f"items = {keys(THREE)}\nminimum = 0\nmaximum = 6\n")


def test_the_sample_that_others_break_is_good():
    assert [item.key for item in parse(GOOD).items] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        pytest.param('kind = "choice"', 'kind = "slider"', "kind must be one of", id="kind"),
        pytest.param('licence = "none"', "", "licence is missing", id="no licence"),
        pytest.param('key = "sample"', "key = 3", "key must be str", id="type"),
        pytest.param('source = "a test"\n\n', 'source = "a test"\nsauce = 1\n',
                     "unknown sauce", id="misspelt"),
        pytest.param("minimum = 0", "minimum = 1", "do not run from 1 to 6", id="minimum"),
        pytest.param("maximum = 6", "maximum = 7", "do not run from 0 to 7", id="maximum"),
        pytest.param("max_missing = 0", "max_missing = 3", "at least one answer", id="missing"),
        pytest.param("max_missing = 0", "max_missing = true", "must be int", id="boolean"),
        pytest.param('rule = "sum"', 'rule = "median"', "unknown rule 'median'", id="rule"),
        pytest.param('items = ["1", "2", "3"]', 'items = ["1", "2", "4"]',
                     "unknown items 4", id="item of a scale"),
        pytest.param('items = ["1", "2", "3"]', 'items = ["1", "2", "2"]',
                     "each once", id="item twice"),
        pytest.param("maximum = 6\n", 'maximum = 6\nbands = [[0, "a"], [4, "b"], [3, "c"]]\n',
                     "bands must ascend", id="bands out of order"),
        pytest.param("maximum = 6\n", 'maximum = 6\nbands = [[0, "a"], [3, "b"], [3, "c"]]\n',
                     "bands must ascend", id="two bands at one value"),
        pytest.param("maximum = 6\n", 'maximum = 6\nbands = [[1, "a"]]\n',
                     "start at the minimum", id="band gap below"),
        pytest.param("maximum = 6\n", 'maximum = 6\nbands = [[0, "a"], [7, "b"]]\n',
                     "above the maximum", id="band above"),
        pytest.param("maximum = 6\n", "maximum = 6\nbands = [3]\n", "not", id="not a band"),
        pytest.param("maximum = 6\n", 'maximum = 6\nloinc = "44261-7"\n',
                     "not a LOINC code", id="LOINC check digit"),
        pytest.param("maximum = 6\n", "maximum = 6\ndecimals = 3\n", "decimals", id="decimals"),
        pytest.param("maximum = 6\n", 'maximum = 6\ngroups = [["1"]]\n',
                     "groups belong", id="groups without their rule"),
        pytest.param("maximum = 6\n", 'maximum = 6\ntable = { 0 = "1" }\n',
                     "a table belongs", id="table without its rule"),
        pytest.param("values = [0, 1, 2]", "values = [0]", "two or more", id="one value"),
        pytest.param("values = [0, 1, 2]", "values = [0, 1, 1]", "different", id="value twice"),
        pytest.param('[[items]]\nkey = "1"', '[[items]]\nkey = "1 a"',
                     "not safe in an address", id="key with a space"),
        pytest.param('1 = "Question 1"\n', "", "no words for 1", id="no words"),
        pytest.param('1 = "Question 1"', '9 = "?"\n1 = "Question 1"', "unknown items 9",
                     id="words too many"),
        pytest.param('{ 0 = "0", 1 = "1", 2 = "2" }', '{ 0 = "0", 1 = "1" }',
                     "choices are not", id="a choice lacking"),
        pytest.param('{ 0 = "0", 1 = "1", 2 = "2" }', '{ 0 = "0", 1 = "1", 2 = "2", 3 = "3" }',
                     "choices are not", id="a choice too many"),
        pytest.param("{ 0 =", "{ none =", "not an answer code", id="a word for a code"),
        pytest.param("reviewed = true", "", "reviewed is missing", id="reviewed"),
        pytest.param('version = "1"', 'version = "1"\nrecall_days = 0', "recall_days", id="recall"),
        pytest.param('version = "1"', 'version = "1"\nmin_interval_hours = 0',
                     "min_interval_hours", id="interval"),
        pytest.param('version = "1"', 'version = "1"\nminimal_change = 0',
                     "minimal_change", id="minimal change"),
        pytest.param('version = "1"', 'version = "1"\nresponse_percent = 101',
                     "response_percent", id="response"),
        pytest.param('version = "1"', 'version = "1"\nremission_below = 7',
                     "remission_below", id="remission"),
        pytest.param("\n[[scales]]", "\n[[findings]\n[[scales]]", "not TOML", id="not TOML"),
    ],
)  # fmt: skip
def test_a_contradiction_is_refused_with_its_place(old, new, complaint):
    assert old in GOOD
    with pytest.raises(InvalidInstrument, match=complaint):
        parse(GOOD.replace(old, new, 1))


@pytest.mark.parametrize(
    ("tables", "complaint"),
    [
        pytest.param('[[findings]]\nkey = "positive"\nscale = "sum"\nat_least = 3\n',
                     "finding positive names an unknown scale", id="finding's scale"),
        pytest.param('[[findings]]\nkey = "positive"\nscale = "total"\nat_least = 0\n',
                     "always or never true", id="a finding that is always true"),
        pytest.param('[[findings]]\nkey = "positive"\nscale = "total"\nat_least = 7\n',
                     "always or never true", id="a finding that is never true"),
        pytest.param('[[findings]]\nkey = "best"\nscale = "total"\nat_most = 6\n',
                     "always or never true", id="at most everything"),
        pytest.param('[[findings]]\nkey = "positive"\nscale = "total"\n',
                     "needs at_least or at_most", id="a finding without a limit"),
        pytest.param('[[watches]]\nname = "w"\nscale = "total"\nlevel = "review"\n',
                     "has no condition", id="a watch without a condition"),
        pytest.param('[[watches]]\nname = "w"\nscale = "total"\nlevel = "alarm"\nat_least = 3\n',
                     "level must be one of", id="a watch's level"),
        pytest.param('[[watches]]\nname = "w"\nscale = "total"\nlevel = "review"\nrise = 3\n',
                     "rise and since", id="a rise since nothing"),
        pytest.param('[[watches]]\nname = "w"\nscale = "total"\nlevel = "urgent"\nat_least = 3\n'
                     'with_item = "1"\nwith_level = "review"\n',
                     "lowers the level", id="a level that falls"),
        pytest.param('[[watches]]\nname = "w"\nscale = "total"\nlevel = "review"\nat_least = 3\n'
                     'with_item = "7"\nwith_level = "urgent"\n',
                     "unknown scale or item", id="a watch's item"),
        pytest.param('[[gates]]\nitem = "1"\nitems = ["9"]\n', "unknown items 9", id="gate"),
        pytest.param('[[gates]]\nitem = "1"\nitems = ["1"]\n', "another item", id="own gate"),
        pytest.param('[[gates]]\nitem = "2"\nitems = ["1"]\n', "later question", id="late gate"),
        pytest.param('[[screens]]\nkey = "a"\nkind = "choice"\nitems = ["1"]\n',
                     "exactly one screen", id="an item without a screen"),
        pytest.param('[[symptom_counts]]\nkey = "s"\nscale = "total"\nsymptom_from = 2\n'
                     'groups = [{ items = ["1"], count = 2 }]\n',
                     "more symptoms than its group", id="too many symptoms"),
    ],
)  # fmt: skip
def test_a_reference_that_leads_nowhere_is_refused(tables, complaint):
    with pytest.raises(InvalidInstrument, match=complaint):
        parse(GOOD.replace("\n[[scales]]", f"\n{tables}\n[[scales]]", 1))


@pytest.mark.parametrize(
    ("safety", "complaint"),
    [
        pytest.param('levels = { 1 = "urgent", 2 = "review" }', "fall while", id="falling"),
        pytest.param('levels = { 1 = "urgent" }', "leaves out a value", id="a hole above"),
        pytest.param("levels = {}", "has no levels", id="no levels"),
        pytest.param('levels = { 1 = "review", 2 = "review", 3 = "review" }',
                     "does not have", id="a value too many"),
        pytest.param('levels = { 2 = "alarm" }', "unknown level 'alarm'", id="unknown level"),
        pytest.param('levels = { 2 = "review" }, repeated = "urgent"',
                     "go together", id="repeated from nothing"),
        pytest.param('levels = { 2 = "review" }, later_levels = { 1 = "review", 2 = "review" }',
                     "go together", id="later than nothing"),
    ],
)  # fmt: skip
def test_a_safety_rule_that_contradicts_itself_is_refused(safety, complaint):
    line = f'safety = {{ name = "s", kind = "other", {safety} }}'
    text = definition(
        THREE, SUM + f"items = {keys(THREE)}\nminimum = 0\nmaximum = 6\n", top=f"2: {line}"
    )
    with pytest.raises(InvalidInstrument, match=complaint):
        parse(text)


def test_two_items_of_one_name_are_refused():
    with pytest.raises(InvalidInstrument, match="two items are called 1"):
        parse(GOOD.replace('[[items]]\nkey = "2"', '[[items]]\nkey = "1"', 1))


def walk(chosen, answers):
    """Answer screen after screen with these answers; what is not named is 0."""
    seen, given = [], {}
    while (screen := chosen.next_screen(given)) is not None:
        seen.append(screen.key)
        given |= completed(
            chosen, screen, {item: answers.get(item, screen.values[0]) for item in screen.items}
        )
    return seen, given


def test_one_question_per_screen_in_printed_order():
    seen, _ = walk(instruments.latest("gad7"), {})
    assert seen == ["1", "2", "3", "4", "5", "6", "7"]


def test_phq9_asks_how_difficult_only_after_a_problem():
    phq9 = instruments.latest("phq9")
    assert walk(phq9, {})[0][-1] == "9"
    assert walk(phq9, {"9": 1})[0][-1] == "10"


def test_a_skipped_question_is_not_asked_again():
    gad2 = instruments.latest("gad2")
    assert gad2.next_screen({"1": None}).key == "2"
    assert gad2.next_screen({"1": None, "2": None}) is None


def test_no_exposure_ends_pcptsd5():
    seen, given = walk(instruments.latest("pcptsd5"), {"exposure": 0})
    assert (seen, given) == (["exposure"], {"exposure": 0})
    assert walk(instruments.latest("pcptsd5"), {"exposure": 1})[0] == [
        "exposure", "1", "2", "3", "4", "5",
    ]  # fmt: skip


def test_skipping_the_exposure_question_hides_the_five():
    assert instruments.latest("pcptsd5").next_screen({"exposure": None}) is None


def test_the_check_in_asks_how_bad_each_ticked_symptom_was():
    checkin = instruments.latest("checkin")
    seen, given = walk(checkin, {"had-1": 1, "1": 2, "had-12": 1, "12": 1})
    assert seen == ["red-flags", "symptoms", "how-bad-1", "how-bad-12", "13"]
    assert (given["1"], given["12"], given["2"], given["11"]) == (2, 1, 0, 0)


def test_none_of_these_means_zero_everywhere():
    checkin = instruments.latest("checkin")
    symptoms = checkin.screen("symptoms")
    given = completed(checkin, symptoms, {})
    assert set(given) == {f"had-{n}" for n in range(1, 13)} | {str(n) for n in range(1, 13)}
    assert set(given.values()) == {0}


def test_a_skipped_screen_of_ticks_implies_nothing():
    checkin = instruments.latest("checkin")
    symptoms = checkin.screen("symptoms")
    skipped = dict.fromkeys(symptoms.items)
    assert completed(checkin, symptoms, skipped) == skipped


def test_ticking_a_symptom_later_asks_for_its_severity():
    checkin = instruments.latest("checkin")
    symptoms = checkin.screen("symptoms")
    given = dict.fromkeys(checkin.screen("red-flags").items, 0) | completed(checkin, symptoms, {})
    assert checkin.next_screen(given).key == "13"
    given |= completed(checkin, symptoms, {"had-4": 1})
    assert checkin.next_screen(given).key == "how-bad-4"


def test_unticking_a_symptom_takes_its_severity_back():
    checkin = instruments.latest("checkin")
    symptoms = checkin.screen("symptoms")
    given = completed(checkin, symptoms, {"had-4": 1}) | {"4": 3}
    given |= completed(checkin, symptoms, {})
    assert given["4"] == 0


def test_a_severity_screen_offers_mild_to_severe():
    checkin = instruments.latest("checkin")
    screen = checkin.screen("how-bad-1")
    assert (screen.kind, screen.values, screen.shown_if) == ("severity", (1, 2, 3), "had-1")
    words = checkin.wording["en"].choices["1"]
    assert [words[value] for value in screen.values] == ["Mild", "Moderate", "Severe"]
    assert checkin.wording["en"].items["1"] == "Nausea or vomiting"


def test_what_was_asked_is_what_was_visible():
    phq9 = instruments.latest("phq9")
    assert phq9.asked({}) == {str(n) for n in range(1, 10)}
    assert "10" in phq9.asked({"1": 1})


def test_the_short_check_in_asks_three_symptoms():
    short = instruments.latest("checkin-short")
    assert short.screen("symptoms").items == ("had-1", "had-2", "had-3")
    for item in short.items:
        assert (
            short.wording["en"].items[item.key]
            == (instruments.latest("checkin").wording["en"].items[item.key])
        )


@pytest.mark.parametrize("key", [key for key, _ in instruments.available()])
def test_every_screen_can_be_reached_and_shown(key):
    chosen = instruments.latest(key)
    answers = {item.key: max(item.values) for item in chosen.items}
    seen, _ = walk(chosen, answers)
    assert seen == [screen.key for screen in chosen.screens]
    for wording in chosen.wording.values():
        for screen in chosen.screens:
            if screen.kind == "ticks":
                assert wording.screens[screen.key]
                assert wording.none_of_these
            for item in set(screen.items) & set(wording.items):
                assert all(wording.choices[item][value] for value in screen.values)
                assert (item in wording.low) == (screen.kind == "scale")


def test_a_subset_keeps_key_version_and_text():
    whole, part = instruments.latest("nrs24"), instruments.named("nrs24:average,worst")
    assert [item.key for item in part.items] == ["average", "worst"]
    assert [scale.key for scale in part.scales] == ["average", "worst"]
    assert [screen.key for screen in part.screens] == ["average", "worst"]
    assert [watch.name for watch in part.watches] == ["pain-worst"]
    assert (part.key, part.version, part.sha256) == (whole.key, whole.version, whole.sha256)
    assert instruments.named("nrs24:average").watches == ()


def test_a_subset_is_in_printed_order_whatever_the_order_asked():
    assert instruments.named("nrs7:worst,average") == instruments.named("nrs7:average,worst")


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("nrs24:best", "no item best"),
        ("phq9:1,2", "cannot be cut"),
        ("nrs24:", "does not name"),
        ("nrs24:average,", "does not name"),
        (":average", "does not name"),
        ("", "does not name"),
        ("nosuch", "no instrument 'nosuch'"),
    ],
)
def test_a_subset_that_makes_no_scale_is_refused(name, complaint):
    with pytest.raises(InvalidInstrument, match=complaint):
        instruments.named(name)


def test_an_empty_subset_is_refused():
    with pytest.raises(InvalidInstrument):
        select(instruments.latest("nrs24"), [])
