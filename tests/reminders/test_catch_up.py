"""After a standstill nothing floods: one message a day, the late is missed, and each has a reason.

Patients in four zones are asked every other day at ten and reminded on the days between, and
nobody answers. The engine stands still and comes back; the real tick and the real drain run.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

import pytest
from django.db.models import Min

from clinic import enrolment
from clinic.models import Clinic, Course, Definition, Patient
from reminders import ticking
from reminders.models import Message, State
from surveys.models import StepDue
from tests.builders import BY_TEST, course_details, patient_details
from tests.reminders.letters import drain_at

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ZONES = ["America/Chicago", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"]
EACH = 3  # patients in each zone
OFTEN = """
id = "often"
version = "1"
title = "Often"
source = "a test"
[[steps]]
id = "S"
title = "Every other day"
anchor = "every"
every_days = 2
send_at = "10:00"
closes_after_hours = 48
reminder_days = [1]
instruments = ["checkin"]
"""
BEGAN = datetime(2026, 6, 1, 12, tzinfo=UTC)


@dataclass
class Service:
    """The engine, from one thing to do to the next, until it stops."""

    now: datetime

    def run_until(self, until: datetime) -> None:
        while self.now < until:
            self.once()
            self.now = min([until, *self._times()])

    def once(self) -> int:
        """How many messages went."""
        ticking.tick(now=self.now)
        return drain_at(self.now)

    def _times(self) -> list[datetime]:
        due = Message.objects.filter(state=State.SCHEDULED).aggregate(at=Min("due_at"))["at"]
        look = Course.objects.aggregate(at=Min("replan_at"))["at"]
        return [at for at in (due, look) if at is not None and at > self.now]


@pytest.fixture
def service(clinic: Clinic) -> Service:
    """Three and a half quiet days of it, until seven o'clock in the evening in Chicago."""
    Definition.objects.create(
        kind="protocol", key="often", version="1", sha256="0" * 64, text=OFTEN, clinic=clinic,
        recorded_at=BEGAN,
    )  # fmt: skip
    for n in range(EACH * len(ZONES)):
        person = patient_details(
            name=f"P {n}", mrn=f"{n}", email=f"{n}@example.com", zone=ZONES[n % len(ZONES)]
        )
        enrolment.enrol(clinic, person, course_details(protocol="often"), by=BY_TEST, now=BEGAN)
    running = Service(BEGAN)
    running.run_until(BEGAN + 3 * DAY + 12 * HOUR)
    return running


def assert_as_ruled() -> None:
    """One message for each patient and local day, by day, and reminders on the day after."""
    sent = list(Message.objects.filter(state=State.ACCEPTED).select_related("patient__clinic"))
    assert len({(message.patient_id, message.capped_on) for message in sent}) == len(sent)
    invited = {m.follow_up_id: m.capped_on for m in sent if m.kind == "invitation"}
    for message in sent:
        local = message.accepted_at.astimezone(message.patient.tz)
        assert time(8) <= local.time() < time(21)
        assert message.capped_on == local.date()
        assert message.capped_on == invited[message.follow_up_id] + message.nth * DAY


def lost_by(patient: Patient, stopped: datetime, again: datetime) -> Iterator[datetime]:
    """Worked out by hand: the check-ins of the standstill of which less than half was left."""
    first = BEGAN.astimezone(patient.tz).date()
    morning = again.astimezone(patient.tz)
    if morning.time() >= time(21):
        morning += DAY
    if not time(8) <= morning.time() < time(21):
        morning = morning.replace(hour=8, minute=0)
    for day in range(2, 100, 2):
        target = datetime.combine(first + day * DAY, time(10), tzinfo=patient.tz)
        if stopped < target <= again and morning - target > 24 * HOUR:
            yield target


def missed() -> list[StepDue]:
    return list(StepDue.objects.filter(state="expired", reason__startswith="missed"))


def test_before_it_everybody_is_written_to_once_a_day(service, mailoutbox):
    assert_as_ruled()
    assert missed() == []
    kinds = Counter(Message.objects.filter(state=State.ACCEPTED).values_list("kind", flat=True))
    assert kinds == {"invitation": len(ZONES) * EACH, "reminder": len(ZONES) * EACH}
    assert len(mailoutbox) == sum(kinds.values())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("length", "most"),
    [
        pytest.param(6 * HOUR, 0, id="six hours"),
        pytest.param(16 * HOUR, 0, id="a night"),
        pytest.param(3 * DAY, 1, id="three days"),
        pytest.param(3 * DAY + 8 * HOUR, 2, id="three days and a night"),
        pytest.param(30 * DAY, 15, id="thirty days"),
    ],
)
def test_a_standstill_leaves_one_message_a_day_and_reasons(service, mailoutbox, length, most):
    stopped, before = service.now, len(mailoutbox)
    service.now += length
    assert service.once() <= len(ZONES) * EACH
    assert_as_ruled()
    expected = {p.pk: sorted(lost_by(p, stopped, service.now)) for p in Patient.objects.all()}
    assert max(map(len, expected.values())) == most
    again = service.now
    service.run_until(service.now + 4 * DAY)
    assert_as_ruled()
    found = {pk: [] for pk in expected}
    for due in missed():
        found[due.course.patient_id].append(due.target_at)
    assert {pk: sorted(targets) for pk, targets in found.items()} == expected
    unsent = Message.objects.filter(kind="invitation", state=State.SUPERSEDED)
    assert unsent.count() == len(missed())
    assert all(message.reason.startswith("missed") for message in unsent)
    went = len(mailoutbox) - before
    assert went <= 5 * len(ZONES) * EACH, f"{went} since {again}"
    assert not Message.objects.filter(state=State.SCHEDULED, due_at__lte=service.now).exists()
