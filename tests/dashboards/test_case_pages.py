"""The pages of an alert that goes from hand to hand."""

import html
from datetime import timedelta

import pytest
from django.urls import reverse

from clinic import enrolment
from clinic.actors import member_actor
from clinic.models import Member
from surveys import alerts
from surveys.models import Alert, ContactAttempt
from tests.builders import BY_TEST, make_member
from tests.dashboards.test_alert_pages import ENDED, raise_alert
from tests.surveys.ends import call, close

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def alert(treated, later) -> Alert:
    return raise_alert(treated, later - 12 * MINUTE)


@pytest.fixture
def critical(alert, later) -> Alert:
    alerts.escalate(alert, "able to keep safe: no", by=BY_TEST, now=later - 10 * MINUTE)
    return alert


@pytest.fixture
def colleague(clinician, now) -> Member:
    return make_member(clinician.clinic, Member.Role.CLINICIAN, now=now, email="lee@north.example")


def body(response) -> str:
    return html.unescape(response.content.decode())


def url(name: str, alert: Alert) -> str:
    return reverse(f"dashboards:{name}", args=[alert.pk])


def test_the_list_says_what_is_next_and_by_when(alert, clinician, desk_of):
    page = body(desk_of(clinician).get(reverse("dashboards:alerts")))
    assert "Somebody takes it" in page
    assert "within 48\xa0minutes" in page


def test_the_list_says_that_it_is_late(critical, clinician, desk_of, clock):
    clock.shift(8 * MINUTE)  # 20 minutes after it was raised
    page = body(desk_of(clinician).get(reverse("dashboards:alerts")))
    assert "5\xa0minutes late" in page


def test_a_call_is_recorded_and_the_next_thing_told(alert, clinician, desk_of, later):
    client = desk_of(clinician)
    typed = {"contact_at": "2026-04-12T09:55", "how": "phone", "came": "no_answer", "note": "Rang."}
    page = body(client.post(url("contact-about-alert", alert), typed, follow=True))
    assert ContactAttempt.objects.get().at == later - 5 * MINUTE
    assert "Telephone, 2026-04-12 09:55: No answer. Rang." in page
    assert "Call again" in page


def test_a_call_in_bad_words_comes_back_as_typed(alert, clinician, desk_of):
    typed = {"contact_at": "soon", "how": "phone", "came": "no_answer", "note": "Rang her twice."}
    page = body(desk_of(clinician).post(url("contact-about-alert", alert), typed))
    assert "There is a problem" in page
    assert 'href="#contact_contact_at"' in page
    assert 'value="soon"' in page
    assert "Rang her twice." in page
    assert not ContactAttempt.objects.exists()


def test_an_end_that_is_refused_comes_back_as_typed(alert, clinician, desk_of):
    typed = {**ENDED, "contact_at": "", "how": ""}
    page = body(desk_of(clinician).post(url("close-alert", alert), typed))
    assert "Nobody has recorded that the patient was reached." in page
    assert 'href="#close_contact_at"' in page
    assert "Safe with her sister." in page
    assert '<option value="safety_plan" selected>' in page
    alert.refresh_from_db()
    assert alert.closed_at is None


def test_half_a_contact_is_asked_for_the_other_half(alert, clinician, desk_of):
    page = body(desk_of(clinician).post(url("close-alert", alert), {**ENDED, "how": ""}))
    assert "Say both" in page


def test_a_test_is_not_an_outcome_and_a_close_person_is_not_the_patient(alert, clinician, desk_of):
    client = desk_of(clinician)
    for change in ({"outcome": "tested"}, {"how": "trusted"}):
        client.post(url("close-alert", alert), {**ENDED, **change})
    alert.refresh_from_db()
    assert alert.closed_at is None


def test_after_a_call_that_reached_them_the_end_asks_for_no_contact(
    alert, clinician, desk_of, later
):
    call(alert, "reached", by=clinician, at=later - MINUTE)
    page = body(desk_of(clinician).get(url("alert", alert)))
    assert "close_contact_at" not in page
    assert '<details class="panel" open>' in page


def test_handed_over_the_colleague_takes_it(alert, clinician, colleague, desk_of):
    client = desk_of(clinician)
    client.post(url("take-alert", alert))
    typed = {"to": str(colleague.pk), "note": "You know her."}
    page = body(client.post(url("hand-over-alert", alert), typed, follow=True))
    assert "You have it until your colleague takes it." in page
    assert "Keep it after all" in page
    page = body(desk_of(colleague).get(reverse("dashboards:alerts")))
    assert "handed over to Clinician, not taken yet" in page
    assert "I am taking this" in page
    client.post(url("take-alert", alert))
    alert.refresh_from_db()
    assert alert.owner == colleague


@pytest.mark.parametrize("who", ["viewer", "other_clinic_admin"])
def test_it_is_not_handed_to_just_anybody(alert, clinician, desk_of, request, who):
    stranger = request.getfixturevalue(who)
    typed = {"to": str(stranger.pk), "note": "Please take her."}
    page = body(desk_of(clinician).post(url("hand-over-alert", alert), typed))
    assert "There is a problem" in page
    assert "Please take her." in page
    alert.refresh_from_db()
    assert alert.offered_to is None


def test_a_critical_one_without_contact_is_closed_by_two(critical, clinician, colleague, desk_of):
    client = desk_of(clinician)
    typed = {**ENDED, "outcome": "welfare", "contact_at": "", "how": ""}
    page = body(client.post(url("close-alert", critical), typed, follow=True))
    assert "It stays open: a second person has to agree." in page
    assert "I agree: close it" not in page
    refused = body(client.post(url("confirm-closing", critical), {"answer": "agree"}, follow=True))
    assert "somebody other than who asked" in refused
    other = desk_of(colleague)
    page = body(other.get(url("alert", critical)))
    assert "I agree: close it" in page
    assert "Welfare check requested" in page
    other.post(url("confirm-closing", critical), {"answer": "agree", "word": "Yes."})
    critical.refresh_from_db()
    assert critical.closed_at is not None


def test_sent_back_it_is_open_again(critical, clinician, colleague, desk_of, later):
    close(critical, "welfare", by=clinician, now=later)
    client = desk_of(colleague)
    typed = {"answer": "back", "word": "Ring once more."}
    page = body(client.post(url("confirm-closing", critical), typed, follow=True))
    assert "Sent back. It stays open." in page
    assert "Ring once more." in page


def test_a_closed_one_shows_its_end_and_opens_again(alert, clinician, desk_of, later):
    close(alert, "spoke", by=clinician, now=later)
    client = desk_of(clinician)
    page = body(client.get(url("alert", alert)))
    assert "Safety plan made or gone over" in page
    assert "19 Apr 2026" in page
    assert "Close this alert" not in page
    page = body(client.post(url("reopen-alert", alert), {"why": ""}))
    assert "Why: must be filled in." in page
    page = body(client.post(url("reopen-alert", alert), {"why": "She rang."}, follow=True))
    assert "Open again. You have it." in page
    assert "Call the patient" in page


def test_what_is_typed_while_a_colleague_closes_it_is_not_lost(
    alert, clinician, colleague, desk_of, later
):
    client = desk_of(clinician)
    close(alert, "spoke", by=colleague, now=later)
    call_typed = {"contact_at": "2026-04-12T10:00", "how": "phone", "came": "reached"}
    page = client.post(
        url("contact-about-alert", alert), {**call_typed, "note": "Spoke too."}, follow=True
    )
    assert "Spoke too." in body(page)
    page = body(client.post(url("close-alert", alert), {**ENDED, "note": "Mine."}, follow=True))
    assert "Mine." in body(client.get(url("alert", alert)))
    hand = {"to": str(colleague.pk), "note": "For you."}
    assert "For you." in body(client.post(url("hand-over-alert", alert), hand))


def test_every_form_works_without_scripts_and_has_its_own_ids(alert, clinician, desk_of):
    page = body(desk_of(clinician).get(url("alert", alert)))
    ids = [part.split('"')[0] for part in page.split(' id="')[1:]]
    assert len(ids) == len(set(ids))
    assert "hx-" not in page


def test_nobody_is_offered_who_may_not_take_it(alert, clinician, viewer, colleague, desk_of):
    alerts.take(alert, by=member_actor(clinician), now=alert.raised_at)
    page = body(desk_of(clinician).get(url("alert", alert)))
    assert f'value="{colleague.pk}"' in page
    assert f'value="{viewer.pk}"' not in page
    assert f'<option value="{clinician.pk}"' not in page


def test_an_old_form_sent_again_is_refused_and_may_be_sent_once_it_was_looked_at(
    alert, clinician, desk_of, later, clock
):
    client = desk_of(clinician)
    old = {**ENDED, "begun": alert.raised_at.isoformat()}
    client.post(url("close-alert", alert), old)
    client.post(url("reopen-alert", alert), {"why": "She rang.", "begun": old["begun"]})
    page = body(client.post(url("close-alert", alert), old))
    assert "This alert was opened again since." in page
    assert "Safe with her sister." in page
    assert f'value="{later.isoformat()}"' in page
    clock.shift(5 * MINUTE)
    typed = {**old, "begun": later.isoformat(), "contact_at": "2026-04-12T10:04"}
    client.post(url("close-alert", alert), typed)
    page = body(client.post(url("reopen-alert", alert), {"why": "Old.", "begun": old["begun"]}))
    assert "This alert was opened again since." in page
    alert.refresh_from_db()
    assert alert.closed_at == later + 5 * MINUTE


def test_the_trusted_person_is_there_to_be_called(alert, treated, clinician, desk_of):
    client = desk_of(clinician)
    assert "Trusted person" in body(client.get(url("alert", alert)))
    person = treated.patient
    given = {"trusted_name": "Lucía", "trusted_relation": "sister", "trusted_phone": "432 555 0188"}
    enrolment.change_details(person, given, by=BY_TEST, now=alert.raised_at)
    page = body(client.get(url("alert", alert)))
    assert 'href="tel:4325550188"' in page
    assert "Lucía" in page
    assert "(sister)" in page
