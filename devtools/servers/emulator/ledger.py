"""What the provider took and refused: one line of JSON each, on the disk before any answer."""

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

NAME = "ledger.jsonl"
ACCEPTED, REPLAYED, REFUSED = "accepted", "replayed", "refused"


@dataclass(frozen=True, slots=True)
class Line:
    """`ref` is the sender's own id, out of the metadata; `id` is the provider's."""

    kind: str
    at: float  # seconds since the epoch, when it was decided
    arrived: float
    answer: str
    mood: str
    phase: int  # which spell of a mood
    ref: str
    to: str
    id: str = ""
    key: str = ""
    sha256: str = ""
    in_flight: int = 0  # calls at that moment, this one among them


class Ledger:
    """Append-only; what it holds survives its writer."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._file = path.open("a", encoding="utf-8")
        path.chmod(0o600)

    def write(self, line: Line) -> None:
        with self._lock:
            self._file.write(json.dumps(asdict(line)) + "\n")
            self._file.flush()
            if line.kind == ACCEPTED:
                os.fsync(self._file.fileno())


def read(path: Path) -> Iterator[Line]:
    """All whole lines: one that is being written is not there yet."""
    for text in path.read_text(encoding="utf-8").split("\n")[:-1]:
        fields: dict[str, Any] = json.loads(text)
        yield Line(**fields)
