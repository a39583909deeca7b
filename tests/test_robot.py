"""A robot that opens every address of every e-mail and presses every button changes nothing.

What a scanner can send is a form as it was drawn: it opens addresses and presses buttons, but
types nothing and chooses nothing. So each form in reach needs a word or a choice before it does
something. The exceptions are by design, listed below, and no others may come.

One click by RFC 8058 is none of them: a mail program posts it because a person pressed there, it
stands in no page, and neither GET nor HEAD sets it off (tests/reminders/test_unsubscribe.py).
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import time_machine

from clinic import enrolment
from reminders import preferences
from reminders.models import Message
from surveys import links
from surveys.models import FollowUp
from tests import mails
from tests.builders import BY_TEST
from tests.mails import CASES, World, make_world
from tests.robot import Act, Robot, changed, tables
from tests.surveys.follow_ups import make_follow_up
from tests.test_reading import STATES

ALERTED = {"surveys_alert", "surveys_alertevent", "clinic_auditentry"}
ANSWERED = {"surveys_response", "surveys_followup", "surveys_score", "clinic_auditentry"}
# A call for help is one press, for whoever can do no more: a robot's false alarm is the price.
HELP = {"surveys:landing-help", "surveys:help", "reminders:help"}
# Behind Start, on a page that Start led to: to leave a question out on the page that complains of
# no answer, and to send what a patient has answered to the last question.
BEHIND_START = {("surveys:question", "skip"), ("surveys:review", "")}


def _replaced(follow_up: FollowUp, now: datetime) -> datetime:
    """Closed for good, and another one waits: its link is offered by e-mail."""
    later = now + timedelta(days=20)
    make_follow_up(follow_up.patient.courses.get(), ["phq9"], now=later)
    return later


def _stopped(follow_up: FollowUp, now: datetime) -> datetime:
    preferences.choose(follow_up, {"mail": "off"}, now=now)
    return now


def _paused(follow_up: FollowUp, now: datetime) -> datetime:
    enrolment.pause(follow_up.patient, by=BY_TEST, now=now)
    return now


ALL_STATES = [*STATES, _replaced, _stopped, _paused]


@pytest.fixture
def world(clinic, now) -> World:
    with time_machine.travel(now, tick=False):
        return make_world(clinic, now=now)


def robbed(world: World, kind: str, language: str, at: datetime) -> list[Act]:
    """What a robot does that is let loose on these e-mails at that moment."""
    with time_machine.travel(world.now, tick=False):
        found = mails.mails(world, kind, language)
    robot, before = Robot(), tables()
    with time_machine.travel(at, tick=False):
        for mail in found:
            for address in mails.addresses(mail):
                robot.open(address)
    assert changed(before, tables()) == frozenset()
    return robot.acts


def by_design(act: Act) -> bool:
    if act.route in HELP:
        return act.tables == ALERTED
    behind = (act.route, act.button) in BEHIND_START
    return behind and act.presses > 1 and act.tables <= ANSWERED | ALERTED | {"clinic_course"}


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "language"), CASES)
def test_no_robot_changes_anything_through_any_e_mail(world, kind, language, now):
    assert [act for act in robbed(world, kind, language, now) if not by_design(act)] == []


@pytest.mark.slow
@pytest.mark.parametrize("state", ALL_STATES, ids=lambda state: state.__name__)
def test_nor_in_any_state_of_what_the_e_mail_is_about(
    world, now, state: Callable[[FollowUp, datetime], datetime]
):
    at = state(world.follow_up, now)
    assert [a for a in robbed(world, "reminders/invitation", "es", at) if not by_design(a)] == []


def test_what_is_left_to_it_by_design_is_what_is_listed(world, now):
    """The list holds nothing that no robot comes to, and help is within one press of links."""
    met = robbed(world, "reminders/invitation", "en", now)
    assert {act.route for act in met if act.presses == 1} == {
        "surveys:landing-help",
        "reminders:help",
    }
    assert {act.route for act in met} >= HELP
    world.follow_up.refresh_from_db()
    at = STATES[2](world.follow_up, now)
    Message.objects.all().delete()
    met += robbed(world, "reminders/invitation", "en", at)
    assert {(act.route, act.button) for act in met if act.route not in HELP} == BEHIND_START


def test_a_robot_sees_what_a_browser_sees(world, now):
    """It is no robot that finds nothing: it came behind Start and to the patient's own page."""
    robot = Robot()
    with time_machine.travel(now, tick=False):
        for purpose, room in (("survey", "s"), ("unsubscribe", "u")):
            robot.open(f"/{room}/{links.token(world.follow_up, purpose)}/")
    paths = robot.opened | {path for path, _ in robot.sent}
    assert {"/check-in/1/", "/check-in/help/"} <= {path.partition("?")[0] for path in paths}
    chosen = [dict(fields) for _, fields in robot.sent if "save" in dict(fields)]
    assert chosen
    assert all(fields["mail"] == "on" for fields in chosen)
