"""The provider emulator as a process, for tests that need Resend or a log of its own."""

import json
import os
import sys
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from devtools.processes import Child, answers, free_port, machine_environment


class Emulated:
    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port(21000 + os.getpid() % 5000)
        command = [sys.executable, "-m", "devtools.servers.emulator", str(folder), str(self.port)]
        log = folder / "emulator.log"
        self.child = Child("emulator", [*command, "1"], machine_environment(), log)

    def __enter__(self) -> Self:
        self.child.start_until(lambda: answers(self.port))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.child.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def mood(self, name: str) -> None:
        body = json.dumps({"mood": name}).encode()
        urllib.request.urlopen(f"{self.url}control/mood", body, timeout=5).close()

    def ledger(self) -> list[dict[str, Any]]:
        """What it took, in order."""
        path = self.folder / "ledger.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        found = [json.loads(line) for line in lines]
        return [line for line in found if line["kind"] != "refused"]
