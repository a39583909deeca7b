"""To stop the e-mails: GET asks, POST acts, a mail program needs one click and no cookie."""

from datetime import timedelta

import pytest
from django.test import Client

from clinic.models import AuditEntry, Course, Patient
from dashboards.queries.reaching import unreachable
from reminders import suppression, views
from reminders.models import State, Suppression
from surveys import links
from surveys.models import Alert, FollowUp
from tests.builders import BY_TEST
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
    assert "<h1>Sus correos</h1>" in page
    assert '<html lang="es"' in page
    for secret in ("Ana", "ana@example.com", "North"):
        assert secret not in page


# -- Link scanners, mail programs, and bodies that nobody should send ---------------------------

HTTPS = {"secure": True}


@pytest.fixture
def secured(settings):
    """As on a server whose SITE_ROOT begins with https://."""
    settings.SECURE_SSL_REDIRECT = True


def nothing_happened() -> bool:
    audited = AuditEntry.objects.filter(action="unsubscribe").exists()
    return not audited and not Suppression.objects.exists()


@pytest.mark.parametrize(
    "more",
    ["", "?List-Unsubscribe=One-Click", "?stop=yes", "?List-Unsubscribe=One-Click&stop=yes"],
)
@pytest.mark.parametrize("method", ["get", "head"])
def test_no_word_in_the_address_acts(address, stranger, method, more):
    assert getattr(stranger, method)(address + more).status_code == 200
    assert stranger.post(address + more).status_code == 200  # an empty body only asks
    assert nothing_happened()


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace"])
def test_no_other_method_is_answered(address, stranger, method):
    assert getattr(stranger, method)(address).status_code == 405
    assert nothing_happened()


def test_a_header_does_not_make_a_post_of_a_get(address, stranger):
    stranger.get(address, headers={"x-http-method-override": "POST", "x-method-override": "POST"})
    assert nothing_happened()


def test_a_scanner_with_a_whole_browser_finds_nothing_that_acts_by_itself(address, stranger):
    page = stranger.get(address).content.decode().lower()
    for word in ("<script", "http-equiv", "onload", "autofocus", 'method="get"', "<iframe"):
        assert word not in page
    assert page.count("<form") == page.count('method="post"') == 1


@pytest.mark.parametrize("enctype", ["urlencoded", "multipart"])
def test_the_one_click_works_in_both_ways_a_form_may_be_sent(address, stranger, enctype):
    """RFC 8058 allows multipart/form-data and application/x-www-form-urlencoded."""
    if enctype == "multipart":
        answer = stranger.post(address, ONE_CLICK)
    else:
        body = "List-Unsubscribe=One-Click"
        answer = stranger.post(address, body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 200
    assert Suppression.objects.count() == 1
    assert not answer.cookies


def test_it_works_with_the_cookies_of_somebody_signed_in(address, stranger, clinician):
    stranger.force_login(clinician.user)
    assert stranger.post(address, ONE_CLICK).status_code == 200
    assert AuditEntry.objects.get(action="unsubscribe").actor == "patient_link"


WRONG_BODIES = {
    "json": ('{"List-Unsubscribe": "One-Click"}', "application/json"),
    "text": ("List-Unsubscribe=One-Click", "text/plain"),
    "other case": ("list-unsubscribe=one-click", "application/x-www-form-urlencoded"),
    "with a space": ("List-Unsubscribe=One-Click ", "application/x-www-form-urlencoded"),
    "first of two": (
        "List-Unsubscribe=One-Click&List-Unsubscribe=No",
        "application/x-www-form-urlencoded",
    ),
    "no boundary": ("List-Unsubscribe=One-Click", "multipart/form-data"),
    "torn": (
        '--x\r\nContent-Disposition: form-data; name="stop',
        "multipart/form-data; boundary=x",
    ),
    "not text": (b"\xff\xfe\x00", "application/x-www-form-urlencoded"),
    "too many fields": ("a=1&" * 2000, "application/x-www-form-urlencoded"),
}


@pytest.mark.parametrize(("body", "content_type"), WRONG_BODIES.values(), ids=WRONG_BODIES)
def test_a_wrong_body_does_nothing_and_breaks_nothing(address, body, content_type):
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    answer = client.post(address, body, content_type=content_type)
    assert answer.status_code in (200, 400)
    assert nothing_happened()


def test_over_http_it_is_led_to_https_and_nothing_is_done(address, stranger, secured):
    """A mail program follows no redirect: the header names https, and only that works."""
    answer = stranger.post(address, ONE_CLICK)
    assert (answer.status_code, answer["Location"]) == (301, f"https://testserver{address}")
    assert nothing_happened()


def test_over_https_it_needs_no_redirect(address, stranger, secured):
    for _ in range(2):
        answer = stranger.post(address, ONE_CLICK, **HTTPS)
        assert (answer.status_code, answer.get("Location")) == (200, None)
    assert Suppression.objects.count() == 1


def test_the_clinic_sees_it_and_the_patient_goes_to_the_call_list(address, message, stranger):
    stranger.post(address, ONE_CLICK)
    assert unreachable(message.patient) == "unsubscribed"
    assert Course.objects.get().replan_at is not None


def test_who_changes_their_mind_twice_is_heard_twice(address, message, stranger, now):
    stranger.post(address, ONE_CLICK)
    suppression.lift(Suppression.objects.get(), by=BY_TEST, now=now)
    assert suppression.why_not(message.patient) == ""
    stranger.post(address, ONE_CLICK)
    assert suppression.why_not(message.patient) == "unsubscribed"
    assert AuditEntry.objects.filter(action="unsubscribe").count() == 2


@pytest.mark.parametrize("status", [Patient.Status.WITHDRAWN, Patient.Status.DECEASED])
def test_it_works_after_the_end_of_follow_up_too(address, message, stranger, status):
    Patient.objects.update(status=status)
    assert stranger.post(address, ONE_CLICK).status_code == 200
    assert Suppression.objects.count() == 1


def test_it_costs_few_queries(address, stranger, django_assert_max_num_queries):
    with django_assert_max_num_queries(6):
        stranger.get(address)
    with django_assert_max_num_queries(24):
        stranger.post(address, ONE_CLICK)
