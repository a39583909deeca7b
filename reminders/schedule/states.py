"""The state of each due: what was asked and what became of it, and what is still to be asked."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reminders.schedule.answered import answered_at
from reminders.schedule.asking import Asking, asking, nominal, without_suicide_item
from reminders.schedule.clock import Hours
from reminders.schedule.conditions import failed, why_not
from reminders.schedule.endings import REISSUED_AFTER, Ending, ending
from reminders.schedule.facts import LIVE, Due, FollowUpFacts, Occasion, State

UNDELIVERABLE_AFTER = timedelta(hours=72)  # so long a due waits for a working address
TAKEN_BACK = (State.SUPERSEDED, State.CANCELLED)
CALL_LIST = "no e-mail: call list and tablet"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A due that is still to be sent, with what the choice of its day needs."""

    due: Due
    occasion: Occasion
    asking: Asking


def asked_due(occasion: Occasion, follow_up: FollowUpFacts, hours: Hours) -> Due | None:
    """What became of a due that was sent or begun; none: it has to be asked again."""
    known = occasion.known
    assert known is not None
    due = replace(_blank(occasion, hours), instruments=known.instruments, send_at=known.send_at,
                  follow_up=follow_up.id, state=State.ASKED, reason=known.reason)  # fmt: skip
    facts, now = occasion.facts, occasion.now
    found = ending(occasion)
    if known.state is State.SATISFIED:
        return replace(due, state=State.SATISFIED, reason=_tag(occasion, known))
    if known.state in TAKEN_BACK and (facts.gone or found is not None):
        return replace(due, state=known.state)
    if answered_at(due, facts):
        return replace(due, state=State.SATISFIED)
    if known.state is State.EXPIRED and due.closes_at <= now:
        return replace(due, state=State.EXPIRED)
    if facts.gone:
        return replace(due, state=State.CANCELLED, reason=_gone(occasion))
    if follow_up.begun_at is not None:
        state = State.EXPIRED if due.closes_at <= now else State.ASKED
        return replace(due, state=state, reason=_tag(occasion, known))
    if found is not None and found.also_asked:
        return replace(due, state=found.state, reason=found.reason)
    if abs(due.anchor_at - known.anchor_at) >= REISSUED_AFTER and due.closes_at > now:
        return None
    if due.closes_at <= now or _undeliverable(due, occasion):
        why = "no answer" if due.closes_at <= now else "undeliverable"
        return replace(due, state=State.EXPIRED, reason=why)
    return due


def _tag(occasion: Occasion, known: Due) -> str:
    """What happened to its infusion since, for whoever reads the answer later."""
    found = ending(occasion)
    if found is not None and found.also_asked and known.state is not State.SATISFIED:
        return f"begun before: {found.reason}"
    if found is not None and found.state is State.CANCELLED:
        return f"answered before: {found.reason}"
    if occasion.anchor_at != known.anchor_at:
        return "the infusion's time was corrected"
    return known.reason


def _gone(occasion: Occasion) -> str:
    return f"the patient is {occasion.facts.status}"


def _undeliverable(due: Due, occasion: Occasion) -> bool:
    facts = occasion.facts
    if facts.channel != "suspended" or facts.suspended_since is None:
        return False
    return occasion.now >= undeliverable_at(due, facts.suspended_since)


def undeliverable_at(due: Due, suspended_since: datetime) -> datetime:
    return max(due.send_at, suspended_since) + UNDELIVERABLE_AFTER


def unasked_due(occasion: Occasion, hours: Hours) -> Candidate | Due | None:
    """A due that was never sent: still to be sent, at an end, or not worth a row."""
    known = occasion.known
    if known is not None and _is_history(known, occasion):
        return replace(known, number=occasion.number)
    due = _blank(occasion, hours)
    found = Ending(State.CANCELLED, _gone(occasion)) if occasion.facts.gone else ending(occasion)
    if found is not None:
        if known is None or known.state is found.state:
            return known  # never planned, or ended like this before: as it stood then
        return _ended(due, found.state, found.reason)
    broken = failed(occasion.step.conditions, occasion)
    if broken is not None and broken.name != "infusion_number":
        return _ended(due, State.SKIPPED, why_not(broken))
    return _to_be_asked(due, occasion, hours)


def _is_history(known: Due, occasion: Occasion) -> bool:
    return known.state not in LIVE and max(known.closes_at, occasion.closes_at) <= occasion.now


def _to_be_asked(due: Due, occasion: Occasion, hours: Hours) -> Candidate | Due:
    chosen = asking(occasion, hours)
    send_at = chosen.send_at or due.send_at
    due = replace(due, instruments=chosen.instruments, send_at=send_at, reason=chosen.reason)
    if occasion.closes_at <= occasion.now:
        return _ended(due, State.EXPIRED, _why_expired(due, occasion))
    if chosen.ends is not None:
        return _ended(due, chosen.ends, chosen.reason)
    if _undeliverable(due, occasion):
        return _ended(due, State.EXPIRED, "undeliverable")
    return Candidate(due, occasion, chosen)


def _ended(due: Due, state: State, reason: str) -> Due:
    """Never asked, so it stands on no follow-up: the row may serve another due of its day."""
    return replace(due, state=state, reason=reason, follow_up=None)


def _why_expired(due: Due, occasion: Occasion) -> str:
    if occasion.facts.channel != "email":
        return f"not asked; {CALL_LIST}"
    infusion = occasion.infusion
    if infusion is not None and infusion.recorded_at >= due.closes_at:
        return "late entry: its window was over"
    if occasion.step.mail_hours_left:
        return "no baseline"
    return "missed"


def late(candidate: Candidate, send_at: datetime) -> bool:
    """Whether less than half of the time from its send instant to close would be left."""
    due = candidate.due
    return 2 * (due.closes_at - send_at) < due.closes_at - due.send_at


def not_after(due: Due) -> datetime:
    """The last instant at which an invitation still goes."""
    return due.closes_at - (due.closes_at - due.send_at) / 2


def too_close(candidate: Candidate, send_at: datetime) -> bool:
    """A baseline so shortly before the infusion is taken on the clinic's tablet."""
    hours = candidate.occasion.step.mail_hours_left
    return candidate.due.closes_at - send_at < timedelta(hours=hours)


def harmless(candidate: Candidate, hours: Hours) -> Candidate:
    """The same due with PHQ-8, for a day on which nobody reads the answer to item 9."""
    chosen = without_suicide_item(candidate.occasion, hours)
    if chosen.ends is not None or chosen.send_at is None:
        return candidate
    due = replace(candidate.due, instruments=chosen.instruments, send_at=chosen.send_at,
                  reason=chosen.reason)  # fmt: skip
    return Candidate(due, candidate.occasion, chosen)


def _blank(occasion: Occasion, hours: Hours) -> Due:
    """The due as the protocol has it, before anything is said about its state."""
    known = occasion.known
    return Due(
        key=occasion.key,
        anchor=occasion.step.anchor,
        anchor_at=occasion.anchor_at,
        target_at=occasion.target_at,
        send_at=hours.clear(occasion.target_at),
        opens_at=occasion.opens_at,
        closes_at=occasion.closes_at,
        instruments=nominal(occasion),
        state=State.PLANNED,
        follow_up=known.follow_up if known else None,
        number=occasion.number,
    )
