"""Facts about one patient in, the dues, follow-ups and messages out. No clock, no database."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from reminders.schedule import replanning
from reminders.schedule.anchors import counts
from reminders.schedule.clock import MORNING, Hours, existing, instant, local_date
from reminders.schedule.facts import (
    HORIZON,
    Due,
    FollowUpFacts,
    Key,
    Message,
    Occasion,
    PatientFacts,
    Plan,
    PlannedFollowUp,
    State,
)
from reminders.schedule.occasions import occasions
from reminders.schedule.placing import Days, Placed, moment
from reminders.schedule.reminding import Reminding
from reminders.schedule.states import Candidate, asked_due, not_after, unasked_due


def plan(facts: PatientFacts, now: datetime, horizon: timedelta = HORIZON) -> Plan:
    """What is due, asked, answered and still to be sent, as the facts stand at `now`.

    Planning from the outcome of a plan gives the same plan: nothing depends on how often.
    """
    hours = hours_of(facts, now)
    found, entering = occasions(facts, now, horizon)
    settled: list[Due] = []
    candidates: list[Candidate] = []
    for occasion in found:
        due = _due(occasion, hours)
        if isinstance(due, Candidate):
            candidates.append(due)
        elif due is not None:
            settled.append(due)
    days = Days(facts, hours, now, _taken(facts))
    days.fill(candidates)
    sending = _to_be_sent(days, facts)
    placed = [each.due for todays in days.placed.values() for each in todays]
    dues = [*settled, *days.not_placed, *placed]
    asked = _already_asked(settled, facts, hours, now, found, days.taken)
    follow_ups = (*asked, *sending)
    return Plan(
        dues=tuple(sorted(dues, key=_order)),
        follow_ups=follow_ups,
        withdraw=_withdrawn(follow_ups, dues, facts),
        replan_at=replanning.next_look(facts, now, hours, dues, follow_ups, entering),
    )


def hours_of(facts: PatientFacts, now: datetime) -> Hours:
    """Quiet hours, and from every infusion's start until the next morning."""
    held = [
        (infusion.started_at, _next_morning(infusion.started_at, facts))
        for course in facts.courses
        for infusion in course.infusions
        if counts(infusion, facts, now)
    ]
    return Hours(facts.zone, facts.quiet_from, facts.quiet_until, tuple(held), facts.allowed_days)


def _next_morning(start: datetime, facts: PatientFacts) -> datetime:
    day = existing(local_date(start, facts.zone) + timedelta(days=1), facts.zone)
    return instant(day, MORNING, facts.zone)


def _due(occasion: Occasion, hours: Hours) -> Candidate | Due | None:
    known, facts = occasion.known, occasion.facts
    follow_up = facts.follow_up_of(known)
    if known is not None and known.state is State.SATISFIED and follow_up is None:
        return replace(known, number=occasion.number)
    if follow_up is None or not follow_up.asked:
        found = unasked_due(occasion, hours)
        return _afresh(found, follow_up, facts, hours.day(occasion.now))
    due = asked_due(occasion, follow_up, hours)
    return due or _afresh(unasked_due(occasion, hours), None, facts, hours.day(occasion.now))


def _afresh(
    found: Candidate | Due | None,
    follow_up: FollowUpFacts | None,
    facts: PatientFacts,
    today: date,
) -> Candidate | Due | None:
    """Keep the follow-up it was planned on, unless that one can no longer be sent."""
    if not isinstance(found, Candidate):
        return found
    spent = follow_up is None or follow_up.invitation == "dead"
    if follow_up is not None and follow_up.invitation == "undeliverable":
        spent = facts.channel == "email" and today > follow_up.local_date
    return replace(found, due=replace(found.due, follow_up=None)) if spent else found


def _taken(facts: PatientFacts) -> set[date]:
    """Local days on which a message went, or on which a follow-up stands already."""
    days = {sent.on for sent in facts.sent}
    standing = (f for f in facts.follow_ups.values() if not f.withdrawn)
    return days | {f.local_date for f in standing if f.asked or f.finished_at is not None}


def _to_be_sent(days: Days, facts: PatientFacts) -> list[PlannedFollowUp]:
    """One follow-up for each day, on the row it had before wherever there is one."""
    free = {
        f.id: f.local_date
        for f in facts.follow_ups.values()
        if not (f.withdrawn or f.asked or f.finished_at) and f.invitation != "dead"
    }
    matched: dict[date, str] = {}
    for day in days.placed:
        same = [fid for fid, local in free.items() if local == day]
        if same:
            matched[day] = same[0]
            del free[same[0]]
    for day, todays in days.placed.items():
        shared = [each.due.follow_up for each in todays if each.due.follow_up in free]
        if day not in matched and shared and shared[0] is not None:
            matched[day] = shared[0]
            del free[shared[0]]
    return [_follow_up(day, days.placed[day], matched.get(day)) for day in sorted(days.placed)]


def _follow_up(day: date, todays: list[Placed], row: str | None) -> PlannedFollowUp:
    todays = sorted(todays, key=lambda each: _order(each.due))
    dues, mailed = [each.due for each in todays], [each.due for each in todays if each.mailed]
    at = moment(todays)
    return PlannedFollowUp(
        id=row,
        local_date=day,
        opens_at=min(due.opens_at for due in dues),
        send_at=at,
        closes_at=max(due.closes_at for due in dues),
        dues=tuple(due.key for due in dues),
        instruments=once(name for due in dues for name in due.instruments),
        messages=_invitation(dues, mailed, at) if mailed else (),
    )


def _invitation(dues: Sequence[Due], mailed: Sequence[Due], at: datetime) -> tuple[Message, ...]:
    """What waits for the tablet is asked with it while its window is open, and hurries nothing."""
    reasons = once(due.reason for due in mailed if due.reason)
    late = at > max(due.send_at for due in mailed)
    reason = "; ".join([*reasons, *(["sent late"] if late else [])]) or "due"
    steps = tuple(due.key.step for due in dues if due.closes_at > at)
    return (Message("invitation", 0, at, min(map(not_after, mailed)), steps, reason),)


def once(names: Iterable[str]) -> tuple[str, ...]:
    """Each instrument once: what two dues ask of one is asked together."""
    asked: dict[str, list[str] | None] = {}
    for name in names:
        key, _, items = name.partition(":")
        before = asked.get(key, [])
        if not items or before is None:
            asked[key] = None
        else:
            asked[key] = list(dict.fromkeys([*before, *items.split(",")]))
    return tuple(key if items is None else f"{key}:{','.join(items)}"
                 for key, items in asked.items())  # fmt: skip


def _already_asked(
    settled: Sequence[Due],
    facts: PatientFacts,
    hours: Hours,
    now: datetime,
    found: Sequence[Occasion],
    taken: set[date],
) -> list[PlannedFollowUp]:
    """What was sent or begun keeps its dues; only reminders are still to come."""
    asked = [f for f in facts.follow_ups.values() if f.asked and not f.withdrawn]
    in_order = sorted(settled, key=_order)
    grouped = [(f, [due for due in in_order if due.follow_up == f.id]) for f in asked]
    grouped = [(f, dues) for f, dues in grouped if any(map(_keeps_open, dues))]
    grouped.sort(key=lambda pair: max(due.closes_at for due in pair[1]))
    reminding = Reminding(facts, hours, now, {o.key: o for o in found}, taken)
    return [_standing(f, dues, reminding) for f, dues in grouped]


def _keeps_open(due: Due) -> bool:
    return due.state not in (State.SUPERSEDED, State.CANCELLED)


def _standing(f: FollowUpFacts, dues: Sequence[Due], reminding: Reminding) -> PlannedFollowUp:
    open_ = [due for due in dues if _keeps_open(due)]
    pending = [due for due in open_ if due.state is State.ASKED and f.finished_at is None]
    return PlannedFollowUp(
        id=f.id,
        local_date=f.local_date,
        opens_at=min(due.opens_at for due in open_),
        send_at=max(due.send_at for due in open_),
        closes_at=max(due.closes_at for due in open_),
        dues=tuple(due.key for due in open_),
        instruments=once(name for due in open_ for name in due.instruments),
        messages=reminding.reminders(f, pending),
    )


def _withdrawn(
    follow_ups: Iterable[PlannedFollowUp], dues: Sequence[Due], facts: PatientFacts
) -> dict[str, str]:
    """Follow-ups no due stands on any more. What was finished, or begun, is left alone."""
    kept = {each.id for each in follow_ups}
    before = {due.key: known.follow_up for due in dues if (known := facts.known.get(due.key))}
    reasons = {before[due.key]: due.reason for due in dues if due.key in before and due.reason}
    return {
        f.id: reasons.get(f.id) or "rescheduled"
        for f in facts.follow_ups.values()
        if f.id in before.values() and f.id not in kept
        and not f.withdrawn and f.finished_at is None
        and (f.begun_at is None or facts.gone)
    }  # fmt: skip


def _order(due: Due) -> tuple[datetime, str, Key | tuple[str, ...]]:
    key = due.key
    return due.target_at, key.step, (key.course, key.infusion or "", str(key.occurrence))
