"""The built-in catalogue: exact wording, codes, intervals, languages."""

import hashlib
import json
from datetime import timedelta
from pathlib import Path

import pytest

from surveys import checks, instruments

WORDING = json.loads((Path(__file__).parent / "vectors/wording.json").read_text())
KEYS = [
    "checkin", "checkin-short", "gad2", "gad7", "mood", "nrs24", "nrs7", "pcl5", "pcptsd5",
    "peg", "pgic", "phq2", "phq8", "phq9",
]  # fmt: skip


def test_the_catalogue_holds_these_fourteen():
    assert sorted({key for key, _ in instruments.available()}) == KEYS


@pytest.mark.parametrize("name", WORDING)
def test_wording_is_word_for_word_the_published_one(name):
    key, language = name.split(".")
    wording = instruments.latest(key).wording[language]
    published = WORDING[name]
    assert dict(wording.items) == published["items"]
    assert wording.stem == published["stem"]
    if "intro" in published:
        assert wording.intro == published["intro"]
    if "attribution" in published:
        assert wording.attribution == published["attribution"]
    if "low" in published:
        assert dict(wording.low) == published["low"]
        assert dict(wording.high) == published["high"]


@pytest.mark.parametrize("name", [name for name in WORDING if "options" in WORDING[name]])
def test_answers_stand_in_the_published_words_and_order(name):
    key, language = name.split(".")
    wording = instruments.latest(key).wording[language]
    for item in wording.items:
        options = "options10" if (key, item) == ("phq9", "10") else "options"
        assert list(wording.choices[item].values()) == WORDING[name][options]


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(
    ("key", "whole", "count"), [("phq8", "phq9", 8), ("phq2", "phq9", 2), ("gad2", "gad7", 2)]
)
def test_short_forms_carry_the_same_words_and_codes(key, whole, count, language):
    short, long = instruments.latest(key), instruments.latest(whole)
    assert [item.key for item in short.items] == [str(n) for n in range(1, count + 1)]
    for item in short.items:
        same = long.item(item.key)
        assert (item.loinc, item.values) == (same.loinc, same.values)
        for words in ("items", "stems", "choices"):
            short_words = getattr(short.wording[language], words)
            assert short_words[item.key] == getattr(long.wording[language], words)[item.key]


def test_dashes_are_those_of_each_language():
    phq9 = instruments.latest("phq9")
    assert phq9.wording["en"].items["6"].count(" — ") == 1
    assert phq9.wording["es"].items["6"].count(" – ") == 1
    assert "—" not in "".join(phq9.wording["es"].items.values())


def test_the_lowest_gad7_answer_is_not_at_all():
    assert instruments.latest("gad7").wording["en"].choices["1"][0] == "Not at all"


@pytest.mark.parametrize("key", ["phq9", "pcptsd5"])
def test_a_stem_does_not_stand_above_a_question_that_carries_its_own(key):
    wording = instruments.latest(key).wording["en"]
    own = {"phq9": "10", "pcptsd5": "exposure"}[key]
    assert wording.stems[own] == ""
    assert wording.stems["1"] == wording.stem != ""


PAIN = "On a scale from 0 to 10, where 0 is no pain and 10 is the worst pain imaginable, "


@pytest.mark.parametrize(
    ("key", "recall"), [("nrs24", "in the past 24 hours"), ("nrs7", "in the past 7 days")]
)
def test_pain_ratings_say_their_recall(key, recall):
    words = instruments.latest(key).wording["en"]
    ask = PAIN + "what number best describes your pain "
    assert dict(words.items) == {
        "average": f"{ask}on average {recall}?",
        "worst": f"{ask}at its worst {recall}?",
        "least": f"{ask}at its least {recall}?",
        "now": f"{ask}right now?",
    }
    assert (words.low["now"], words.high["now"]) == ("No pain", "Worst pain imaginable")


def test_pgic_is_the_form_where_1_is_best_with_its_one_substitution():
    pgic = instruments.latest("pgic")
    assert pgic.form == "pgic-farrar-7"
    assert pgic.wording["en"].choices["1"][1] == "Very Much Improved"
    (change,) = pgic.substitutions
    assert (change.original, change.replacement) == ("the study", "treatment at this clinic")
    assert change.replacement in pgic.wording["en"].items["1"]


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("key", "recall", "interval"),
    [
        ("phq9", 14, 7 * 24 * HOUR), ("phq8", 14, 7 * 24 * HOUR), ("gad7", 14, 7 * 24 * HOUR),
        ("phq2", 14, 3 * 24 * HOUR), ("gad2", 14, 3 * 24 * HOUR), ("peg", 7, 6 * 24 * HOUR),
        ("nrs24", 1, 20 * HOUR), ("nrs7", 7, 6 * 24 * HOUR), ("pgic", None, 7 * 24 * HOUR),
        ("pcptsd5", 30, 180 * 24 * HOUR), ("pcl5", 30, 28 * 24 * HOUR),
        ("checkin", None, None), ("checkin-short", None, None), ("mood", None, None),
    ],
)  # fmt: skip
def test_recall_and_minimum_interval(key, recall, interval):
    chosen = instruments.latest(key)
    assert (chosen.recall_days, chosen.min_interval) == (recall, interval)


PHQ_BANDS = [
    (0, "minimal"), (5, "mild"), (10, "moderate"), (15, "moderately severe"), (20, "severe"),
]  # fmt: skip
PAIN_BANDS = [(0, "none"), (1, "mild"), (4, "moderate"), (7, "severe")]


@pytest.mark.parametrize(
    ("key", "minimal", "response", "remission", "cut", "missing", "bands"),
    [
        ("phq9", 5, 50, 5, 10, 2, PHQ_BANDS),
        ("phq8", 5, 50, 5, 10, 1, PHQ_BANDS),
        ("phq2", None, None, None, 3, 0, []),
        ("gad7", 4, 50, 5, 10, 1, [(0, "minimal"), (5, "mild"), (10, "moderate"), (15, "severe")]),
        ("gad2", None, None, None, 3, 0, []),
        ("peg", 1, 30, None, None, 0, []),
        ("nrs24", 2, 30, None, None, 0, PAIN_BANDS),
        ("nrs7", 2, 30, None, None, 0, PAIN_BANDS),
        ("pgic", None, None, None, None, 0, []),
        ("pcptsd5", None, None, None, 4, 0, []),
        ("pcl5", 10, None, None, 33, 0, []),
        ("mood", None, None, None, None, 0, []),
    ],
)
def test_thresholds_are_the_published_ones(key, minimal, response, remission, cut, missing, bands):
    chosen = instruments.latest(key)
    assert chosen.minimal_change == minimal
    assert (chosen.response_percent, chosen.remission_below) == (response, remission)
    assert chosen.scales[0].cut == cut
    for scale in chosen.scales:
        assert (scale.max_missing, list(scale.bands)) == (missing, bands)


def test_the_craving_question_may_be_declined_in_both_languages():
    checkin = instruments.latest("checkin")
    assert [item.key for item in checkin.items if item.may_decline] == ["13"]
    assert checkin.wording["en"].declines == {"13": "Prefer not to answer"}
    assert checkin.wording["es"].declines == {"13": "Prefiero no responder"}


LOINC = {
    "phq9": ("44249-1", "44261-6", ["44250-9", "44255-8", "44259-0", "44254-1", "44251-7",
             "44258-2", "44252-5", "44253-3", "44260-8", "69722-7"]),
    "phq8": (None, None, ["44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2",
             "44252-5", "44253-3"]),
    "phq2": ("55757-9", "55758-7", ["44250-9", "44255-8"]),
    "gad7": ("69737-5", "70274-6", ["69725-0", "68509-9", "69733-4", "69734-2", "69735-9",
             "69689-8", "69736-7"]),
    "gad2": (None, None, ["69725-0", "68509-9"]),
    "peg": ("91148-7", "91147-9", ["75893-8", "91145-3", "91146-1"]),
    "nrs7": (None, None, ["75893-8", None, None, None]),
    "nrs24": (None, None, [None] * 4),
    "pgic": (None, None, [None]),
    "pcptsd5": (None, None, [None] * 6),
    "pcl5": ("101697-1", "101698-9", [None] * 20),
}  # fmt: skip


@pytest.mark.parametrize("key", LOINC)
def test_loinc_codes_are_the_confirmed_ones_and_null_elsewhere(key):
    chosen = instruments.latest(key)
    panel, total, items = LOINC[key]
    assert (chosen.loinc_panel, chosen.scales[0].loinc) == (panel, total)
    assert [item.loinc for item in chosen.items] == items


def test_phq9_answers_carry_their_codes():
    phq9 = instruments.latest("phq9")
    often = {0: "LA6568-5", 1: "LA6569-3", 2: "LA6570-1", 3: "LA6571-9"}
    difficult = {0: "LA6572-7", 1: "LA6573-5", 2: "LA6575-0", 3: "LA6574-3"}
    assert all(phq9.item(str(number)).answer_loinc == often for number in range(1, 10))
    assert phq9.item("10").answer_loinc == difficult


@pytest.mark.parametrize(
    ("name", "switched_on", "spanish"),
    [
        ("phq9", [], True), ("phq8", [], True), ("phq2", [], True),
        ("gad7", [], False), ("gad7", ["gad7"], True), ("gad7", ["gad2"], False),
        ("gad2", ["gad2"], True), ("peg", ["peg"], False), ("pgic", ["pgic"], False),
        ("pcl5", [], False), ("pcptsd5", [], False), ("nrs24:average", ["nrs24"], False),
        ("nrs7", ["nrs7"], False), ("nrs7:average", [], True), ("nrs7:average,worst", [], True),
        ("nrs7:average,worst,least", [], False),
        ("checkin", [], True), ("checkin-short", [], True), ("mood", [], True),
    ],
)  # fmt: skip
def test_what_is_offered_in_spanish(name, switched_on, spanish):
    chosen = instruments.named(name)
    assert instruments.offered(chosen, "es", switched_on=frozenset(switched_on)) is spanish


@pytest.mark.parametrize("key", KEYS)
def test_everything_is_offered_in_english_and_nothing_in_french(key):
    chosen = instruments.latest(key)
    assert instruments.offered(chosen, "en")
    assert not instruments.offered(chosen, "fr", switched_on=frozenset([key]))


@pytest.mark.parametrize("key", ["checkin", "checkin-short", "mood", "gad7", "gad2"])
def test_spanish_that_nobody_has_signed_says_so(key):
    assert instruments.latest(key).wording["es"].reviewed is False


def test_the_hash_is_of_the_file():
    for key, version in instruments.available():
        path = Path(instruments.library.CATALOGUE) / key / f"{version}.toml"
        chosen = instruments.get(key, version)
        assert chosen.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert chosen.text == path.read_text()


def test_an_unknown_key_or_version_is_refused():
    with pytest.raises(instruments.InvalidInstrument, match="no instrument 'phq99'"):
        instruments.latest("phq99")
    with pytest.raises(instruments.InvalidInstrument, match="'1999-01'"):
        instruments.get("phq9", "1999-01")


def test_the_deploy_check_finds_nothing():
    assert checks.catalogue_is_sound() == []


def test_the_deploy_check_names_a_broken_definition(tmp_path, monkeypatch):
    broken = instruments.latest("phq9").text.replace("max_missing = 2", "max_missing = 9")
    (tmp_path / "phq9").mkdir()
    (tmp_path / "phq9/2026-11.toml").write_text(broken)
    (tmp_path / "gad9").mkdir()
    (tmp_path / "gad9/2026-11.toml").write_text(instruments.latest("gad7").text)
    monkeypatch.setattr(instruments.library, "CATALOGUE", tmp_path)
    forget_the_catalogue()
    try:
        messages = [error.msg for error in checks.catalogue_is_sound()]
    finally:
        forget_the_catalogue()
    assert [message.split(":")[0] for message in messages] == [
        "gad9/2026-11.toml", "phq9/2026-11.toml",
    ]  # fmt: skip
    assert "max_missing" in messages[1]


def test_the_latest_version_is_the_newest(tmp_path, monkeypatch):
    text = instruments.latest("phq2").text
    (tmp_path / "phq2").mkdir()
    for version in ("2026-11", "2027-02"):
        (tmp_path / f"phq2/{version}.toml").write_text(text.replace("2026-11", version))
    monkeypatch.setattr(instruments.library, "CATALOGUE", tmp_path)
    forget_the_catalogue()
    try:
        assert instruments.latest("phq2").version == "2027-02"
        assert instruments.get("phq2", "2026-11").version == "2026-11"
    finally:
        forget_the_catalogue()


def forget_the_catalogue():
    for cached in (instruments.library._files, instruments.get, instruments.latest):
        cached.cache_clear()
