"""Two sides that are measured in turn, each a process of its own with its own settings.

A side waits for an order, carries it out, says what came of it and how long that took. The parent
never configures Django, so that both sides are equally far from it.
"""

import itertools
import sys
from collections.abc import Mapping
from multiprocessing.connection import Client, Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from devtools.bench.lines import Wrong
from devtools.processes import Child

_numbers = itertools.count()


class Side:
    """`ask` waits for the answer; `tell` and `hear` let several sides work at once."""

    def __init__(self, name: str, module: str, env: Mapping[str, str], folder: Path) -> None:
        address = folder / f"{name}-{next(_numbers)}.sock"
        command = [sys.executable, "-m", "devtools.bench.side", str(address), module]
        self.child = Child(name, command, env, folder / f"{name}.log")
        self.child.start_until(lambda: self._connected(address), 60)

    def _connected(self, address: Path) -> bool:
        try:
            self._pipe: Connection = Client(str(address))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pipe.close()
        self.child.stop(10)

    @property
    def pid(self) -> int:
        return self.child.pid

    def ask(self, order: str, **details: Any) -> Any:
        self.tell(order, **details)
        return self.hear()

    def tell(self, order: str, **details: Any) -> None:
        self._pipe.send((order, details))

    def hear(self) -> Any:
        try:
            well, answer = self._pipe.recv()
        except EOFError:
            raise Wrong(f"{self.child.name} is gone.\n{self.child.last_lines()}") from None
        if not well:
            raise Wrong(f"{self.child.name}: {answer}")
        return answer
