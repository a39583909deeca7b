"""The page that shows every e-mail: what is on it, what is not, and the frame it stands in."""

import html

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from dashboards import framing
from reminders import emails, samples, trying
from reminders.models import Lane
from reminders.samples import SAMPLES

PAGE, FRAME, SEND = (
    reverse(f"dashboards:{name}") for name in ("mail-preview", "mail-frame", "send-test-mail")
)
CASES = [(key, language) for key, sample in SAMPLES.items() for language in sample.languages]


def body(response) -> str:
    assert response.status_code == 200
    return html.unescape(response.content.decode())


def told(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


@pytest.fixture
def desk(desk_of, coordinator):
    return desk_of(coordinator)


@pytest.mark.parametrize(("key", "language"), CASES)
def test_it_shows_what_would_be_written(desk, coordinator, course, key, language, later):
    seen = body(desk.get(PAGE, {"mail": key, "language": language}))
    letter = samples.letter(SAMPLES[key], language, reader=coordinator, now=later)
    email = emails.write(letter, "locmem").email
    assert email.body in seen
    assert email.subject in seen
    assert all(str(value) in seen for value in email.extra_headers.values())
    assert course.patient.name.split()[0] not in seen


def test_each_header_is_said_in_words(desk, settings):
    settings.MAIL_MODE = "redirect:operator@example.org"
    shown = desk.get(PAGE).context["shown"]
    assert len(shown.headers) == 6
    assert all(header.means for header in shown.headers)
    assert shown.to == "operator@example.org"


def test_what_it_does_not_know_it_leaves_aside(desk):
    seen = desk.get(PAGE, {"mail": "<b>", "language": "fr", "look": "pink"}).context
    assert (seen["sample"].key, seen["language"]) == ("invitation", "en")
    assert desk.get(PAGE, {"mail": "notice", "language": "es"}).context["language"] == "en"


def test_the_mail_page_leads_there(desk):
    assert PAGE in body(desk.get(reverse("dashboards:mail")))


def test_looking_writes_nothing_and_asks_little(desk, later, assert_no_writes):
    desk.get(PAGE)  # the session is noted as used
    with assert_no_writes(), CaptureQueriesContext(connection) as queries:
        desk.get(PAGE)
    with assert_no_writes():
        desk.get(FRAME)
    assert len(queries) <= 8


def test_the_page_may_hold_a_frame_of_ours_and_nothing_else_is_loosened(desk):
    page = desk.get(PAGE).headers["Content-Security-Policy"]
    other = desk.get(reverse("dashboards:mail")).headers["Content-Security-Policy"]
    directives = {each.strip() for each in page.split(";")}
    assert directives - {each.strip() for each in other.split(";")} == {"frame-src 'self'"}


@pytest.mark.parametrize("look", framing.LOOKS)
@pytest.mark.parametrize(("key", "language"), CASES)
def test_the_frame_can_do_nothing_but_be_looked_at(desk, key, language, look):
    response = desk.get(FRAME, {"mail": key, "language": language, "look": look})
    policy = response.headers["Content-Security-Policy"]
    directives = {each.strip() for each in policy.split(";")}
    assert {"sandbox", "default-src 'none'", "frame-ancestors 'self'"} <= directives
    assert "unsafe" not in policy
    assert "'self'" not in policy.replace("frame-ancestors 'self'", "")
    assert response.headers["X-Frame-Options"] == "SAMEORIGIN"
    seen = response.content.decode()
    assert " style=" not in seen
    assert "prefers-color-scheme" not in seen
    assert set(framing.re.findall(r'href="([^"]*)"', seen)) == {f"#{framing.NOTE}"}


def test_a_frame_keeps_every_word():
    said = '<html><head></head><body style="color: red;"><p>a &lt; b</p></body></html>'
    for look in framing.LOOKS:
        assert "<p>a &lt; b</p>" in framing.framed(said, look, "note").html


def test_a_rule_holds_the_style_as_it_was_written():
    said = '<head></head><p style="font-family: &quot;A&quot;, b;">a</p><p style="margin: 0;">b</p>'
    shown = framing.framed(said, "light", "note").html
    assert '[data-style="0"] { font-family: "A", b; }' in shown
    assert '<p data-style="1">b</p>' in shown


def test_a_test_goes_to_oneself_whatever_is_asked(desk, coordinator):
    asked = {"mail": "reminder-2", "language": "es", "to": "ana@example.com", "email": "x@y.org"}
    response = desk.post(SEND, asked, follow=True)
    assert [each.recipients() for each in mail.outbox] == [[coordinator.user.email]]
    assert mail.outbox[0].subject == "Recordatorio: aún puede responder"
    assert told(response) == ["Sent. If it does not arrive within minutes, look in spam."]
    assert response.request["QUERY_STRING"].startswith("mail=reminder-2&language=es")


@pytest.mark.parametrize("asked", [{}, {"mail": "everything"}])
def test_what_is_no_e_mail_of_ours_is_not_sent(desk, asked):
    response = desk.post(SEND, asked, follow=True)
    assert told(response) == ["Choose the e-mail first. Nothing was sent."]
    assert mail.outbox == []


def test_on_hold_it_says_so_before_and_after(desk, settings):
    settings.MAIL_MODE = "hold"
    seen = body(desk.get(PAGE))
    assert "on hold on this server, so a test does not go either" in seen
    assert "Send this to me" not in seen
    response = desk.post(SEND, {"mail": "invitation"}, follow=True)
    assert told(response) == [
        "E-mail is on hold on this server, so nothing was sent, not even a test."
    ]
    assert mail.outbox == []


def test_too_many_are_refused_in_words(desk):
    for _ in range(trying.AT_MOST):
        desk.post(SEND, {"mail": "invitation"})
    response = desk.post(SEND, {"mail": "invitation"}, follow=True)
    assert told(response)[-1].startswith("You have had 10 tests sent in the last hour.")
    assert len(mail.outbox) == trying.AT_MOST


def test_a_server_that_is_away_is_told(desk, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    response = desk.post(SEND, {"mail": "invitation"}, follow=True)
    assert told(response) == ["It was not sent: the mail server could not be reached."]
    assert Lane.objects.exists()


def test_a_viewer_sees_and_does_not_send(desk_of, viewer):
    desk = desk_of(viewer)
    assert "Send this to me" not in body(desk.get(PAGE))
    assert desk.post(SEND, {"mail": "invitation"}).status_code == 403
    assert mail.outbox == []


def test_it_is_the_clinics_own(desk_of, other_clinic_admin, other_clinic, clinic):
    other_clinic.sender_name, other_clinic.phone = "Larkspur Team", "(505) 555-0100"
    other_clinic.save()
    seen = body(desk_of(other_clinic_admin).get(PAGE))
    assert "Larkspur Team would like to know how you are" in seen
    assert "(505) 555-0100" in seen
    assert clinic.name not in seen
