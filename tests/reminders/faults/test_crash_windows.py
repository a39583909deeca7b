"""A process that is killed at each of seven points, where the provider knows our key and where it
does not. The provider's own log is the judge: nobody is mailed twice, and nothing is lost."""

import os
import signal

import pytest

from reminders.timekeeping import database_clock
from tests.reminders.crowd import make_crowd
from tests.reminders.faults.child import (
    AFTER_CLAIM,
    AFTER_INTENT,
    AFTER_SETTLE,
    BEFORE_CLAIM,
    BEFORE_INTENT,
    BEFORE_SETTLE,
    DURING_CALL,
    POINTS,
)
from tests.reminders.faults.healing import heal, states, today, until
from tests.reminders.letters import drain_at

pytestmark = pytest.mark.processes

DUE = 3
# What the dead process leaves behind. Of calls that end one by one, some may be settled already.
LEFT = {
    BEFORE_CLAIM: {"scheduled"},
    AFTER_CLAIM: {"claimed"},
    BEFORE_INTENT: {"claimed"},
    AFTER_INTENT: {"sending"},
    DURING_CALL: {"sending", "accepted"},
    BEFORE_SETTLE: {"sending"},
    AFTER_SETTLE: {"sending", "accepted"},
}
HARMLESS = {BEFORE_CLAIM, AFTER_CLAIM, BEFORE_INTENT}


@pytest.mark.parametrize("speaks", ["postmark", "resend"])
@pytest.mark.parametrize("point", POINTS)
def test_killed_there_nothing_is_lost_and_nobody_is_mailed_twice(ours, house, point):
    make_crowd(DUE, now=today())
    if point == DURING_CALL:
        house.mood("slow")
    child = ours(point)
    if point == DURING_CALL:
        until(house.taken)
        os.kill(child.pid, signal.SIGKILL)
    assert child.process.wait(60) == -signal.SIGKILL, child.last_lines()
    left = states()
    assert set(left) <= LEFT[point]
    if point in HARMLESS:
        assert not house.taken()

    house.mood("calm")
    heal()
    taken, ended = house.taken(), states()
    assert len(set(taken)) == len(taken)
    if point in HARMLESS or house.speaks == "resend":
        assert (len(taken), ended) == (DUE, {"accepted": DUE})
    else:
        assert set(ended) <= {"accepted", "unknown"}, "what is in doubt is listed"
        assert ended["unknown"] == left["sending"]
        assert ended["accepted"] <= len(taken)


@pytest.mark.parametrize(
    ("speaks", "at_once", "ended", "calls"),
    [
        pytest.param("postmark", "unknown", "unknown", ["accepted"], id="no key: it is listed"),
        pytest.param("resend", "unknown", "accepted", ["accepted", "replayed"], id="by its key"),
    ],
)
def test_a_read_that_times_out_after_the_provider_took_it_mails_nobody_twice(
    house, settings, at_once, ended, calls
):
    make_crowd(1, now=today())
    patience = settings.ANYMAIL["REQUESTS_TIMEOUT"]
    settings.ANYMAIL = {**settings.ANYMAIL, "REQUESTS_TIMEOUT": (1, 0.2)}
    house.mood("slow")
    drain_at(database_clock()())
    assert states() == {at_once: 1}
    settings.ANYMAIL = {**settings.ANYMAIL, "REQUESTS_TIMEOUT": patience}
    house.mood("calm")
    heal()
    assert states() == {ended: 1}
    assert [line["kind"] for line in house.ledger()] == calls
