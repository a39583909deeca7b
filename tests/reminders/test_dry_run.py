"""`manage.py dry_run`: every sentence of its contract."""

import json
import os
import subprocess
import sys
from datetime import datetime
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command

ARGUMENTS = (
    "--protocol depression-induction --enrolled 2026-03-01 --infusion 2026-03-02T14:00"
    " --zone America/Denver --until 2026-07-01"
)


def dry_run(arguments: str) -> str:
    out = StringIO()
    call_command("dry_run", *arguments.split(), stdout=out)
    return out.getvalue()


def rows(arguments: str) -> dict:
    return json.loads(dry_run(f"{arguments} --json"))


def sent(arguments: str) -> list[str]:
    found = rows(arguments)["messages"]
    return [f"{m['local'][5:16]} {' '.join(m['steps'])} {m['nth']}" for m in found]


def test_follow_ups_have_the_promised_fields():
    first = rows(ARGUMENTS)["follow_ups"][0]
    assert first == {
        "step": "A0",
        "anchor": "enrolment",
        "infusion": None,
        "occurrence": 0,
        "target_at": "2026-03-01T15:00:00Z",
        "opens_at": "2026-03-01T15:00:00Z",
        "closes_at": "2026-03-02T21:00:00Z",
        "instruments": ["phq9", "gad7", "pcptsd5"],
        "merged_with": [],
        "state": "expired",
        "reason": "no answer",
    }


def test_messages_have_the_promised_fields():
    second = rows(ARGUMENTS)["messages"][2]
    assert second == {
        "steps": ["A1"],
        "kind": "invitation",
        "nth": 0,
        "send_at": "2026-03-03T17:00:00Z",
        "local": "2026-03-03T10:00-07:00",
        "reason": "due",
    }


def test_rows_are_sorted_by_time():
    found = rows(ARGUMENTS)
    keys = [(row["target_at"], row["step"]) for row in found["follow_ups"]]
    assert keys == sorted(keys)
    times = [row["send_at"] for row in found["messages"]]
    assert times == sorted(times)


def test_nothing_is_only_planned():
    short = ARGUMENTS.replace("2026-07-01", "2026-03-10")
    states = {row["state"] for row in rows(short)["follow_ups"]}
    assert "planned" not in states


def test_it_runs_to_the_end_of_the_last_local_day():
    short = ARGUMENTS.replace("2026-07-01", "2026-03-05")
    assert sent(short)[-1] == "03-05T09:00 A3 0"
    shorter = ARGUMENTS.replace("2026-07-01", "2026-03-04")
    assert sent(shorter)[-1] == "03-04T10:00 A1 1"


def test_a_patient_who_always_answers_gets_no_reminders():
    found = rows(f"{ARGUMENTS.replace('depression-induction', 'chronic-pain')} --answered all")
    assert {message["kind"] for message in found["messages"]} == {"invitation"}
    assert {row["state"] for row in found["follow_ups"]} == {"satisfied"}


def test_cover_on_weekdays_moves_item_nine():
    assert "03-27T09:00 B4 0" in sent(
        "--protocol chronic-pain --enrolled 2026-02-01 --infusion 2026-02-27T14:00"
        " --zone America/Denver --until 2026-04-30"
    )
    assert "03-30T09:00 B4 0" in sent(
        "--protocol chronic-pain --enrolled 2026-02-01 --infusion 2026-02-27T14:00"
        " --zone America/Denver --until 2026-04-30 --cover weekdays"
    )


def test_infusions_are_in_the_clinics_zone():
    """Half past eleven at night in Honolulu is the next day in Denver, and counts as the day."""
    late = ARGUMENTS.replace("14:00", "23:30") + " --clinic-zone Pacific/Honolulu"
    first = next(row for row in rows(late)["follow_ups"] if row["step"] == "A1")
    assert first["target_at"] == "2026-03-03T17:00:00Z"


def test_infusions_may_be_given_in_any_order_and_are_numbered_by_time():
    found = rows(
        ARGUMENTS.replace("2026-03-02T14:00", "2026-03-09T14:00 2026-03-02T14:00")
        + " --infusion 2026-03-16T14:00"
    )
    numbers = [row["infusion"] for row in found["follow_ups"] if row["step"] == "A1"]
    assert numbers == [1, 2, 3]


def test_a_planned_infusion_stays_planned_and_stops_counting_after_its_day():
    planned = f"{ARGUMENTS} --planned 2026-03-05T14:00"
    assert not any("A3" in line for line in sent(planned.replace("2026-07-01", "2026-03-05")))
    assert "03-23T09:00 A4 0" in sent(planned)


def test_a_cancelled_infusion_is_planned_until_its_start_and_never_numbered():
    arguments = (
        "--protocol maintenance --enrolled 2026-03-01 --infusion 2026-03-20T14:00"
        " --cancelled 2026-03-10T14:00 --zone America/Denver --until 2026-03-25"
    )
    assert sent(arguments)[0] == "03-07T09:00 D1 0"
    found = rows(arguments)["follow_ups"]
    assert [row["infusion"] for row in found if row["step"] == "D1"] == [None]
    assert [row["infusion"] for row in found if row["step"] == "D2"] == [1]


def test_a_language_without_an_official_text_is_not_offered():
    states = {
        row["step"]: row["state"]
        for row in rows(
            "--protocol chronic-pain --enrolled 2026-03-01 --infusion 2026-03-10T14:00"
            " --zone America/Denver --until 2026-03-30 --language es"
        )["follow_ups"]
    }
    assert states["B1"] == "expired"  # the check-in is ours, and has its Spanish
    assert set(states.values()) <= {"expired", "not_offered"}


def test_a_skipped_hour_moves_to_its_end_and_a_repeated_one_is_the_first():
    spring = "--enrolled 2026-03-08T02:30"
    found = rows(ARGUMENTS.replace("--enrolled 2026-03-01", spring).replace("03-02T", "03-10T"))
    assert found["follow_ups"][0]["target_at"] == "2026-03-08T09:00:00Z"


def test_the_table_tells_local_times():
    table = dry_run(ARGUMENTS)
    assert "Tue 03 Mar 2026 10:00  invitation  A1" in table
    assert "expired" in table


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("--zone Mars/Olympus", "unknown time zone"),
        ("--zone /etc/passwd", "unknown time zone"),
        ("--until 2026-02-28", "--until is before --enrolled"),
        ("--until soon", "is not a date"),
        ("--enrolled 2026-02-30", "is not a date"),
        ("--infusion 2026-03-02", "must be a local time"),
        ("--infusion 2026-03-02T14:00+01:00", "must be a local time"),
        ("--infusion 2026-03-02T25:00", "is not a time"),
        ("--infusion 2026-03-02T14:00", "the same time twice"),
        ("--until 9999-12-31", "too near the end of the calendar"),
        ("--planned-count 0", "must be 1 or more"),
    ],
)
def test_bad_input_is_refused(bad, why):
    with pytest.raises(CommandError, match=why) as refused:
        dry_run(f"{ARGUMENTS} {bad}")
    assert refused.value.returncode == 2


def alone(*arguments: str) -> subprocess.CompletedProcess:
    """With an empty environment: no database, no key, no settings."""
    return subprocess.run(
        [sys.executable, "manage.py", "dry_run", *arguments],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_it_needs_no_environment_at_all():
    done = alone(*ARGUMENTS.split(), "--json")
    assert done.returncode == 0, done.stderr
    last = json.loads(done.stdout)["messages"][-1]
    assert datetime.fromisoformat(last["local"]).astimezone(ZoneInfo("America/Denver")).hour == 9


@pytest.mark.slow
@pytest.mark.parametrize("bad", ["--protocol none", "--nonsense", "--zone", "--until 1"])
def test_bad_input_ends_with_two_and_one_line(bad):
    done = alone(*ARGUMENTS.split(), *bad.split())
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""
