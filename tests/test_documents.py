"""The examples in the documents work as they stand there."""

import json
import re
import shlex
from io import BytesIO, StringIO, TextIOWrapper

from django.core.management import call_command

from tests.guards.tree import ROOT

BLOCKS = re.findall(r"```\n(.*?)```", (ROOT / "docs" / "commands.md").read_text(), re.DOTALL)


def test_the_score_examples_are_scored(monkeypatch, capsys):
    lines = next(block for block in BLOCKS if block.startswith("{"))
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(lines.encode())))
    call_command("score")
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert "scales" in first
    assert second["change"]["improvement"] == 10


def test_the_dry_run_example_runs_to_the_last_step():
    example = next(block for block in BLOCKS if "dry_run" in block)
    words = shlex.split(example.replace("\\\n", " "))
    printed = StringIO()
    call_command(*words[words.index("dry_run") :], stdout=printed)
    assert "A6" in printed.getvalue()
