"""Wait until the engine has nothing left to do: `settling SECONDS`. Says how long that took."""

import time
from datetime import UTC, datetime

from django.db import DatabaseError, InterfaceError, connection

from reminders.models import Message, Notice, ProviderEvent, State

QUIET_SECONDS = 2.0  # so long nothing must be left to do
IN_HAND = (State.CLAIMED, State.SENDING)


def main(arguments: list[str]) -> None:
    patience = float(arguments[0])
    waited = wait_until_settled(patience)
    print(f"{'settled' if waited < patience else 'not settled'} after {waited:.1f} s")


def wait_until_settled(seconds: float) -> float:
    """Until nothing has been left to do for a while, or the time is up. How long that took."""
    began = quiet_since = time.monotonic()
    while time.monotonic() - began < seconds:
        if not _is_settled():
            quiet_since = time.monotonic()
        elif time.monotonic() - quiet_since >= QUIET_SECONDS:
            break
        time.sleep(0.5)
    return time.monotonic() - began


def _is_settled() -> bool:
    now = datetime.now(UTC)
    try:
        waiting = any(
            model._default_manager.filter(state=State.SCHEDULED, due_at__lte=now).exists()
            or model._default_manager.filter(state__in=IN_HAND).exists()
            for model in (Notice, Message)
        )
        return not (
            waiting or ProviderEvent.objects.filter(applied_at=None, try_after__lte=now).exists()
        )
    except (DatabaseError, InterfaceError):
        connection.close()
        return False
