"""Civil time: what a wall clock in a zone means, and when a message may go.

A time that spring skips means the first valid instant after the gap; one that autumn repeats
means the first of the two; a calendar day that a zone left out means the next one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
MORNING = time(8)  # nothing goes out from an infusion's start until then, the next day
EVERY_DAY = frozenset(range(7))  # 0 is Monday


def allowed_days(clinic_days: Iterable[int], patient_days: Iterable[int]) -> frozenset[int]:
    """The weekdays on which scheduled mail goes: those both allow; none named allows all.

    Where they share no day the patient's own stand, so that no setting of a clinic silences
    a patient for good; staff are shown that it is so.
    """
    patient = frozenset(patient_days) or EVERY_DAY
    return (frozenset(clinic_days) or EVERY_DAY) & patient or patient


def share_a_day(clinic_days: Iterable[int], patient_days: Iterable[int]) -> bool:
    clinic, patient = frozenset(clinic_days), frozenset(patient_days)
    return not (clinic and patient) or bool(clinic & patient)


def instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The instant a clock in `zone` shows `at` on `day`."""
    return _instant(existing(day, zone), at, zone)


def existing(day: date, zone: ZoneInfo) -> date:
    """`day`, or the next one that the zone has."""
    return local_date(_instant(day, time(0), zone), zone)


def local_date(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()


def day_end(day: date, zone: ZoneInfo) -> datetime:
    return instant(day + DAY, time(0), zone)


def day_before(day: date, zone: ZoneInfo) -> date:
    """The last one that the zone has."""
    return local_date(instant(day, time(0), zone) - timedelta(microseconds=1), zone)


@lru_cache(maxsize=16_384)
def _quiet(day: date, begins: time, ends: time, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The quiet hours that begin on `day`. An hour that the night repeats is quiet both times:
    they begin when the clock first shows their beginning, and end when it last shows their end."""
    last = existing(day + DAY if begins > ends else day, zone)
    again = datetime.combine(last, ends.replace(fold=1), tzinfo=zone).astimezone(UTC)
    return instant(day, begins, zone), max(instant(last, ends, zone), again)


@lru_cache(maxsize=16_384)
def _instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Remembered: the plans of one clinic ask for the same few mornings again and again."""
    first = datetime.combine(day, at, tzinfo=zone).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) == datetime.combine(day, at):
        return first
    second = datetime.combine(day, at.replace(fold=1), tzinfo=zone).astimezone(UTC)
    return _change_of_offset(second, first, zone)


def _change_of_offset(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first whole second with the later offset: where the gap ends."""
    old = before.astimezone(zone).utcoffset()
    low, high = int(before.timestamp()), int(after.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        same = datetime.fromtimestamp(middle, zone).utcoffset() == old
        low, high = (middle, high) if same else (low, middle)
    return datetime.fromtimestamp(high, UTC)


@dataclass(frozen=True, slots=True)
class Hours:
    """When this patient may be written to at all."""

    zone: ZoneInfo
    quiet_from: time
    quiet_until: time
    held: tuple[tuple[datetime, datetime], ...]  # from each infusion until the next morning
    allowed_days: frozenset[int]

    def day(self, moment: datetime) -> date:
        return local_date(moment, self.zone)

    def at(self, day: date, wall: time) -> datetime:
        return instant(day, wall, self.zone)

    def clear(self, moment: datetime) -> datetime:
        """`moment`, or the first instant after it that is neither quiet nor held."""
        while (later := self._after_held(self._after_quiet(moment))) > moment:
            moment = later
        return moment

    def moments(
        self, start: datetime, wall: time | None, before: datetime, *, at_once: bool = False
    ) -> Iterator[datetime]:
        """One moment for each local day the patient allows, from `start`, at `wall` o'clock.

        Without `wall` the first is at once, and the others are in the morning. `at_once` makes
        each the first permitted moment of its day: as a plan made on that day would say.
        """
        later = time(0) if at_once else wall or MORNING
        if wall is None or at_once:
            moment = self.clear(start)
        else:
            moment = self.clear(max(start, self.at(self.day(start), wall)))
        while moment < before:
            day = self.day(moment)
            if day.weekday() in self.allowed_days:
                yield moment
            day = existing(day + DAY, self.zone)
            moment = self.clear(self.at(day, later))

    def _after_quiet(self, moment: datetime) -> datetime:
        """Of the night that began the day before, and of the day's own."""
        if self.quiet_from == self.quiet_until:
            return moment
        today = self.day(moment)
        for day in (day_before(today, self.zone), today):
            begins, ends = _quiet(day, self.quiet_from, self.quiet_until, self.zone)
            if begins <= moment < ends:
                return ends
        return moment

    def _after_held(self, moment: datetime) -> datetime:
        return max([until for since, until in self.held if since <= moment < until] + [moment])
