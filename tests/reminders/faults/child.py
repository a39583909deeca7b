"""One of the product's own commands in a process of its own, and one fault at one point of it.

    python -m tests.reminders.faults.child POINT SIGNAL COMMAND …

When the process comes to the point it sends itself the signal: SIGKILL ends it there, as a machine
that runs out of memory does; SIGSTOP holds it there until somebody lets it go on.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import django
from django.core.management import execute_from_command_line
from django.db import transaction

from tests.reminders.faults.points import at_commit

django.setup()

from reminders import calling, claiming, dispatch  # noqa: E402

BEFORE_CLAIM = "before the claim's commit"
AFTER_CLAIM = "after the claim"
BEFORE_INTENT = "before the intent's commit"
AFTER_INTENT = "after the intent"
DURING_CALL = "during the call, after the provider took it"  # seen by who watches the provider
BEFORE_SETTLE = "before the settle's commit"
AFTER_SETTLE = "after the settle"
POINTS = (
    BEFORE_CLAIM,
    AFTER_CLAIM,
    BEFORE_INTENT,
    AFTER_INTENT,
    DURING_CALL,
    BEFORE_SETTLE,
    AFTER_SETTLE,
)
NOWHERE = "nowhere"
BEFORE_PLAN = "before the commit of a plan"


def arm(point: str, number: signal.Signals) -> None:
    blows = [number]

    def strike(*happened: Any) -> None:
        if blows:
            os.kill(os.getpid(), blows.pop())

    def strike_if_taken(taken: Any) -> None:
        if taken.ids:
            strike()

    def take_slowly(*args: Any, **more: Any) -> Any:
        with transaction.atomic():
            taken = take(*args, **more)
            strike_if_taken(taken)
        return taken

    take = claiming.take
    if point == BEFORE_CLAIM:
        claiming.take = take_slowly
    elif point == AFTER_CLAIM:
        _after(claiming, "take_next", strike_if_taken)
    elif point == BEFORE_INTENT:
        at_commit("intend_all", before=strike)
    elif point == AFTER_INTENT:
        _before(calling, "call", strike)
    elif point == BEFORE_SETTLE:
        at_commit("settle_all", before=strike)
    elif point == AFTER_SETTLE:
        _after(dispatch, "settle_all", strike)
    elif point == BEFORE_PLAN:
        at_commit("reconcile_lagging", before=strike)


def _after(where: Any, name: str, then: Callable[[Any], None]) -> None:
    original = getattr(where, name)

    def and_then(*args: Any, **more: Any) -> Any:
        result = original(*args, **more)
        then(result)
        return result

    setattr(where, name, and_then)


def _before(where: Any, name: str, first: Callable[[], None]) -> None:
    original = getattr(where, name)

    def first_of_all(*args: Any, **more: Any) -> Any:
        first()
        return original(*args, **more)

    setattr(where, name, first_of_all)


if __name__ == "__main__":
    arm(sys.argv[1], signal.Signals[sys.argv[2]])
    execute_from_command_line(["manage.py", *sys.argv[3:]])
