"""Plans that change while much is due and half of it is claimed: nothing goes by the old plan,
nothing twice, and a planner that dies half way leaves no half plan."""

import signal
from datetime import time, timedelta

import pytest

from clinic import settling as clinic_settings
from clinic.models import Clinic, Course
from reminders import claiming, planning, preparing, ticking
from reminders.models import Message, State
from surveys.models import StepDue
from tests.builders import BY_TEST
from tests.reminders.crowd import make_crowd
from tests.reminders.faults.child import BEFORE_PLAN
from tests.reminders.faults.healing import heal, states, today
from tests.reminders.letters import drain_at, send_prepared

DUE = 30
HOUR = timedelta(hours=1)


def edit(clinic: Clinic, now, quiet_until: time) -> None:
    """Everybody's hours move. It is noon there."""
    changes = {"quiet_from": time(21), "quiet_until": quiet_until}
    clinic_settings.change(clinic, changes, by=BY_TEST, now=now)


def to(mail) -> list[str]:
    return [address for taken in mail.messages for address in taken.recipients]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("reverted", [False, True], ids=["edited", "edited and reverted"])
def test_a_plan_that_is_edited_while_half_is_claimed(mail_server, now, reverted):
    clinic = make_crowd(DUE, now=now)
    claimed = preparing.prepare(claiming.take(Message, DUE // 2, now=now), "smtp", now=now)
    assert len(claimed) == DUE // 2
    edit(clinic, now, time(15))
    if reverted:
        edit(clinic, now, time(8))
    send_prepared(claimed, now=now)
    ticking.tick(now=now)
    drain_at(now)
    if not reverted:
        assert to(mail_server) == []
        assert states() == {"scheduled": DUE}
        (due_at,) = Message.objects.values_list("due_at", flat=True).distinct()
        assert due_at.astimezone(clinic.tz).time() == time(15)
        ticking.tick(now=due_at)
        drain_at(due_at)
    assert (len(set(to(mail_server))), len(to(mail_server))) == (DUE, DUE)
    assert states() == {"accepted": DUE}
    assert Message.objects.filter(kind="invitation").count() == DUE


@pytest.mark.processes
def test_a_planner_that_is_killed_half_way_leaves_whole_plans_and_is_taken_up_again(ours, house):
    now = today()
    clinic = make_crowd(DUE, now=now)
    edit(clinic, now, time(9))
    dues, messages = StepDue.objects.count(), Message.objects.count()
    child = ours(BEFORE_PLAN, signal.SIGKILL)
    assert child.process.wait(60) == -signal.SIGKILL, child.last_lines()
    assert Course.objects.lagging(now + HOUR).count() == DUE, "what was begun is undone"
    planning.reconcile_lagging(now=today())
    assert Course.objects.lagging(today()).count() == 0
    assert (StepDue.objects.count(), Message.objects.count()) == (dues, messages)
    heal()
    assert (len(house.taken()), len(set(house.taken()))) == (DUE, DUE)
    assert set(Message.objects.filter(kind="invitation").values_list("state", flat=True)) == {
        State.ACCEPTED
    }
