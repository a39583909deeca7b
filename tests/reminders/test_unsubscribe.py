"""To stop the e-mails: GET asks, POST acts, a mail program needs one click and no cookie."""

from datetime import timedelta

import pytest
from django.test import Client

from clinic.models import AuditEntry
from reminders import views
from reminders.models import State, Suppression
from surveys import links
from surveys.models import Alert, FollowUp
from tests.reminders.letters import drain_at, make_alert

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def address(message) -> str:
    follow_up = message.follow_up
    FollowUp.objects.update(closes_at=follow_up.closes_at + timedelta(days=3650))
    return f"/u/{links.token(follow_up, 'unsubscribe')}/"


@pytest.fixture
def stranger() -> Client:
    """A mail program: no cookies, and a CSRF check that means it."""
    return Client(enforce_csrf_checks=True)


def test_looking_changes_nothing(address, message, stranger, django_assert_num_queries):
    for _ in range(50):
        assert stranger.get(address).status_code == 200
        assert stranger.head(address).status_code == 200
    assert not Suppression.objects.exists()
    assert not AuditEntry.objects.filter(action="unsubscribe").exists()
    assert not stranger.cookies


@pytest.mark.parametrize("data", [ONE_CLICK, {"stop": "yes"}], ids=["one click", "our button"])
def test_a_post_stops_the_mail(address, message, stranger, mail_server, data, now):
    answer = stranger.post(address, data)
    assert answer.status_code == 200
    assert "We will not write to you again" in answer.content.decode()
    drain_at(now)
    message.refresh_from_db()
    assert message.state == State.SUPPRESSED
    assert not mail_server.messages


def test_a_second_post_says_the_same_and_adds_nothing(address, stranger):
    first, second = (stranger.post(address, ONE_CLICK) for _ in range(2))
    assert first.content == second.content
    assert Suppression.objects.count() == 1
    assert AuditEntry.objects.filter(action="unsubscribe").count() == 1


def test_staff_can_see_who_did_it(address, message, stranger):
    stranger.post(address, ONE_CLICK)
    entry = AuditEntry.objects.get(action="unsubscribe")
    assert (entry.actor, entry.patient) == ("patient_link", message.patient)


@pytest.mark.parametrize("data", [{}, {"List-Unsubscribe": "no"}, {"x": "y"}])
def test_another_body_only_asks(address, stranger, data):
    assert stranger.post(address, data).status_code == 200
    assert not Suppression.objects.exists()


def test_it_closes_no_alert(address, message, stranger, clinic, now):
    alert = make_alert(clinic, now=now, patient=message.patient)
    stranger.post(address, ONE_CLICK)
    assert Alert.objects.open().filter(pk=alert.pk).exists()


def test_a_new_address_does_not_undo_the_wish(address, message, stranger, mail_server, now):
    stranger.post(address, ONE_CLICK)
    message.patient.email = "new@example.com"
    message.patient.save()
    type(message).objects.update(state=State.SCHEDULED, ended_at=None)
    drain_at(now)
    assert not mail_server.messages


def test_it_works_for_a_year(message, stranger):
    follow_up = message.follow_up
    address = f"/u/{links.token(follow_up, 'unsubscribe')}/"
    assert timedelta(days=365) == views.WORKS_FOR
    real_now = views.timezone.now()
    FollowUp.objects.update(
        opens_at=real_now - timedelta(days=400),
        closes_at=real_now - timedelta(days=365) + timedelta(minutes=1),
    )
    assert stranger.get(address).status_code == 200
    FollowUp.objects.update(closes_at=real_now - timedelta(days=365, minutes=1))
    assert stranger.get(address).status_code == 404


def test_a_wrong_link_helps_all_the_same(db, stranger):
    for answer in (stranger.get("/u/nonsense/"), stranger.post("/u/nonsense/", ONE_CLICK)):
        assert answer.status_code == 404
        assert "988" in answer.content.decode()


def test_the_survey_link_stops_no_mail(message, stranger):
    assert stranger.post(f"/u/{links.token(message.follow_up)}/", ONE_CLICK).status_code == 404


def test_the_page_speaks_the_patients_language_and_names_nobody(address, message, stranger):
    message.patient.language = "es"
    message.patient.save()
    page = stranger.get(address).content.decode()
    assert "¿Dejar de recibir estos correos?" in page
    assert '<html lang="es"' in page
    for secret in ("Ana", "ana@example.com", "North"):
        assert secret not in page
