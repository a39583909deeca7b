"""Whom the storm enrolled, as the other processes need to know it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

NAME = "roll.json"

PLAIN = "plain"  # due within the storm
NIGHT = "night"  # it is night where they are now: must wait for the morning
CLOSING = "closing"  # the last moment for their mail passes during the storm
DOUBLE = "double"  # two messages at once, of which one may go today


@dataclass(frozen=True, slots=True)
class Enrolled:
    patient: str
    group: str
    due: float  # seconds since the epoch


def write(folder: Path, everybody: list[Enrolled]) -> None:
    (folder / NAME).write_text(json.dumps([asdict(each) for each in everybody]))


def read(folder: Path) -> list[Enrolled]:
    return [Enrolled(**each) for each in json.loads((folder / NAME).read_text())]
