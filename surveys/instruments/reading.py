"""Read one TOML table strictly: every value has a type, and nothing is left over."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TypeVar

T = TypeVar("T")


class InvalidInstrument(ValueError):
    """A definition that cannot be used; the message names the place."""


class Table:
    """A TOML table that remembers where it stands and what has not been read yet."""

    def __init__(self, values: object, where: str) -> None:
        if not isinstance(values, Mapping):
            raise InvalidInstrument(f"{where}: expected a table")
        self._left: dict[str, object] = {str(name): value for name, value in values.items()}
        self.where = where

    def refuse(self, sentence: str) -> InvalidInstrument:
        return InvalidInstrument(f"{self.where}: {sentence}")

    def optional(self, name: str, kind: type[T]) -> T | None:
        """The exact type: TOML's true is not 1."""
        if name not in self._left:
            return None
        value = self._left.pop(name)
        if type(value) is not kind:
            raise self.refuse(f"{name} must be {kind.__name__}, not {value!r}")
        return value

    def required(self, name: str, kind: type[T]) -> T:
        value = self.optional(name, kind)
        if value is None:
            raise self.refuse(f"{name} is missing")
        return value

    def peek(self, name: str) -> object:
        return self._left.get(name)

    def text(self, name: str) -> str:
        return self.required(name, str)

    def flag(self, name: str) -> bool:
        return bool(self.optional(name, bool))

    def one_of(self, name: str, allowed: tuple[T, ...]) -> T:
        value = self._left.pop(name, None)
        for choice in allowed:
            if value == choice:
                return choice
        raise self.refuse(f"{name} must be one of {', '.join(map(str, allowed))}, not {value!r}")

    def maybe_one_of(self, name: str, allowed: tuple[T, ...]) -> T | None:
        return self.one_of(name, allowed) if name in self._left else None

    def number(self, name: str) -> Decimal | None:
        value = self._left.pop(name, None)
        if value is not None and type(value) not in (int, Decimal):
            raise self.refuse(f"{name} must be a number, not {value!r}")
        return None if value is None else Decimal(str(value))

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(self._list(name, str))

    def wholes(self, name: str) -> tuple[int, ...]:
        return tuple(self._list(name, int))

    def lists(self, name: str) -> list[list[object]]:
        return self._list(name, list)

    def tables(self, name: str) -> Iterator["Table"]:
        """The tables of `[[name]]`, each to be closed by its reader."""
        for number, values in enumerate(self._list(name, dict), start=1):
            key = values.get("key", values.get("name", number))
            yield Table(values, f"{self.where}: {name} {key}")

    def table(self, name: str) -> "Table | None":
        values = self._left.pop(name, None)
        return None if values is None else Table(values, f"{self.where}: {name}")

    def words(self, name: str) -> dict[str, str]:
        """A table of texts, such as item key -> wording."""
        table = self.table(name)
        return {} if table is None else {key: table.text(key) for key in list(table._left)}

    def by_code(self, name: str, kind: type[T]) -> dict[int, T]:
        """A table keyed by answer codes, in the written order."""
        table = self.table(name)
        if table is None:
            return {}
        return {table._code(key): table.required(key, kind) for key in list(table._left)}

    def rest(self) -> dict[str, object]:
        left, self._left = self._left, {}
        return left

    def close(self) -> None:
        """A misspelt name would otherwise silently do nothing."""
        if self._left:
            raise self.refuse(f"unknown {', '.join(sorted(self._left))}")

    def _code(self, key: str) -> int:
        if not key.lstrip("-").isdecimal():
            raise self.refuse(f"{key!r} is not an answer code")
        return int(key)

    def _list(self, name: str, kind: type[T]) -> list[T]:
        values = self.optional(name, list) or []
        for value in values:
            if type(value) is not kind:
                raise self.refuse(f"{name} holds {value!r}, which is not {kind.__name__}")
        return values
