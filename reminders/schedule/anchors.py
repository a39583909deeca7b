"""What steps are counted from: the infusions of a course as they stand now, and its end."""

from datetime import datetime, timedelta

from reminders.schedule.answered import answered_at
from reminders.schedule.clock import day_end, local_date
from reminders.schedule.facts import CourseFacts, Due, InfusionFacts, Key, PatientFacts, State

# So long after an infusion without another one, given or planned, the course's planned number
# of infusions no longer keeps the series open.
COUNT_LIFTED_AFTER = timedelta(days=6)


def counts(infusion: InfusionFacts, facts: PatientFacts, now: datetime) -> bool:
    """Completed, or planned and its local day not over: then nobody knows, and it is left out."""
    if infusion.status == "planned":
        return now < lapses_at(infusion, facts)
    return infusion.status == "completed"


def lapses_at(infusion: InfusionFacts, facts: PatientFacts) -> datetime:
    return day_end(local_date(infusion.started_at, facts.clinic_zone), facts.clinic_zone)


def completed(course: CourseFacts) -> list[InfusionFacts]:
    """In order of time: an infusion's place is its number."""
    given = [infusion for infusion in course.infusions if infusion.status == "completed"]
    return sorted(given, key=lambda infusion: infusion.started_at)


def planned(course: CourseFacts, facts: PatientFacts, now: datetime) -> list[InfusionFacts]:
    """Still expected, soonest first. A closed course expects none."""
    if course.closed_at is not None and course.closed_at <= now:
        return []
    ahead = [
        infusion
        for infusion in course.infusions
        if infusion.status == "planned" and counts(infusion, facts, now)
    ]
    return sorted(ahead, key=lambda infusion: infusion.started_at)


def last_infusion(course: CourseFacts, facts: PatientFacts, now: datetime) -> InfusionFacts | None:
    """The latest completed infusion, unless more are expected in this course."""
    given = completed(course)
    return given[-1] if given and not expects_more(course, facts, now) else None


def expects_more(course: CourseFacts, facts: PatientFacts, now: datetime) -> bool:
    given = completed(course)
    if course.closed_at is not None and course.closed_at <= now:
        return False
    if not given:
        return True
    if any(infusion.started_at > given[-1].started_at for infusion in planned(course, facts, now)):
        return True
    short = course.planned_count is not None and len(given) < course.planned_count
    return short and now < count_lifted_at(course)


def count_lifted_at(course: CourseFacts) -> datetime:
    return completed(course)[-1].started_at + COUNT_LIFTED_AFTER


def first_start(course: CourseFacts, facts: PatientFacts, now: datetime) -> datetime | None:
    """Of the first infusion, given or still planned: the baseline ends there."""
    starts = [i.started_at for i in (*completed(course), *planned(course, facts, now))]
    return min(starts, default=None)


def next_start(
    after: InfusionFacts, course: CourseFacts, facts: PatientFacts, now: datetime
) -> datetime | None:
    starts = [i.started_at for i in (*completed(course), *planned(course, facts, now))]
    return min((start for start in starts if start > after.started_at), default=None)


def ends_at(course: CourseFacts, facts: PatientFacts, now: datetime) -> datetime | None:
    """When a course that goes on from enrolment stops asking: closed by staff, so many days
    without an infusion, or a drop-out guard that nobody answered."""
    protocol = course.protocol
    given = completed(course)
    ends = [] if course.closed_at is None else [course.closed_at]
    if protocol.ends_after_days is not None:
        since = given[-1].started_at if given else course.enrolled_at
        ends.append(since + timedelta(days=protocol.ends_after_days))
    latest = given[-1].id if given else ""
    guard = facts.known.get(Key(course.id, protocol.ends_unanswered, latest))
    if guard is not None and _stayed_silent(guard, facts, now):
        ends.append(guard.closes_at)
    return min(ends, default=None)


def _stayed_silent(guard: Due, facts: PatientFacts, now: datetime) -> bool:
    follow_up = facts.follow_up_of(guard)
    if follow_up is None or not follow_up.asked or guard.closes_at > now:
        return False
    return guard.state in (State.ASKED, State.EXPIRED) and answered_at(guard, facts) is None
