"""`manage.py score`: each sentence of its contract, and any input at all."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.score_lines import score_line

ROOT = Path(__file__).parents[2]
VERSION = "2026-11"


def answer(request):
    text, scored = score_line(json.dumps(request).encode())
    assert scored == ("error" not in json.loads(text))
    return json.loads(text)


def scored(instrument, answers):
    return answer({"instrument": instrument, "answers": answers})


def test_the_whole_answer_to_a_phq9():
    answers = {"1": 2, "2": 2, "3": 2, "4": 2, "5": 1, "6": 1, "7": 1, "9": 1, "10": 3}
    assert scored("phq9", answers) == {
        "instrument": "phq9",
        "version": VERSION,
        "scales": {
            "total": {
                "value": 14, "exact": 13.5, "band": "moderate", "missing": 1, "prorated": True,
            }
        },
        "findings": {"positive": True},
        "safety": [{"item": "9", "value": 1, "level": "review"}],
    }  # fmt: skip


def test_names_stand_in_the_documented_order():
    text, _ = score_line(b'{"instrument": "phq9", "answers": {}}')
    assert list(json.loads(text)) == ["instrument", "version", "scales", "findings", "safety"]


def test_sums_are_printed_as_integers_and_peg_with_one_decimal():
    text, _ = score_line(b'{"instrument": "peg", "answers": {"1": 5, "2": 5, "3": 5}}')
    assert '"value": 5.0, "exact": 5,' in text
    text, _ = score_line(b'{"instrument": "nrs", "answers": {"1": 5}}')
    assert '"value": 5, "exact": 5,' in text


@pytest.mark.parametrize(
    ("instrument", "missing", "safety"),
    [
        ("phq9", 9, [{"item": "9", "value": None, "level": "not_answered"}]),
        ("phq8", 8, []), ("phq2", 2, []), ("gad7", 7, []), ("gad2", 2, []), ("peg", 3, []),
        ("nrs", 1, []), ("pgic", 1, []), ("pcptsd5", 5, []), ("pcl5", 20, []),
    ],
)  # fmt: skip
def test_no_answers_are_scored_as_no_score(instrument, missing, safety):
    found = scored(instrument, {})
    total = found["scales"]["total"]
    assert total == {
        "value": None, "exact": None, "band": None, "missing": missing, "prorated": False,
    }  # fmt: skip
    assert set(found["findings"].values()) <= {None}
    assert found["safety"] == safety


@pytest.mark.parametrize(
    ("instrument", "names"),
    [
        ("phq9", {"positive"}), ("phq8", {"positive"}), ("phq2", {"positive"}),
        ("gad7", {"positive"}), ("gad2", {"positive"}), ("peg", set()), ("nrs", set()),
        ("pgic", {"responder", "worse"}), ("pcptsd5", {"positive", "positive_sensitive"}),
        ("pcl5", {"positive", "provisional_dsm5"}),
    ],
)  # fmt: skip
def test_findings_that_do_not_apply_are_absent(instrument, names):
    assert set(scored(instrument, {})["findings"]) == names


def test_pcl5_has_its_clusters():
    assert list(scored("pcl5", {})["scales"]) == ["total", "B", "C", "D", "E"]


@pytest.mark.parametrize(
    ("value", "level"), [(1, "review"), (2, "urgent"), (3, "critical"), (None, "not_answered")]
)
def test_item_9_is_reported_at_its_floor(value, level):
    assert scored("phq9", {"9": value})["safety"] == [{"item": "9", "value": value, "level": level}]


def test_item_9_at_0_is_not_reported():
    assert scored("phq9", {"9": 0})["safety"] == []


@pytest.mark.parametrize("case", [("pcl5", {"16": 4}), ("pgic", {"1": 7}), ("nrs", {"1": 10})])
def test_only_item_9_is_reported_as_safety(case):
    assert scored(*case)["safety"] == []


@pytest.mark.parametrize(
    ("rating", "band"), [(0, "none"), (3, "mild"), (4, "moderate"), (7, "severe")]
)
def test_nrs_is_one_rating(rating, band):
    found = scored("nrs", {"1": rating})
    assert found["instrument"] == "nrs"
    assert found["scales"]["total"]["band"] == band


def test_a_refusal_names_the_instrument_that_was_asked_for():
    assert answer({"instrument": "nrs", "answers": {"average": 3}})["error"].startswith("nrs has")
    assert answer({"instrument": "nrs", "baseline": 11, "current": 3})["error"].startswith("nrs:")


def test_a_change():
    assert answer({"instrument": "phq9", "baseline": 20, "current": 10}) == {
        "instrument": "phq9",
        "change": {
            "improvement": 10, "percent": 50, "minimal": True, "deteriorated": False,
            "response": True, "remission": False,
        },
    }  # fmt: skip


def test_a_change_reads_decimals_exactly():
    found = answer({"instrument": "peg", "baseline": 5.3, "current": 4.3})["change"]
    assert (found["improvement"], found["minimal"], found["remission"]) == (1, True, None)


def test_a_change_from_zero_has_no_percent():
    found = answer({"instrument": "gad7", "baseline": 0, "current": 4})["change"]
    assert (found["percent"], found["response"], found["deteriorated"]) == (None, None, True)


REFUSED = [
    pytest.param(b"x", "not JSON", id="not JSON"),
    pytest.param(b"[]", "not a JSON object", id="not an object"),
    pytest.param(b"null", "not a JSON object", id="null"),
    pytest.param(b"{}", "no instrument", id="no instrument"),
    pytest.param(b'{"instrument": null, "answers": {}}', "no instrument", id="null instrument"),
    pytest.param(b'{"instrument": "bdi", "answers": {}}', "unknown instrument", id="unknown"),
    pytest.param(b'{"instrument": "checkin", "answers": {}}', "unknown instrument", id="unscored"),
    pytest.param(b'{"instrument": "nrs7", "answers": {}}', "unknown instrument", id="nrs7"),
    pytest.param(b'{"instrument": ["phq9"], "answers": {}}', "unknown instrument", id="list"),
    pytest.param(b'{"instrument": "phq9"}', "give either", id="neither shape"),
    pytest.param(b'{"instrument": "phq9", "answers": {}, "baseline": 1, "current": 1}',
                 "give either", id="both shapes"),
    pytest.param(b'{"instrument": "phq9", "answers": {}, "baseline": 1}',
                 "give either", id="both shapes in part"),
    pytest.param(b'{"instrument": "phq9", "answers": {}, "note": 1}', "unknown key 'note'",
                 id="unknown key"),
    pytest.param(b'{"instrument": "phq9", "answers": {"11": 0}}', "no item '11'", id="item"),
    pytest.param(b'{"instrument": "phq9", "answers": {"01": 0}}', "no item '01'", id="padded item"),
    pytest.param(b'{"instrument": "phq8", "answers": {"9": 0}}', "no item '9'", id="phq8 item 9"),
    pytest.param(b'{"instrument": "phq9", "answers": []}', "must be an object", id="answers list"),
    pytest.param(b'{"instrument": "phq9", "answers": null}', "an object", id="answers null"),
    pytest.param(b'{"instrument": "phq9", "answers": {"1": true}}', "JSON integer", id="true"),
    pytest.param(b'{"instrument": "phq9", "answers": {"1": "2"}}', "JSON integer", id="string"),
    pytest.param(b'{"instrument": "phq9", "answers": {"1": 2.0}}', "JSON integer", id="2.0"),
    pytest.param(b'{"instrument": "phq9", "answers": {"1": 2e0}}', "JSON integer", id="2e0"),
    pytest.param(b'{"instrument": "phq9", "answers": {"1": [2]}}', "JSON integer", id="nested"),
    pytest.param(b'{"instrument": "phq9", "answers": {"1": 4}}', "not on the scale", id="above"),
    pytest.param(b'{"instrument": "phq9", "answers": {"1": -1}}', "not on the scale", id="below"),
    pytest.param(b'{"instrument": "phq9", "answers": {"10": 4}}', "not on the scale", id="item 10"),
    pytest.param(b'{"instrument": "pgic", "answers": {"1": 0}}', "not on the scale", id="pgic 0"),
    pytest.param(b'{"instrument": "pcptsd5", "answers": {"exposure": 0, "1": 2}}',
                 "not on the scale", id="off the scale behind a closed gate"),
    pytest.param(b'{"instrument": "phq9", "answers": {"1": 1, "1": 3}}', "twice", id="repeated"),
    pytest.param(b'{"instrument": "phq9", "answers": {"1": NaN}}', "NaN is not JSON", id="NaN"),
    pytest.param(b'{"instrument": "phq9", "baseline": 20}', "current must be", id="no current"),
    pytest.param(b'{"instrument": "phq9", "baseline": null, "current": 3}',
                 "baseline must be", id="null total"),
    pytest.param(b'{"instrument": "phq9", "baseline": "20", "current": 3}',
                 "baseline must be", id="string total"),
    pytest.param(b'{"instrument": "phq9", "baseline": true, "current": 3}',
                 "baseline must be", id="true total"),
    pytest.param(b'{"instrument": "phq9", "baseline": 28, "current": 3}',
                 "not a score", id="off-scale total"),
    pytest.param(b'{"instrument": "phq9", "baseline": 20, "current": -0.1}',
                 "not a score", id="negative total"),
    pytest.param(b'{"instrument": "phq9", "baseline": 1e9999, "current": 0}',
                 "too many digits", id="enormous total"),
    pytest.param(b'{"instrument": "phq9", "baseline": 20, "current": 1e-9999}',
                 "too many digits", id="endless decimals"),
    pytest.param(b'{"instrument": "phq9", "answers": {"1": 1' + b"0" * 5000 + b"}}",
                 "not JSON", id="an integer of 5,000 digits"),
    pytest.param(b"[" * 100_000, "not JSON", id="deep nesting"),
    pytest.param(b"\xff\xfe", "not JSON", id="not UTF-8"),
    pytest.param(b'"\\ud800"', "not a JSON object", id="half a character"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "reason"), REFUSED)
def test_a_line_that_cannot_be_scored_says_why(line, reason):
    text, was_scored = score_line(line)
    assert not was_scored
    found = json.loads(text)
    assert list(found) == ["error"]
    assert reason in found["error"]
    assert "\n" not in text


@pytest.mark.parametrize("line", [b"", b"\n", b"  \t\r\n"])
def test_a_blank_line_is_skipped(line):
    assert score_line(line) is None


@given(st.binary())
def test_any_bytes_get_an_answer_or_none(line):
    found = score_line(line)
    assert (found is None) == (not line.strip())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(
    st.sampled_from(["phq9", "peg", "pcptsd5", "pcl5", "nrs", "pgic"]) | JSON,
    st.fixed_dictionaries(
        {},
        optional={
            "answers": st.dictionaries(st.sampled_from(["1", "9", "exposure", "x"]), JSON) | JSON,
            "baseline": JSON,
            "current": JSON,
        },
    ),
)
def test_any_request_gets_one_line_of_json(instrument, rest):
    text, was_scored = score_line(json.dumps({"instrument": instrument, **rest}).encode())
    assert "\n" not in text
    assert was_scored == ("error" not in json.loads(text))


def run_score(lines, **extra):
    """The real command, with nothing in its environment but a PATH."""
    return subprocess.run(
        [sys.executable, "manage.py", "score"], input=lines, capture_output=True, cwd=ROOT,
        env={"PATH": os.environ["PATH"], **extra}, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.processes
def test_the_command_needs_no_environment_and_keeps_the_order():
    done = run_score(
        b'{"instrument": "phq9", "answers": {"1": 3}}\n\nx\n'
        b'{"instrument": "nrs", "answers": {"1": 7}}\n'
        b'{"instrument": "pgic", "answers": {"1": 1}}'
    )
    found = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert [line.get("instrument", "error") for line in found] == ["phq9", "error", "nrs", "pgic"]
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.processes
def test_the_command_ends_well_when_every_line_was_scored():
    done = run_score(b'{"instrument": "phq2", "answers": {"1": 3, "2": 0}}\n')
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.processes
def test_the_command_opens_no_database(tmp_path):
    done = run_score(
        b'{"instrument": "phq2", "answers": {}}\n',
        DATABASE_URL=f"sqlite:///{tmp_path}/none.sqlite3",
    )
    assert done.returncode == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.processes
def test_each_answer_is_flushed_before_the_next_line_is_sent():
    with subprocess.Popen(
        [sys.executable, "manage.py", "score"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        cwd=ROOT, env={"PATH": os.environ["PATH"]},
    ) as process:  # fmt: skip
        for rating in (1, 5):
            request = {"instrument": "nrs", "answers": {"1": rating}}
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            line = json.loads(process.stdout.readline())
            assert line["scales"]["total"]["value"] == rating
        process.stdin.close()
        assert process.wait(timeout=30) == 0


@pytest.mark.processes
def test_a_reader_that_leaves_early_sees_no_traceback():
    with subprocess.Popen(
        [sys.executable, "manage.py", "score"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, cwd=ROOT, env={"PATH": os.environ["PATH"]},
    ) as process:  # fmt: skip
        process.stdin.write(b'{"instrument": "phq2", "answers": {}}\n')
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.close()
        process.stdin.write(b'{"instrument": "phq2", "answers": {}}\n')
        process.stdin.close()
        assert (process.wait(timeout=30), process.stderr.read()) == (1, b"")
