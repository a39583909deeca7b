"""Every reason not to send, decided on facts read a moment ago under the row's lock.

Decides, and changes nothing: `reminders/rereading.py` brings the facts, dispatch acts.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from reminders.models import Message, State
from reminders.schedule.clock import DAY, Hours

PAUSED_RECHECK = timedelta(hours=1)  # paused without an end
REMINDER = Message.Kind.REMINDER


@dataclass(frozen=True, slots=True)
class Go:
    """`capped_on` is the local day this message uses up; none outside the cap."""

    capped_on: date | None = None


@dataclass(frozen=True, slots=True)
class Later:
    due_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Never:
    state: State
    reason: str


Verdict = Go | Later | Never


@dataclass(frozen=True, slots=True)
class MessageFacts:
    kind: str
    due_at: datetime
    not_after: datetime  # the last instant at which it may go: half the window left, a day's end
    asked_for: bool
    hours: Hours  # in the patient's zone of this moment
    status: str
    paused_until: datetime | None
    has_email: bool
    suppressed: str  # why the address is not to be written to
    alert_open: bool
    send_at: datetime  # of the follow-up
    closes_at: datetime
    answered: bool
    withdrawn: bool
    days_taken: frozenset[date]  # local days that other messages used up


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    alert_taken: bool
    member_active: bool


def notice_verdict(facts: NoticeFacts) -> Verdict:
    """Staff are told at any hour, again and again, until somebody takes the alert."""
    if facts.alert_taken:
        return Never(State.CANCELLED, "the alert has been taken")
    if not facts.member_active:
        return Never(State.CANCELLED, "no longer a member")
    return Go()


def message_verdict(facts: MessageFacts, now: datetime) -> Verdict:
    return ended(facts) or _too_late(facts, now) or _not_now(facts, now) or _go(facts, now)


def ended(facts: MessageFacts) -> Never | None:
    """The patient, the follow-up or the address is past being written to, whatever the plan."""
    if facts.status in ("withdrawn", "deceased"):
        return Never(State.CANCELLED, f"patient {facts.status}")
    if facts.withdrawn:
        return Never(State.CANCELLED, "follow-up withdrawn")
    if facts.answered:
        return Never(State.CANCELLED, "answered")
    if not facts.has_email:
        return Never(State.SKIPPED, "no e-mail address")
    if facts.suppressed:
        return Never(State.SUPPRESSED, facts.suppressed)
    return None


def _too_late(facts: MessageFacts, now: datetime) -> Never | None:
    if now >= facts.closes_at:
        return Never(State.EXPIRED, "closed")
    if now > facts.not_after:
        return Never(State.EXPIRED, "missed")
    if facts.kind == REMINDER and not facts.asked_for:
        own_day = facts.hours.day(now) == facts.hours.day(facts.due_at)
        return None if own_day else Never(State.EXPIRED, "missed")
    return None


def _not_now(facts: MessageFacts, now: datetime) -> Verdict | None:
    if facts.due_at > now:
        return Later(facts.due_at, "moved")
    if facts.asked_for:
        return None
    if facts.status == "paused" and (facts.paused_until is None or facts.paused_until > now):
        return _moved(facts, facts.paused_until or now + PAUSED_RECHECK, "paused")
    if facts.kind == REMINDER and facts.alert_open:
        return Never(State.SKIPPED, "an alert is open")
    clear = facts.hours.clear(now)
    if clear > now:
        return _moved(facts, clear, "quiet hours")
    if facts.hours.day(now).weekday() not in facts.hours.allowed_days:
        return _moved(facts, _next_day(facts, now), "not a day of the patient's")
    if facts.hours.day(now) in facts.days_taken:
        if facts.kind == REMINDER:
            return Never(State.SUPERSEDED, "another message the same day")
        return _moved(facts, _next_day(facts, now), "another message the same day")
    return None


def _moved(facts: MessageFacts, to: datetime, reason: str) -> Later | Never:
    """To a later time, unless that would be too late already."""
    return Never(State.EXPIRED, reason) if _too_late(facts, to) else Later(to, reason)


def _next_day(facts: MessageFacts, now: datetime) -> datetime:
    """The next day the patient allows, at the hour at which this follow-up is sent."""
    wall: time = facts.send_at.astimezone(facts.hours.zone).time().replace(microsecond=0)
    tomorrow = facts.hours.at(facts.hours.day(now) + DAY, time(0))
    return next(
        facts.hours.moments(tomorrow, wall, tomorrow + timedelta(days=9)), tomorrow + 9 * DAY
    )


def _go(facts: MessageFacts, now: datetime) -> Go:
    return Go(None if facts.asked_for else facts.hours.day(now))
