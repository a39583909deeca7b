"""What cannot be mailed stands on its day, for the tablet and the call list, and delays no mail."""

from datetime import timedelta

import pytest

from clinic import enrolment, infusions
from clinic.infusions import InfusionDetails
from clinic.models import Infusion
from reminders import planning
from reminders.models import Message
from surveys.models import FollowUp
from tests.builders import BY_TEST, course_details


@pytest.fixture
def planned(course, now):
    """Days into a course: several follow-ups are still to come."""
    infusions.log(course, InfusionDetails(started_at=now), by=BY_TEST, now=now)
    planning.reconcile(course.patient, now=now, by=BY_TEST)
    return course


@pytest.mark.parametrize("hours", [1, 30])
def test_without_an_address_the_same_plan_stands_whoever_looks_again(planned, hours, now):
    later = now + timedelta(hours=hours)
    enrolment.change_details(planned.patient, {"email": ""}, by=BY_TEST, now=later)
    planning.reconcile(planned.patient, now=later, by=BY_TEST)
    assert FollowUp.objects.filter(withdrawn_at=None).exists()
    assert not planning.reconcile(planned.patient, now=later, by=BY_TEST).any


def test_a_baseline_on_the_tablet_does_not_keep_the_days_mail(course, now):
    soon = InfusionDetails(started_at=now + timedelta(minutes=90), status=Infusion.Status.PLANNED)
    infusions.log(course, soon, by=BY_TEST, now=now)
    pain = course_details(protocol="chronic-pain", indication="neuropathic")
    enrolment.open_course(course.patient, pain, by=BY_TEST, now=now)
    for _ in range(2):
        planning.reconcile(course.patient, now=now, by=BY_TEST)
        assert Message.objects.get().due_at == now
    reasons = {due.reason for due in FollowUp.objects.get().dues.all()}
    assert "baseline now on the tablet" in reasons
