"""The patient's way through the pages, without a script."""

from surveys.models import Alert, Response
from tests.surveys.follow_ups import make_follow_up


def test_the_whole_way(handset, follow_up):
    page = handset.open(follow_up)
    assert "Your check-in is ready" in page.text
    page = handset.press("Start")
    assert page.path == "/check-in/1/"
    for _ in range(9):
        page = handset.choose("0")
    assert "Check your answers" in page.text
    page = handset.press("Send my answers")
    assert "Your answers are sent" in page.text
    assert Response.objects.get().finished_at


def test_a_worrying_answer_interrupts_at_once(handset, course, now):
    follow_up = make_follow_up(course, ["phq9"], now=now)
    handset.start(follow_up)
    for _ in range(8):
        handset.choose("1")
    page = handset.choose("1")
    assert page.path == "/check-in/help/"
    assert Alert.objects.get().trigger == "9=1"
    assert "Thank you for telling us." in page.text
    assert page.links["Call 988"] == "tel:988"
    assert page.links["Text 988"] == "sms:988"
    page = handset.press("Tell my clinic", safe="no", phone="555 0100")
    assert page.path == "/check-in/help/numbers/"
    alert = Alert.objects.get()
    assert (alert.level, alert.best_phone) == ("critical", "555 0100")
