"""Who must not be written to: one address or one person, until staff lift it."""

import pytest
from django.core.exceptions import PermissionDenied

from clinic.actors import member_actor
from clinic.models import AuditEntry, Course
from reminders import planning, suppression
from reminders.models import Suppression
from reminders.suppression import address_digest
from tests.builders import BY_TEST, make_member
from tests.reminders.letters import HOUR

Reason = Suppression.Reason


@pytest.fixture
def dead(patient, now) -> Suppression:
    suppression.suppress(patient, address_digest(patient.email), Reason.HARD_BOUNCE, now=now)
    return Suppression.objects.get()


def test_a_lifted_address_is_written_to_again(dead, patient, coordinator, now):
    suppression.lift(dead, by=member_actor(coordinator), now=now + HOUR)
    assert suppression.why_not(patient) == ""
    dead.refresh_from_db()
    assert dead.lifted_at == now + HOUR


def test_lifting_has_the_schedule_planned_again(dead, patient, coordinator, now):
    before = Course.objects.get().revision
    Course.objects.update(replan_at=None)
    suppression.lift(dead, by=member_actor(coordinator), now=now + HOUR)
    assert planning.lagging(now=now + HOUR) == [patient]
    assert Course.objects.get().revision == before + 1


def test_lifting_twice_is_one_act(dead, coordinator, now):
    for n in (1, 2):
        suppression.lift(dead, by=member_actor(coordinator), now=now + n * HOUR)
    dead.refresh_from_db()
    assert dead.lifted_at == now + HOUR
    entry = AuditEntry.objects.get(action="lift suppression")
    assert (entry.member, entry.fields) == (coordinator, ["lifted_at"])


def test_lifting_one_reason_leaves_the_other(dead, patient, coordinator, now):
    suppression.unsubscribe(patient, by=BY_TEST, now=now)
    suppression.lift(dead, by=member_actor(coordinator), now=now)
    assert suppression.why_not(patient) == Reason.UNSUBSCRIBED


def test_a_viewer_and_another_clinic_may_not_lift(dead, viewer, other_clinic, now):
    stranger = make_member(other_clinic, viewer.Role.ADMIN, now=now, email="x@south.example")
    for member in (viewer, stranger):
        with pytest.raises(PermissionDenied):
            suppression.lift(dead, by=member_actor(member), now=now)
    assert Suppression.objects.in_force().count() == 1


def test_an_address_that_fails_after_it_was_lifted_is_stopped_again(dead, patient, now):
    suppression.lift(dead, by=BY_TEST, now=now)
    digest = address_digest(patient.email)
    assert suppression.suppress(patient, digest, Reason.HARD_BOUNCE, now=now + HOUR)
    assert suppression.why_not(patient) == Reason.HARD_BOUNCE
