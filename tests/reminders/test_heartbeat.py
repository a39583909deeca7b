"""One e-mail a day to the operators, over the way of every notice to staff."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.core import mail

from reminders import heartbeat, lanes, pulses, ticking
from reminders.health import judging, reading
from reminders.health.facts import Engine, Health
from reminders.models import Lane, Pulse
from reminders.tasks import drain
from tests.reminders.test_health import NOW, SETUP

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
TO = "operators@north.example"


@pytest.fixture
def wanted(settings):
    settings.HEARTBEAT_TO = TO
    return settings


def send(at) -> bool:
    return heartbeat.send(clock=lambda: at)


def test_it_reaches_the_mailbox_and_says_nothing_of_anybody(wanted, mail_server, patient, now):
    assert send(now)
    (received,) = mail_server.messages
    assert received.recipients == (TO,)
    assert Pulse.objects.get(name=pulses.HEARTBEAT).at == now
    assert not any(word in str(vars(received)) for word in (patient.name, patient.email, "North"))


def test_one_in_a_day_however_often_it_is_looked_for(wanted, mailoutbox, now):
    looked_at = (timedelta(), timedelta(), MINUTE, 23 * HOUR, 24 * HOUR - MINUTE)
    assert [send(now + later) for later in looked_at] == [True, False, False, False, False]
    assert send(now + 24 * HOUR)
    assert len(mailoutbox) == 2


def test_the_tick_wakes_a_worker_for_it_and_the_worker_sends_it(wanted, mailoutbox, now):
    assert ticking.work(now=now).drains == 1
    drain()
    assert [sent.to for sent in mailoutbox] == [[TO]]
    at = Pulse.objects.get(name=pulses.HEARTBEAT).at
    assert ticking.work(now=at).drains == 0
    assert ticking.work(now=at + 24 * HOUR).drains == 1


def test_refused_it_goes_again_after_a_quarter_of_an_hour(wanted, mail_server, now):
    mail_server.refused[TO] = "550 5.1.1 no such mailbox"
    assert not send(now)
    mail_server.refused.clear()
    assert not send(now + heartbeat.AGAIN - MINUTE)
    assert send(now + heartbeat.AGAIN)
    assert len(mail_server.messages) == 1


def test_a_worker_that_died_with_it_holds_nothing_up(wanted, mailoutbox, now, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(heartbeat.calls, "alone", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            send(now)
    assert not send(now + MINUTE)
    assert send(now + heartbeat.AGAIN)


def test_of_two_that_found_it_due_one_sends(wanted, mailoutbox, now, monkeypatch):
    monkeypatch.setattr(heartbeat, "is_due", lambda *, now: True)
    assert [send(now), send(now)] == [True, False]
    assert len(mailoutbox) == 1


def test_nothing_goes_where_it_is_not_wanted_or_mail_is_held_or_the_lane_is_shut(
    settings, mailoutbox, now
):
    assert not send(now)
    settings.HEARTBEAT_TO, settings.MAIL_MODE = TO, "hold"
    assert not send(now)
    settings.MAIL_MODE = "send"
    lane = Lane.objects.create(name=lanes.current(), paused_until=now + MINUTE, updated_at=now)
    assert not send(now)
    assert mail.outbox == []
    lane.delete()
    assert send(now)


def test_redirected_it_goes_to_the_one_address(wanted, mailoutbox, now):
    wanted.MAIL_MODE = "redirect:me@north.example"
    assert send(now)
    assert mailoutbox[0].to == ["me@north.example"]


def test_where_it_is_off_it_costs_no_query(now, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert not heartbeat.is_due(now=now)


# -- What it means ----------------------------------------------------------------------------

LIMIT = judging.HEARTBEAT_AFTER


@pytest.mark.parametrize(
    ("at", "setup", "expected"),
    [
        pytest.param({"heartbeat": NOW - LIMIT}, {}, Health.OK, id="exactly 26 hours"),
        pytest.param(
            {"heartbeat": NOW - LIMIT - timedelta(microseconds=1)}, {}, Health.FAILED, id="more"
        ),
        pytest.param({"heartbeat tried": NOW}, {}, Health.FAILED, id="tried, never accepted"),
        pytest.param({}, {}, Health.WARNING, id="a fresh server"),
        pytest.param({}, {"mail_mode": "hold"}, Health.OK, id="held"),
        pytest.param({}, {"has_heartbeat": False}, Health.OK, id="off"),
    ],
)
def test_what_the_doctor_says(at, setup, expected):
    chosen = replace(SETUP, **{"has_heartbeat": True, **setup})
    assert judging.heartbeat(Engine(pulses=at), chosen, NOW).health is expected


def test_it_is_read_off_the_settings_and_the_rows(wanted, mailoutbox, now):
    assert send(now)
    facts = reading.engine(reading.setup(), now)
    assert judging.heartbeat(facts, reading.setup(), now + LIMIT).health is Health.OK
    assert judging.heartbeat(facts, reading.setup(), now + LIMIT + MINUTE).health is Health.FAILED
