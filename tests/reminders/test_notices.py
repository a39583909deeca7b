"""Responders are told until somebody takes the alert."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.actors import member_actor
from clinic.models import Member
from reminders import notices
from reminders.models import Notice, State
from surveys import alerts, contacting
from surveys.models import Alert
from surveys.signals import alert_raised
from tests.builders import BY_TEST, make_member
from tests.reminders.letters import drain_at, make_alert

MINUTE = timedelta(minutes=1)


@pytest.fixture
def responder(clinic, clinician) -> Member:
    """Nobody else may take alerts: to whom one escalates is told in test_safety_rules.py."""
    clinic.members.filter(user__email="admin@north.example").update(active=False)
    clinician.is_responder = True
    clinician.save()
    return clinician


@pytest.fixture
def alert(clinic, responder, now) -> Alert:
    return make_alert(clinic, now=now, level="critical")


def test_the_signal_tells_the_responders_at_once_with_or_without_a_broker(clinic, responder):
    alert = make_alert(clinic, now=timezone.now())
    began = time.monotonic()
    alert_raised.send(sender=Alert, alert_id=alert.pk)
    notice = Notice.objects.get()
    assert (notice.member, notice.nth, notice.state) == (responder, 0, State.SCHEDULED)
    assert time.monotonic() - began < 2, "a patient's page waits for this"


def test_the_tick_tells_them_if_nothing_else_did(alert, now):
    assert notices.create_due(now=now + MINUTE) == 1
    assert notices.create_due(now=now + MINUTE) == 0


@pytest.mark.parametrize(
    ("level", "minutes", "nth"),
    [
        ("critical", 14, 0),
        ("critical", 15, 1),
        ("critical", 30, 2),
        ("critical", 60, 3),
        ("critical", 89, 3),
        ("critical", 90, 4),
        ("critical", 12 * 60, 25),
        ("urgent", 59, 0),
        ("urgent", 60, 1),
        ("urgent", 180, 3),
        ("review", 24 * 60 - 1, 0),
        ("review", 24 * 60, 1),
    ],
)
def test_how_often_each_level_is_told(level, minutes, nth):
    assert notices.round_of(level, "suicide", minutes * MINUTE) == nth


def test_a_test_alert_is_told_once():
    assert notices.round_of("critical", Alert.TEST_RULE, timedelta(days=9)) == 0


def test_it_is_repeated_until_it_is_taken(alert, responder, mail_server, now):
    for minutes in (0, 15, 30):
        notices.create_due(now=now + minutes * MINUTE)
        drain_at(now + minutes * MINUTE)
    alert.owner, alert.taken_at = responder, now
    alert.save()
    notices.create_due(now=now + 60 * MINUTE)
    drain_at(now + 60 * MINUTE)
    assert len(mail_server.messages) == 3


def test_what_becomes_critical_is_told_again_at_once(clinic, responder, mail_server, now):
    urgent = make_alert(clinic, now=now, level="urgent")
    for seconds in (0, 30):
        notices.create_due(now=now + timedelta(seconds=seconds))
    drain_at(now)
    alerts.escalate(urgent, "able to keep safe: no", by=BY_TEST, now=now + timedelta(seconds=40))
    for minutes in (1, 2, 15, 16):
        notices.create_due(now=now + minutes * MINUTE)
        drain_at(now + minutes * MINUTE)
    assert [notice.nth for notice in Notice.objects.order_by("nth")] == [0, 1, 2]
    assert len(mail_server.messages) == 3


def test_a_test_alert_sent_again_is_mailed_again(clinic, responder, mail_server, now):
    for minutes in (0, 10):
        alerts.send_test(clinic, responder, by=BY_TEST, now=now + minutes * MINUTE)
        for later in (1, 2):
            notices.create_due(now=now + (minutes + later) * MINUTE)
            drain_at(now + (minutes + later) * MINUTE)
    assert len(mail_server.messages) == 2


@pytest.mark.parametrize("ahead", [timedelta(), 5 * MINUTE])
def test_a_web_server_whose_clock_is_ahead_causes_no_flood(clinic, responder, ahead, now):
    urgent = make_alert(clinic, now=now - MINUTE, level="urgent")
    notices.create_due(now=now - MINUTE)
    alerts.escalate(urgent, "able to keep safe: no", by=BY_TEST, now=now + ahead)
    for minutes in range(10):
        notices.create_due(now=now + minutes * MINUTE)
        Notice.objects.update(state="accepted", accepted_at=now)
    assert Notice.objects.count() == 2


def test_a_long_silence_gives_one_notice_and_not_a_heap(alert, now):
    notices.create_due(now=now + 300 * MINUTE)
    assert [notice.nth for notice in Notice.objects.all()] == [11]


def test_a_notice_that_is_still_waiting_is_not_doubled(alert, now):
    notices.create_due(now=now)
    notices.create_due(now=now + 20 * MINUTE)
    assert Notice.objects.count() == 1


def test_many_old_alerts_do_not_hide_a_new_one(clinic, responder, now, monkeypatch):
    monkeypatch.setattr(notices, "CHUNK", 2)
    for n in range(5):
        make_alert(clinic, now=now - timedelta(days=9), reference=f"OLD-{n}", trigger=str(n))
    new = make_alert(clinic, now=now, reference="NEW-1")
    notices.create_due(now=now)
    assert Notice.objects.filter(alert=new).exists()


def test_without_responders_everybody_who_may_take_an_alert_is_told(clinic, now):
    admin = make_member(clinic, Member.Role.ADMIN, now=now, email="chief@north.example")
    make_member(clinic, Member.Role.COORDINATOR, now=now)
    make_member(clinic, Member.Role.VIEWER, now=now)
    clinic.members.exclude(pk=admin.pk).filter(role=Member.Role.ADMIN).update(active=False)
    make_alert(clinic, now=now)
    notices.create_due(now=now)
    assert [notice.member for notice in Notice.objects.all()] == [admin]


@pytest.fixture
def chief(clinic, now) -> Member:
    """May take alerts, and is not a responder."""
    clinic.members.filter(role=Member.Role.ADMIN).update(active=False)
    return make_member(clinic, Member.Role.ADMIN, now=now, email="chief@north.example")


def refuse(server, member):
    server.refused[member.user.email] = "550 5.1.1 no such mailbox"


def test_when_no_responder_is_reached_everybody_who_may_take_it_is_told_at_once(
    alert, responder, chief, mail_server, now
):
    refuse(mail_server, responder)
    for minutes in range(3):
        notices.create_due(now=now + minutes * MINUTE)
        drain_at(now + minutes * MINUTE)
    assert [received.recipients for received in mail_server.messages] == [(chief.user.email,)]
    assert Notice.objects.count() == 2


def test_one_responder_who_is_reached_is_enough(clinic, alert, responder, chief, mail_server, now):
    second = make_member(clinic, Member.Role.CLINICIAN, now=now, email="second@north.example")
    Member.objects.filter(pk=second.pk).update(is_responder=True)
    refuse(mail_server, responder)
    for minutes in range(3):
        notices.create_due(now=now + minutes * MINUTE)
        drain_at(now + minutes * MINUTE)
    assert [received.recipients for received in mail_server.messages] == [(second.user.email,)]


def test_when_the_only_responder_has_left_the_others_are_told(
    alert, responder, chief, mail_server, now
):
    notices.create_due(now=now)
    Member.objects.filter(pk=responder.pk).update(active=False)
    drain_at(now)
    notices.create_due(now=now + MINUTE)
    drain_at(now + MINUTE)
    assert [received.recipients for received in mail_server.messages] == [(chief.user.email,)]


def test_that_nobody_can_be_told_is_said_aloud(clinic, now, caplog):
    clinic.members.update(active=False)
    make_alert(clinic, now=now)
    assert notices.create_due(now=now) == 0
    assert "nobody can be told" in caplog.text


def test_another_clinics_responders_hear_nothing(alert, other_clinic_admin, responder, now):
    Member.objects.filter(pk=other_clinic_admin.pk).update(is_responder=True)
    notices.create_due(now=now)
    assert [notice.member for notice in Notice.objects.all()] == [responder]


def test_who_is_handed_an_alert_is_told_until_they_take_it(
    alert, responder, chief, mail_server, now
):
    notices.create_due(now=now)
    drain_at(now)
    alerts.take(alert, by=member_actor(responder), now=now + MINUTE)
    contacting.hand_over(alert, chief, "", by=member_actor(responder), now=now + 2 * MINUTE)
    for minutes in (3, 4, 17, 18):
        notices.create_due(now=now + minutes * MINUTE)
        drain_at(now + minutes * MINUTE)
    alerts.take(alert, by=member_actor(chief), now=now + 19 * MINUTE)
    notices.create_due(now=now + 60 * MINUTE)
    drain_at(now + 60 * MINUTE)
    to = [received.recipients[0] for received in mail_server.messages]
    assert to == [responder.user.email, chief.user.email, chief.user.email]


def test_a_notice_to_the_one_it_is_handed_to_is_moot_once_it_is_kept(
    alert, responder, chief, mail_server, now
):
    contacting.hand_over(alert, chief, "", by=member_actor(responder), now=now)
    assert notices.create_for(alert.pk, now=now) == 1
    alerts.take(alert, by=member_actor(responder), now=now)
    drain_at(now)
    assert mail_server.messages == []
    assert Notice.objects.get().state == State.CANCELLED


def test_nobody_is_told_in_the_place_of_one_who_has_left(alert, responder, chief, now):
    contacting.hand_over(alert, chief, "", by=member_actor(responder), now=now)
    Member.objects.filter(pk=chief.pk).update(active=False)
    assert notices.create_due(now=now + MINUTE) == 0
