"""Protocol and facts -> every due there is, with its target instant and its window."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from reminders.protocols import Anchor, Closing, Step
from reminders.schedule.anchors import completed, ends_at, first_start, last_infusion, next_start
from reminders.schedule.anchors import planned as planned_infusions
from reminders.schedule.clock import DAY, instant, local_date
from reminders.schedule.conditions import holds
from reminders.schedule.facts import CourseFacts, InfusionFacts, Key, Occasion, PatientFacts

FINAL = 0  # the occurrence of a step asked once more when its course ends
LONGEST_PASS = 31  # days a step may be passed on from day to day


def occasions(
    facts: PatientFacts, now: datetime, horizon: timedelta
) -> tuple[list[Occasion], datetime | None]:
    """The dues whose windows open within the horizon, and when the next one enters it.

    Dues that were planned before and that the protocol no longer implies are among them: what
    became of them has to be said.
    """
    found: dict[Key, Occasion] = {}
    for course in facts.courses:
        found |= {each.key: each for each in _of_course(course, facts, now, horizon)}
        found |= {each.key: each for each in _remembered(course, facts, now, found.keys())}
    ahead = [o.opens_at for key, o in found.items() if key not in facts.known]
    entering = min((opens - horizon for opens in ahead if opens > now + horizon), default=None)
    inside = [o for o in found.values() if o.key in facts.known or o.opens_at <= now + horizon]
    return inside, entering


def _of_course(
    course: CourseFacts, facts: PatientFacts, now: datetime, horizon: timedelta
) -> Iterator[Occasion]:
    for step in course.protocol.steps:
        for infusion, number in _anchored(step, course, facts, now):
            key = Key(course.id, step.id, infusion.id if infusion else None)
            yield occasion(step, key, facts, now, course, infusion, number)
        if step.anchor is Anchor.EVERY:
            yield from _every(step, course, facts, now, horizon)


def _anchored(
    step: Step, course: CourseFacts, facts: PatientFacts, now: datetime
) -> Iterator[tuple[InfusionFacts | None, int | None]]:
    """The infusions a step is counted from, each with its number. Enrolment has none."""
    given = completed(course)
    if step.anchor is Anchor.ENROLMENT:
        yield None, None
    elif step.anchor is Anchor.EACH_INFUSION:
        yield from ((i, n) for n, i in enumerate(given, 1) if _right_number(step, n))
    elif step.anchor is Anchor.FIRST_INFUSION:
        yield from ((infusion, 1) for infusion in given[:1])
    elif step.anchor is Anchor.LAST_INFUSION:
        last = last_infusion(course, facts, now)
        yield from [] if last is None else [(last, len(given))]
    elif step.anchor is Anchor.NEXT_PLANNED:
        ahead = planned_infusions(course, facts, now)[:1]
        yield from ((i, len(given) + 1) for i in ahead if _right_number(step, len(given) + 1))


def _right_number(step: Step, number: int) -> bool:
    """A step for one infusion only makes no dues, not even skipped ones, for the others."""
    return all(
        (condition.argument == number) is condition.wanted
        for condition in step.conditions
        if condition.name == "infusion_number"
    )


def _every(
    step: Step, course: CourseFacts, facts: PatientFacts, now: datetime, horizon: timedelta
) -> Iterator[Occasion]:
    """Until the course ends, and one beyond the horizon, so that its entering is known."""
    stop = ends_at(course, facts, now)
    for number in range(1, 1000):
        due = occasion(step, Key(course.id, step.id, None, number), facts, now, course)
        if stop is not None and due.target_at >= stop:
            break
        yield due
        if due.opens_at > now + horizon:
            break
    if step.final and stop is not None and stop <= now:
        yield occasion(step, Key(course.id, step.id, None, FINAL), facts, now, course)


def _remembered(
    course: CourseFacts, facts: PatientFacts, now: datetime, found: Collection[Key]
) -> Iterator[Occasion]:
    """Dues that were planned before and that the facts no longer imply."""
    expected = (*completed(course), *planned_infusions(course, facts, now))
    numbers = {infusion.id: n for n, infusion in enumerate(expected, 1)}
    infusions = {infusion.id: infusion for infusion in course.infusions}
    for key in set(facts.known) - set(found):
        step = course.protocol.step(key.step) if key.course == course.id else None
        infusion = infusions.get(key.infusion) if key.infusion else None
        if step is not None and (key.infusion is None or infusion is not None):
            number = numbers.get(key.infusion or "")
            yield occasion(step, key, facts, now, course, infusion, number)


def occasion(
    step: Step,
    key: Key,
    facts: PatientFacts,
    now: datetime,
    course: CourseFacts,
    infusion: InfusionFacts | None = None,
    number: int | None = None,
) -> Occasion:
    anchor_at = _anchor_at(step, key, course, facts, now, infusion)
    day = _anchor_day(anchor_at, facts, infusion) + _offset(step, key)
    bare = Occasion(facts, course, step, key, anchor_at, anchor_at, anchor_at, anchor_at, now,
                    infusion, number)  # fmt: skip
    known = facts.known.get(key)
    follow_up = facts.follow_up_of(known)
    if known and follow_up and follow_up.asked and known.anchor_at == anchor_at:
        return _with_window(replace(bare, target_at=known.target_at))
    return _with_window(_passed_on(bare, day))


def _anchor_at(
    step: Step,
    key: Key,
    course: CourseFacts,
    facts: PatientFacts,
    now: datetime,
    infusion: InfusionFacts | None,
) -> datetime:
    if is_final(step, key):
        return ends_at(course, facts, now) or course.enrolled_at
    return course.enrolled_at if infusion is None else infusion.started_at


def is_final(step: Step, key: Key) -> bool:
    return step.final and key.occurrence == FINAL


def _anchor_day(anchor_at: datetime, facts: PatientFacts, infusion: InfusionFacts | None) -> date:
    """An infusion's date is the clinic's; enrolment's is the patient's own."""
    return local_date(anchor_at, facts.clinic_zone if infusion else facts.zone)


def _offset(step: Step, key: Key) -> timedelta:
    return (step.offset_days + step.every_days * key.occurrence) * DAY


def _passed_on(bare: Occasion, day: date) -> Occasion:
    """On its day, or on the next one on which the step may be asked."""
    for passed in range(LONGEST_PASS):
        found = replace(bare, target_at=_target(bare, day + passed * DAY))
        if _may_be_on(found, day + passed * DAY):
            return found
    return replace(bare, target_at=_target(bare, day))


def _may_be_on(found: Occasion, day: date) -> bool:
    step = found.step
    if step.or_next_day and not holds(step.conditions, found):
        return False
    return all(day - asked >= step.days_between * DAY for asked in _days_asked(found))


def _days_asked(found: Occasion) -> Iterator[date]:
    """The local days on which this step of this course was asked before, for other infusions."""
    if not found.step.days_between:
        return
    for key, due in found.facts.known.items():
        if (key.course, key.step) == (found.key.course, found.key.step) and key != found.key:
            days = [sent.on for sent in found.facts.sent if sent.follow_up == due.follow_up]
            yield from days[:1]


def _target(bare: Occasion, day: date) -> datetime:
    if bare.step.send_at is None:
        return bare.anchor_at
    target = instant(day, bare.step.send_at, bare.facts.zone)
    if is_final(bare.step, bare.key) and target < bare.anchor_at:
        target = instant(day + DAY, bare.step.send_at, bare.facts.zone)
    return target


def _with_window(found: Occasion) -> Occasion:
    step, target = found.step, found.target_at
    opens = target - timedelta(hours=step.opens_before_hours)
    hours = step.closes_after_hours
    ends = [] if hours is None else [target + timedelta(hours=hours)]
    if (earlier := _closed_by(found)) is not None:
        ends.append(earlier)
    return replace(found, opens_at=opens, closes_at=max(opens, min(ends)))


def _closed_by(found: Occasion) -> datetime | None:
    step, infusion = found.step, found.infusion
    if step.closing is Closing.FIRST_INFUSION:
        return first_start(found.course, found.facts, found.now)
    if step.closing is Closing.NEXT_INFUSION and infusion is not None:
        return next_start(infusion, found.course, found.facts, found.now)
    if step.closing is Closing.ANCHOR:
        return found.anchor_at - timedelta(hours=step.closes_hours_early)
    return None


def wall_time(found: Occasion, own_hour: bool) -> time | None:
    """The hour of the day at which this due is sent; none: at once.

    The patient's own hour moves the e-mail, never the target or the window.
    """
    if found.step.send_at is None or not own_hour or found.facts.send_hour is None:
        return found.step.send_at
    return time(found.facts.send_hour)
