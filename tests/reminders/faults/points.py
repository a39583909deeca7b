"""Where a fault strikes: right before or right after a commit, under a function of ours."""

import sys
from collections.abc import Callable, Iterator

from django.db import connection

INTENT, SETTLE, PLAN = "intend_all", "settle_all", "reconcile_lagging"
Blow = Callable[[], None]


def nothing() -> None:
    """No blow."""


def at_commit(under: str, *, before: Blow = nothing, after: Blow = nothing) -> Callable[[], None]:
    """The database itself is real; what comes back undoes it."""
    commit = connection.commit

    def struck() -> None:
        ours = under in _callers()
        if ours:
            before()
        commit()
        if ours:
            after()

    connection.commit = struck  # type: ignore[method-assign]
    return lambda: delattr(connection, "commit")


def _callers() -> Iterator[str]:
    frame = sys._getframe(2)
    while frame is not None:
        yield frame.f_code.co_name
        frame = frame.f_back  # type: ignore[assignment]
