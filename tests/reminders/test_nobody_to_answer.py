"""Item 9 is asked only while somebody has shown that alerts arrive, also when that changes late."""

from datetime import timedelta

import pytest

from clinic import team
from clinic.actors import member_actor
from clinic.models import Course, Member
from reminders import dispatch, planning
from reminders.models import Message, State
from surveys import alerts
from surveys.models import Alert, StepDue
from tests.builders import BY_TEST, make_course
from tests.reminders.letters import drain_at


@pytest.fixture
def covered(staffed):
    staffed.cover = "always"
    staffed.save()
    return staffed


@pytest.fixture
def invitation(covered, now):
    """Planned while all was well: it asks the PHQ-9."""
    course = make_course(covered, now=now)
    planning.reconcile(course.patient, now=now, by=BY_TEST)
    message = Message.objects.get()
    assert "phq9" in asked(message)
    return message


def asked(message: Message) -> list[str]:
    dues = StepDue.objects.filter(follow_up=message.follow_up_id, state__in=["planned", "asked"])
    return [name for due in dues for name in due.instruments]


def test_an_invitation_planned_with_cover_goes_with_phq8_when_cover_has_lapsed(
    invitation, mailoutbox, now
):
    Alert.objects.update(taken_at=now - timedelta(days=91))
    drain_at(now)
    assert Message.objects.get(kind="invitation").state == State.ACCEPTED
    assert "phq8" in asked(invitation)
    assert "phq9" not in asked(invitation)


def test_with_cover_it_goes_as_it_was_planned(invitation, mailoutbox, now):
    drain_at(now)
    assert "phq9" in asked(invitation)


def test_a_reminder_of_what_was_asked_with_cover_still_goes(invitation, mailoutbox, now):
    drain_at(now)
    planning.reconcile(invitation.patient, now=now, by=BY_TEST)
    Alert.objects.update(taken_at=now - timedelta(days=91))
    reminder = Message.objects.get(kind="reminder")
    dispatch.drain(clock=lambda: reminder.due_at)
    reminder.refresh_from_db()
    assert reminder.state == State.ACCEPTED


def test_the_schedule_looks_again_when_a_responder_is_taken_off(invitation, now):
    for member in Member.objects.responders():
        team.set_responder(member, False, by=BY_TEST, now=now)
    assert planning.reconcile_lagging(now=now) == 1
    assert "phq9" not in asked(invitation)


def test_the_schedule_looks_again_when_a_test_alert_was_taken(covered, clinician, invitation, now):
    Alert.objects.all().delete()
    Course.objects.all().touch(now)
    planning.reconcile_lagging(now=now)
    assert "phq9" not in asked(invitation)
    Member.objects.filter(pk=clinician.pk).update(is_responder=True)
    test = alerts.send_test(covered, clinician, by=BY_TEST, now=now)
    alerts.take(test, by=member_actor(clinician), now=now)
    assert planning.reconcile_lagging(now=now) == 1
    assert "phq9" in asked(invitation)
