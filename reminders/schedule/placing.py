"""On which local day each due is sent: one follow-up, and one message, for each day."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time

from reminders.schedule.asking import SAFE_DAYS, free_at
from reminders.schedule.clock import DAY, Hours
from reminders.schedule.facts import Due, PatientFacts, State
from reminders.schedule.occasions import wall_time
from reminders.schedule.states import CALL_LIST, Candidate, harmless, late, too_close

PAUSED = "paused"
NOON = time(12)  # stands for a local day on which nothing is mailed
ON_THE_TABLET = "baseline now on the tablet"


@dataclass(frozen=True, slots=True)
class Placed:
    """A due with the moment it goes on its day; on the tablet only when it is not mailed."""

    candidate: Candidate
    at: datetime
    mailed: bool = True

    @property
    def due(self) -> Due:
        return self.candidate.due


@dataclass(slots=True)
class Days:
    """The patient's local days while they are filled."""

    facts: PatientFacts
    hours: Hours
    now: datetime
    taken: set[date]
    placed: dict[date, list[Placed]] = field(default_factory=dict)
    not_placed: list[Due] = field(default_factory=list)

    def fill(self, candidates: Iterable[Candidate]) -> None:
        """Sort every due into its day; where one cannot wait for the others, they move on."""
        waiting = [placed for each in candidates if (placed := self._place(each))]
        while waiting:
            day = min(self.hours.day(each.at) for each in waiting)
            todays = [each for each in waiting if self.hours.day(each.at) == day]
            waiting = [each for each in waiting if self.hours.day(each.at) != day]
            todays = self._at_their_hours(todays)
            self.placed[day] = together(todays)
            self.taken.add(day)
            left = [each for each in todays if each not in self.placed[day]]
            waiting += [again for each in left if (again := self._place(each.candidate))]

    def _place(self, candidate: Candidate) -> Placed | None:
        if candidate.asking.send_at is None or self.facts.channel != "email":
            return self._on_the_tablet(candidate)
        at = self._moment(candidate)
        if (at is None or late(candidate, at)) and candidate.asking.safe_days:
            candidate = harmless(candidate, self.hours)
            at = self._moment(candidate)
        if at is not None and not late(candidate, at) and not too_close(candidate, at):
            return Placed(candidate, at)
        if candidate.occasion.step.mail_hours_left and self.facts.status != "paused":
            return self._on_the_tablet(candidate, ON_THE_TABLET)
        self._cannot(candidate)
        return None

    def _moment(self, candidate: Candidate) -> datetime | None:
        """The first permitted moment from its send instant, or from now when that is past."""
        due, safe = candidate.due, candidate.asking.safe_days
        start = self._not_before(due)
        if start is None:
            return None
        for moment in self.hours.moments(start, None, due.closes_at, at_once=True):
            day = self.hours.day(moment)
            if day not in self.taken and (not safe or day.weekday() in SAFE_DAYS):
                return moment
        return None

    def _at_their_hours(self, todays: list[Placed]) -> list[Placed]:
        """Beside a suicide item that keeps to the safety days, the patient's own hour yields."""
        if not any(each.candidate.asking.safe_days for each in todays):
            return todays
        return [replace(each, at=min(each.at, self._at_its_hour(each))) for each in todays]

    def _at_its_hour(self, placed: Placed) -> datetime:
        """The step's own hour on this day, no earlier than its minimum intervals are over."""
        occasion, due = placed.candidate.occasion, placed.due
        wall = wall_time(occasion, own_hour=False)
        if wall is None:
            return placed.at
        free = [at for name in due.instruments if (at := free_at(name, occasion))]
        day = self.hours.day(placed.at)
        return self.hours.clear(max([self.now, due.target_at, self.hours.at(day, wall), *free]))

    def _not_before(self, due: Due) -> datetime | None:
        start = max(due.send_at, self.now)
        if self.facts.status != "paused":
            return start
        until = self.facts.paused_until
        return None if until is None else max(start, until)

    def _cannot(self, candidate: Candidate) -> None:
        """Not in what is left of its window; a pause may still be lifted in time."""
        due = candidate.due
        if self.facts.status == "paused":
            due = replace(due, reason=PAUSED, follow_up=None)
        else:
            reason = _why_missed(candidate)
            due = replace(due, state=State.EXPIRED, reason=reason, follow_up=None)
        self.not_placed.append(due)

    def _on_the_tablet(self, candidate: Candidate, reason: str = "") -> Placed:
        """It stays on its day, open for the tablet and the call list until it closes."""
        due = candidate.due
        known = self.facts.follow_up_of(due)
        reason = reason or (due.reason if self.facts.channel == "email" else CALL_LIST)
        candidate = replace(candidate, due=replace(due, reason=reason))
        day = known.local_date if known is not None else self._free_day(due)
        return Placed(candidate, self.hours.at(day, NOON), mailed=False)

    def _free_day(self, due: Due) -> date:
        day = self.hours.day(max(due.send_at, self.now))
        while day in self.taken:
            day = self.hours.day(self.hours.at(day + DAY, NOON))
        return day


def _why_missed(candidate: Candidate) -> str:
    infusion = candidate.occasion.infusion
    if infusion is not None and infusion.recorded_at > candidate.due.send_at:
        return "late entry: less than half of its window was left"
    return "missed: less than half of its window was left"


def together(todays: list[Placed]) -> list[Placed]:
    """The dues of a day that one message can carry.

    It goes at the latest moment among them, when all their windows are open, unless one cannot
    wait that long: then those that can go with it do, and the others have to move.
    """
    at = moment(todays)
    urgent = [each for each in todays if each.mailed and not _can_wait(each, at)]
    if not urgent:
        return todays
    at = moment(urgent)
    return [each for each in todays if each.at <= at or not each.mailed]


def moment(todays: list[Placed]) -> datetime:
    """When a day's message goes. What is only on the tablet delays none."""
    return max(each.at for each in [each for each in todays if each.mailed] or todays)


def _can_wait(placed: Placed, at: datetime) -> bool:
    return not late(placed.candidate, at) and not too_close(placed.candidate, at)
