"""Reminders: on the n-th local calendar day after the invitation went, at the step's hour."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from reminders.schedule.answered import key_of
from reminders.schedule.asking import is_safe
from reminders.schedule.clock import Hours, day_end, existing
from reminders.schedule.facts import Due, FollowUpFacts, Key, Message, Occasion, PatientFacts
from reminders.schedule.occasions import wall_time


@dataclass(frozen=True, slots=True)
class Reminding:
    facts: PatientFacts
    hours: Hours
    now: datetime
    occasions: Mapping[Key, Occasion]
    taken: set[date]  # days on which something else goes, or went

    def reminders(self, follow_up: FollowUpFacts, pending: Sequence[Due]) -> tuple[Message, ...]:
        """What is still to be sent for this follow-up while nobody answers it."""
        facts = self.facts
        invited = [
            sent.on
            for sent in facts.sent
            if sent.follow_up == follow_up.id and sent.kind == "invitation"
        ]
        if not invited or facts.gone or facts.alert_open or facts.channel != "email":
            return ()
        return tuple(self._each(follow_up, pending, invited[0]))

    def _each(
        self, follow_up: FollowUpFacts, pending: Sequence[Due], invited: date
    ) -> Iterator[Message]:
        gone_out = {s.nth for s in self.facts.sent if s.follow_up == follow_up.id}
        gone_out |= follow_up.spent
        own_hour = self.facts.cover == "always" or not any(map(self._risky, pending))
        for nth in sorted({n for due in pending for n in self._days_of(due)} - gone_out):
            day = existing(invited + timedelta(days=nth), self.hours.zone)
            wanted = [due for due in pending if nth in self._days_of(due)]
            at = self._moment(day, max(self._wall(due, own_hour) for due in wanted))
            still = [due for due in wanted if at is not None and at < due.closes_at]
            if at is None or not still or not self._may_be_on(day, at, pending):
                continue
            self.taken.add(day)
            ends = min(day_end(day, self.hours.zone), max(due.closes_at for due in still))
            steps = tuple(due.key.step for due in still)
            yield Message("reminder", nth, at, ends, steps, "not answered yet")

    def _days_of(self, due: Due) -> tuple[int, ...]:
        return self.occasions[due.key].step.reminder_days

    def _wall(self, due: Due, own_hour: bool) -> time:
        """The step's hour, or the patient's; what was asked at once is repeated at its hour."""
        wall = wall_time(self.occasions[due.key], own_hour)
        return wall or due.send_at.astimezone(self.hours.zone).time()

    def _moment(self, day: date, wall: time) -> datetime | None:
        """A reminder goes on its own local day or not at all."""
        at = self.hours.clear(max(self.hours.at(day, wall), self.now))
        return at if self.hours.day(at) == day else None

    def _may_be_on(self, day: date, at: datetime, pending: Sequence[Due]) -> bool:
        if day in self.taken or day.weekday() not in self.hours.allowed_days:
            return False
        if self.facts.cover == "weekdays" and any(map(self._risky, pending)):
            return is_safe(at, self.hours, self.facts) and not self._paused(at)
        return not self._paused(at)

    def _paused(self, at: datetime) -> bool:
        until = self.facts.paused_until
        return self.facts.status == "paused" and (until is None or at < until)

    def _risky(self, due: Due) -> bool:
        return any(self.facts.instruments[key_of(n)].suicide_item for n in due.instruments)
