"""What was done to patients during the storm, and when it was committed: one line of JSON each."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

AWAY, BACK, COMPLETE = "away", "back", "complete"
UNSUBSCRIBE, WITHDRAW = "unsubscribe", "withdraw"
REZONE = "rezone"
NAME = "journal.jsonl"


@dataclass(frozen=True, slots=True)
class Act:
    """`ended` is measured after the commit. None: it failed, and nobody knows how far it came."""

    kind: str
    patient: str
    began: float
    ended: float | None
    detail: str = ""


class Journal:
    def __init__(self, folder: Path) -> None:
        self._file = (folder / NAME).open("a", encoding="utf-8")

    def write(self, act: Act) -> None:
        self._file.write(json.dumps(asdict(act)) + "\n")
        self._file.flush()

    def done(self, kind: str, patient: str, began: float, detail: str = "") -> None:
        self.write(Act(kind, patient, began, time.time(), detail))

    def failed(self, kind: str, patient: str, began: float) -> None:
        self.write(Act(kind, patient, began, None))


def read(folder: Path) -> Iterator[Act]:
    path = folder / NAME
    if path.exists():
        for text in path.read_text(encoding="utf-8").split("\n")[:-1]:
            yield Act(**json.loads(text))
