"""Alerts: one owner, one end, and words for both."""

import html
from datetime import datetime, timedelta

import pytest
from django.urls import reverse

from clinic.models import Course, Member
from surveys import alerts, cover
from surveys.instruments import latest
from surveys.models import Alert, Response
from surveys.safety import worries
from tests.builders import BY_TEST, make_member
from tests.dashboards.histories import make_answer, phq9
from tests.surveys.ends import close

pytestmark = pytest.mark.django_db
ENDED = {
    "outcome": "spoke",
    "contact_at": "2026-04-12T10:00",
    "how": "phone",
    "assessed_with": "cssrs",
    "found": "low",
    "plan": "safety_plan",
    "next_contact_on": "2026-04-20",
    "note": "Safe with her sister.",
}


def raise_alert(course: Course, now: datetime, item9: int = 2) -> Alert:
    response: Response = make_answer(course.patient, "phq9", phq9(9, item9=item9), now)
    (worry,) = worries(latest("phq9"), response.answers)
    alert = alerts.raise_for(
        response, worry, level="urgent", version="2026-11", by=BY_TEST, now=now
    )
    assert alert is not None
    return alert


@pytest.fixture
def alert(treated: Course, later: datetime) -> Alert:
    return raise_alert(treated, later - timedelta(minutes=12))


def body(response) -> str:
    return html.unescape(response.content.decode())


def url(name: str, alert: Alert) -> str:
    return reverse(f"dashboards:{name}", args=[alert.pk])


def test_the_list_says_what_was_answered_and_before(alert, clinician, desk_of):
    page = body(desk_of(clinician).get(reverse("dashboards:alerts")))
    assert "PHQ-9 question 9: 1 before, now 2" in page
    assert "More than half the days (before: Several days)" in page
    assert "Ana Lucía Peña" in page
    assert "12\xa0minutes" in page
    assert "nobody" in page


def test_a_first_answer_is_called_so(course, clinician, desk_of, later):
    raise_alert(course, later)
    page = body(desk_of(clinician).get(reverse("dashboards:alerts")))
    assert "PHQ-9 question 9: 2, first answer" in page


def test_the_answer_before_is_the_one_given_last(treated, clinician, desk_of, later):
    begun_long_ago = make_answer(treated.patient, "phq9", phq9(3), later - timedelta(days=1))
    Response.objects.filter(pk=begun_long_ago.pk).update(started_at=later - timedelta(days=60))
    raise_alert(treated, later)
    page = body(desk_of(clinician).get(reverse("dashboards:alerts")))
    assert "PHQ-9 question 9: 0 before, now 2" in page


def test_what_was_answered_since_is_not_before(treated, clinician, desk_of, later):
    raise_alert(treated, later - timedelta(days=1))
    make_answer(treated.patient, "phq9", phq9(3), later)
    page = body(desk_of(clinician).get(reverse("dashboards:alerts")))
    assert "PHQ-9 question 9: 1 before, now 2" in page


def test_taking_it(alert, clinician, desk_of):
    page = body(desk_of(clinician).post(url("take-alert", alert), follow=True))
    alert.refresh_from_db()
    assert alert.owner == clinician
    assert "You have it." in page


def test_of_two_who_take_it_the_second_is_told(alert, clinician, desk_of, now):
    colleague = make_member(
        clinician.clinic, Member.Role.CLINICIAN, now=now, email="lee@north.example"
    )
    Member.objects.get(pk=colleague.pk)
    desk_of(clinician).post(url("take-alert", alert))
    page = body(desk_of(colleague).post(url("take-alert", alert), follow=True))
    assert "Clinician has taken this already." in page
    alert.refresh_from_db()
    assert alert.owner == clinician


def test_looking_takes_nothing(alert, clinician, desk_of):
    client = desk_of(clinician)
    client.get(url("alert", alert))
    assert client.get(url("take-alert", alert)).status_code == 405
    alert.refresh_from_db()
    assert alert.owner is None


def test_closing_needs_an_outcome_and_a_note(alert, clinician, desk_of):
    client = desk_of(clinician)
    page = body(client.post(url("close-alert", alert), {"outcome": "spoke"}))
    assert "There is a problem" in page
    alert.refresh_from_db()
    assert alert.closed_at is None
    client.post(url("close-alert", alert), ENDED)
    alert.refresh_from_db()
    assert (alert.outcome, alert.owner) == ("spoke", clinician)
    history = body(client.get(url("alert", alert)))
    assert "Safe with her sister." in history
    assert "taken" in history


def test_a_test_is_not_an_outcome_of_a_real_alert(alert, clinician, desk_of):
    client = desk_of(clinician)
    client.post(url("close-alert", alert), {"outcome": "tested", "note": "x"})
    alert.refresh_from_db()
    assert alert.closed_at is None


def test_a_test_alert_stands_apart_and_taking_it_proves_the_chain(clinician, desk_of, later):
    sent = alerts.send_test(clinician.clinic, clinician, by=BY_TEST, now=later)
    client = desk_of(clinician)
    page = body(client.get(reverse("dashboards:alerts")))
    assert "Test alerts" in page
    assert "No open alert." in page
    client.post(url("take-alert", sent))
    sent.refresh_from_db()
    assert sent.owner == clinician
    assert sent.closed_at is not None


@pytest.mark.parametrize(
    ("is_responder", "said"),
    [(True, "alerts reach you"), (False, "once an administrator makes you a responder")],
)
def test_taking_a_test_alert_says_what_it_proved(clinician, desk_of, later, is_responder, said):
    Member.objects.filter(pk=clinician.pk).update(is_responder=is_responder)
    sent = alerts.send_test(clinician.clinic, clinician, by=BY_TEST, now=later)
    assert said in body(desk_of(clinician).post(url("take-alert", sent), follow=True))
    proven = cover.proven_responders(clinician.clinic, now=later)
    assert (clinician in proven) is is_responder


def test_a_closed_alert_goes_below(alert, clinician, desk_of, later):
    for each in Alert.objects.open():
        close(each, "spoke", by=clinician, now=later)
    page = body(desk_of(clinician).get(reverse("dashboards:alerts")))
    assert "No open alert." in page
    assert "Spoke with the patient" in page


def test_another_clinics_alert_is_no_page(alert, other_clinic_admin, desk_of):
    client = desk_of(other_clinic_admin)
    assert client.get(url("alert", alert)).status_code == 404
    assert client.post(url("take-alert", alert)).status_code == 404


def test_a_note_goes_into_the_history_and_ends_nothing(alert, clinician, desk_of):
    client = desk_of(clinician)
    client.post(url("alert", alert), {"text": "Called, no answer."})
    assert "Called, no answer." in body(client.get(url("alert", alert)))
    alert.refresh_from_db()
    assert alert.closed_at is None


@pytest.mark.parametrize(
    ("item", "words"),
    [
        pytest.param("flag-chest-pain", "Check-in: ", id="a red flag"),
        pytest.param("1", "Check-in: ", id="a symptom"),
    ],
)
def test_symptoms_are_told_by_their_own_words(course, clinician, desk_of, later, item, words):
    values = {"flag-chest-pain": 1, "1": 3}
    response = make_answer(course.patient, "checkin", {item: values[item]}, later)
    Alert.objects.create(
        clinic=clinician.clinic,
        patient=course.patient,
        response=response,
        reference="7F3K-21",
        level="urgent",
        rule="red-flag",
        trigger=f"{item}={values[item]}",
        raised_at=later,
    )
    page = body(desk_of(clinician).get(reverse("dashboards:alerts")))
    assert words + latest("checkin").wording["en"].items[item] in page
    assert "question 1" not in page
