"""What stood in the way of a patient's mail at a given instant, out of the journal."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from devtools.chaos.journal import AWAY, BACK, COMPLETE, REZONE, UNSUBSCRIBE, WITHDRAW, Act

LOCK_SECONDS = 2.0  # an intent, dated before, may wait so long for the patient's lock
_FOR_GOOD = (COMPLETE, UNSUBSCRIBE, WITHDRAW)


class History:
    def __init__(self, acts: Iterable[Act]) -> None:
        self._of: dict[str, list[Act]] = defaultdict(list)
        for act in sorted(acts, key=lambda act: act.began):
            self._of[act.patient].append(act)

    def in_the_way(self, patient: str, at: float) -> Iterator[Act]:
        """Acts committed before `at` that forbid an intent then. What is in doubt forbids nothing.

        A follow-up that was moved away may be sent again from the moment somebody began to move it
        back.
        """
        moved: Act | None = None
        for act in self._of[patient]:
            if act.kind in _FOR_GOOD and _committed(act, at):
                yield act
            elif act.kind == AWAY and _committed(act, at):
                moved = act
            elif act.kind == BACK and act.began <= at + LOCK_SECONDS:
                moved = None
        if moved is not None:
            yield moved

    def zone_at(self, patient: str, at: float) -> str | None:
        """Where the patient was. Empty: in doubt at that moment. None: never moved by us."""
        zone: str | None = None
        for act in self._of[patient]:
            if act.kind == REZONE:
                before, _, after = act.detail.partition(">")
                zone = before if zone is None else zone
                if act.began <= at:
                    zone = after if _committed(act, at) else ""
        return zone


def _committed(act: Act, at: float) -> bool:
    return act.ended is not None and act.ended < at
