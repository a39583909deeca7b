"""A worrying answer is heard, whatever became of its page since it was drawn."""

from datetime import timedelta

import pytest

from clinic.actors import member_actor, patient_link
from reminders import notices
from surveys import alerts, answering
from surveys.models import Alert, FollowUp, StepDue
from tests.surveys.ends import close
from tests.surveys.follow_ups import add_due, answer_all, make_follow_up

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def test_in_a_second_tab_after_the_first_one_sent(handset, other_handset, follow_up):
    handset.start(follow_up)
    other_handset.start(follow_up)
    for _ in range(8):
        other_handset.choose("0")
    handset.get("/check-in/")
    handset.choose("0")
    handset.press("Send my answers")
    page = other_handset.choose("3")
    assert Alert.objects.filter(trigger="9=3").exists()
    assert page.path == "/check-in/help/"
    assert FollowUp.objects.get().responses.get().answers["9"] == 0, "what was sent stands"


def test_when_the_follow_up_was_replaced_meanwhile(handset, check_in, now):
    handset.start(check_in)
    FollowUp.objects.update(withdrawn_at=now)
    StepDue.objects.update(state=StepDue.State.SUPERSEDED)
    page = handset.choose("flag-chest-pain")
    assert Alert.objects.get().level == "urgent"
    assert page.path == "/check-in/emergency/"
    assert handset.get("/check-in/").status == 410


def test_but_nothing_else_is_kept_of_it(handset, check_in, now):
    handset.start(check_in)
    FollowUp.objects.update(withdrawn_at=now)
    StepDue.objects.update(state=StepDue.State.SUPERSEDED)
    assert handset.choose().status == 410
    assert not check_in.responses.exists()


def test_when_its_step_was_cancelled_meanwhile(handset, course, check_in):
    add_due(check_in, course, ["phq9"])
    handset.start(check_in)
    due = next(due for due in StepDue.objects.all() if "checkin" in due.instruments)
    StepDue.objects.filter(pk=due.pk).update(state=StepDue.State.CANCELLED)
    handset.choose("flag-chest-pain")
    assert Alert.objects.get().level == "urgent"


@pytest.mark.parametrize("status", ["withdrawn", "deceased"])
def test_nothing_is_taken_from_a_patient_who_has_left(handset, check_in, status):
    handset.start(check_in)
    type(check_in.patient).objects.update(status=status)
    assert handset.choose("flag-chest-pain").status == 410
    assert not Alert.objects.exists()


def test_when_the_language_was_switched_in_another_tab(handset, follow_up):
    handset.start(follow_up)
    for _ in range(8):
        handset.choose("0")
    english = handset.page
    handset.press("Español")
    handset.page = english
    page = handset.choose("2")
    assert Alert.objects.get().trigger == "9=2"
    assert page.path == "/check-in/help/"


def test_on_the_older_of_two_pages_in_one_browser(handset, course, follow_up, now):
    handset.start(follow_up)
    for _ in range(8):
        handset.choose("0")
    older = handset.page
    handset.start(make_follow_up(course, ["mood"], now=now, opens=timedelta(days=-2)))
    handset.page = older
    handset.choose("3")
    assert Alert.objects.get().follow_up == follow_up


def test_a_stamp_from_elsewhere_opens_nothing(handset, follow_up):
    handset.start(follow_up)
    before = handset.page
    page = handset.press("Save and continue", answer="1", stamp="made-up")
    assert page.status == 410
    assert not follow_up.responses.exists()
    handset.page = before
    assert handset.choose("1").status == 200


def test_asking_for_help_again_once_the_first_call_was_taken(follow_up, clinician, now):
    by = patient_link(follow_up.pk)
    first = alerts.help_now(follow_up, by=by, now=now)
    alerts.take(first, by=member_actor(clinician), now=now)
    again = alerts.help_now(follow_up, by=by, now=now + 20 * MINUTE)
    assert again != first
    assert notices.create_due(now=now + 20 * MINUTE)


def test_not_safe_after_somebody_took_the_alert(handset, follow_up, clinician, now):
    answer_all(follow_up, now=now, i9=2, send=False)
    taken = follow_up.alerts.get()
    alerts.take(taken, by=member_actor(clinician), now=now)
    handset.open(follow_up)
    handset.press("Continue")
    handset.get("/check-in/help/")
    handset.press("Tell my clinic", safe="no")
    assert follow_up.alerts.untaken().get().level == "critical"
    assert notices.create_due(now=now + MINUTE)


def test_a_second_closing_keeps_what_it_says(follow_up, clinician, admin, now):
    alert = alerts.help_now(follow_up, by=patient_link(follow_up.pk), now=now)
    close(alert, "spoke", by=clinician, now=now)
    close(alert, "referred", note="to hospital", by=admin, now=now)
    alert.refresh_from_db()
    assert alert.outcome == Alert.Outcome.SPOKE
    assert any("to hospital" in event.detail for event in alert.events.all())


def test_a_skip_that_staff_have_closed_is_no_news_at_sending(follow_up, clinician, now):
    by = patient_link(follow_up.pk)
    answer_all(follow_up, now=now, send=False, i9=None)
    skipped = follow_up.alerts.get()
    close(skipped, "no_action", by=clinician, now=now)
    answering.finish(follow_up, by=by, now=now)
    assert follow_up.alerts.get() == skipped
