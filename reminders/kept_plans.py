"""Statements that PostgreSQL reads and plans once for a connection, and then only carries out.

To plan a statement of the hot path takes longer than to carry it out for a group of messages.
"""

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from django.db import connection


@dataclass(slots=True)
class _Kept:
    """What one connection has been told. After a failure nobody knows how much it has heard."""

    failures: int = 0
    names: dict[str, str] = field(default_factory=dict)


_kept: WeakKeyDictionary[Any, _Kept] = WeakKeyDictionary()  # gone with its connection


class Plans:
    """The plans of the connection that this thread has open now."""

    def __init__(self) -> None:
        self._kept = _kept.setdefault(connection.connection, _Kept())
        self._new: dict[str, str] = {}

    def execution(self, text: str, values: int) -> str:
        """SQL that carries it out, with a place for each value; the first time it also says what.

        `text` has as many `%s` as there are values.
        """
        name = self._kept.names.get(text) or self._new.get(text)
        if name is not None:
            return _execute(name, values)
        name = self._new[text] = _name(text, self._kept.failures)
        return f"PREPARE {name} AS {_numbered(text)};{_execute(name, values)}"

    def heard(self) -> None:
        """All of it has been carried out."""
        self._kept.names |= self._new

    def failed(self) -> None:
        """Other names from now on: the old ones may stand for something or for nothing."""
        self._kept.failures += 1
        self._kept.names.clear()


@lru_cache(maxsize=256)
def _name(text: str, failures: int) -> str:
    return f"kept_{hashlib.sha256(text.encode()).hexdigest()[:16]}_{failures}"


@lru_cache(maxsize=256)
def _execute(name: str, values: int) -> str:
    return f"EXECUTE {name}({', '.join(['%s'] * values)})" if values else f"EXECUTE {name}"


def _numbered(text: str) -> str:
    first, *others = text.split("%s")
    return first + "".join(f"${n}{part}" for n, part in enumerate(others, 1))
