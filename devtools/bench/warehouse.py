"""A database with very many messages, filled once in a run and used by several benchmarks."""

import shutil
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from devtools.bench.ground import Ground
from devtools.bench.sides import Side

PAIRS = 5
ROWS = "devtools.bench.rows"


def sizes(ground: Ground) -> list[int]:
    return [10**4, 10**5, 10**6, *([10**7] if ground.full else [])]


class Warehouse:
    def __init__(self, ground: Ground, size: int, *, sqlite: bool = False) -> None:
        self.ground = ground
        self.size = size
        self.sqlite = sqlite
        self.exponent = len(str(size)) - 1
        self.label = f"10^{self.exponent} rows"
        self.name = f"{'file' if sqlite else 'stock'}_{self.exponent}"

    def __enter__(self) -> Self:
        """Nothing is due in it and nothing claimed."""
        filled, self._ends = self.name in self.ground.filled, ExitStack()
        if not filled:
            self.ground.filled[self.name] = self._create()
        self._filler = self._ends.enter_context(self.side("filler"))
        if filled:
            self._filler.ask("clear")
        else:
            self._filler.ask("stock", total=self.size)
        self.tidy()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ends.close()

    def side(self, name: str) -> Side:
        address = self.ground.filled[self.name]
        return self.ground.side(f"{name}-{self.name}", address, ROWS)

    def make_due(self, count: int, *, tidy: bool = True) -> None:
        self._filler.ask("make_due", count=count)
        if tidy:
            self.tidy()

    def give_back(self) -> None:
        self._filler.ask("give_back")
        self.tidy()

    def end(self) -> None:
        """What was claimed is sent, and the dead rows stay."""
        self._filler.ask("end")

    def tidy(self) -> None:
        """As autovacuum would in time; here at a known moment, so that it disturbs nothing."""
        if not self.sqlite:
            tidy = "VACUUM (ANALYZE) reminders_message"
            self.ground.on(self.ground.postgres, tidy, database=self.name)

    def _create(self) -> str:
        if not self.sqlite:
            address = self.ground.database(self.name)
            quiet = "ALTER TABLE reminders_message SET (autovacuum_enabled = off)"
            self.ground.on(self.ground.postgres, quiet, database=self.name)
            return address
        file = self.ground.folder / f"{self.name}.sqlite3"
        shutil.copy(self.ground.migrated_file, file)
        return f"sqlite:///{file}"
