"""What a mail says, and above all what it does not. Parsed as a mail program would."""

import re
from email import policy
from email.parser import BytesParser

import pytest
from django.core.mail import BadHeaderError

from reminders import emails
from reminders.letters import message_letter, minutes, notice_letter
from reminders.models import Message
from surveys import questions
from tests.builders import make_course
from tests.mails import parts, words_of
from tests.reminders.letters import make_alert, make_message, make_notice
from tests.surveys.follow_ups import make_follow_up


@pytest.fixture
def canary(clinic, now):
    """A patient of whom nothing may be seen in a mail."""
    clinic.name, clinic.sender_name = "North Ketamine Clinic", "Care Team"
    clinic.phone = "(432) 555-0199"
    clinic.save()
    return make_course(clinic, now=now, email="secret.address@example.com")


def sent(message: Message, *names: str):
    mail = emails.write(message_letter(message, names or ("phq9",)), "smtp")
    raw = mail.email.message().as_bytes()
    return BytesParser(policy=policy.default).parsebytes(raw)


def in_language(course, language, now, **changes):
    course.patient.language = language
    course.patient.save()
    return make_message(course, now=now, **changes)


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(("kind", "nth"), [("invitation", 0), ("reminder", 1), ("reminder", 2)])
def test_text_and_html_say_the_same(canary, kind, nth, language, now):
    text, html = parts(sent(in_language(canary, language, now, kind=kind, nth=nth)))
    only_html = set(words_of(html)) - set(text.split())
    helper = {"en": "If the button does not work, copy this address into your browser:"}
    helper["es"] = "Si el botón no funciona, copie esta dirección en su navegador:"
    assert only_html <= set(helper[language].split()) | {"check-in", "breve"}
    assert set(text.replace("breve:", "breve").split()) - set(words_of(html)) <= {"--", "check-in:"}


def test_the_subjects(canary, now):
    def subject(language, kind, nth=0):
        follow_up = make_follow_up(canary, ["phq9"], now=now)
        message = in_language(canary, language, now, kind=kind, nth=nth, follow_up=follow_up)
        text = sent(message)["Subject"]
        follow_up.withdrawn_at = now
        follow_up.save()
        return text

    subjects = {
        ("en", "invitation", 0): "Your check-in is ready",
        ("es", "invitation", 0): "Su cuestionario breve está listo",
        ("en", "reminder", 1): "Reminder: your check-in",
        ("es", "reminder", 1): "Recordatorio: su cuestionario breve",
        ("en", "reminder", 2): "Reminder: still time for your check-in",
        ("es", "reminder", 2): "Recordatorio: aún puede responder",
    }
    assert {case: subject(*case) for case in subjects} == subjects
    assert max(map(len, subjects.values())) <= 45


def test_what_every_mail_tells(canary, now):
    text, html = parts(sent(make_message(canary, now=now)))
    for sentence in (
        "Care Team would like to know how you are",
        "about 2 minutes",
        "9 a.m. on Thursday, March 5",
        "call or text 988",
        "call 911",
        "never ask for passwords or your birth date",
        "To stop these e-mails",
        "(432) 555-0199",
        "This mailbox is not read",
    ):
        assert sentence in text
        assert sentence in " ".join(words_of(html))


def test_the_last_moment_is_told_in_the_patients_language_and_zone(canary, now):
    canary.patient.zone = "Pacific/Honolulu"
    text, _ = parts(sent(in_language(canary, "es", now)))
    assert "jueves 5 de marzo, 5:00 a.m." in text


def test_headers(canary, now, settings):
    settings.SITE_ROOT = "https://updates.example"
    message = make_message(canary, now=now)
    parsed = sent(message)
    assert str(parsed["From"]) == "Care Team <updates@localhost>"
    assert str(parsed["To"]) == "secret.address@example.com"
    assert parsed["Cc"] is None
    assert parsed["Bcc"] is None
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert re.fullmatch(
        r"<https://updates\.example/u/[\w-]{43}/>", parsed["List-Unsubscribe"].strip()
    )
    assert parsed["List-Id"] == "Check-ins <check-ins.localhost>"
    assert parsed["Message-ID"] == sent(message)["Message-ID"]
    assert str(message.pk) not in str(parsed["Message-ID"])


def test_a_new_link_gives_a_new_message_id(canary, now):
    message = make_message(canary, now=now)
    before = sent(message)["Message-ID"]
    message.follow_up.link_nonce = b"another nonce..!"
    assert sent(message)["Message-ID"] != before


def test_the_html_is_small_plain_and_loads_nothing(canary, now):
    parsed = sent(in_language(canary, "es", now))
    _, html = parts(parsed)
    assert len(parsed.as_bytes()) <= 20_000
    assert "<img" not in html
    assert "<script" not in html
    assert "@import" not in html
    assert "var(--" not in html
    assert '<html lang="es"' in html
    assert 'content="light dark"' in html
    assert html.count("<table") == html.count('role="presentation"')
    assert set(re.findall(r"https?://([^/\"\s]+)", html)) == {"localhost:8000"}


def test_one_thing_to_do(canary, now):
    _, html = parts(sent(make_message(canary, now=now)))
    links = re.findall(r'<a [^>]*href="([^"]+)"', html)
    assert [("/s/" in link, "/u/" in link) for link in links] == [(True, False), (False, True)]
    assert html.count('class="button"') == 1


def test_a_first_name_only_where_the_clinic_wants_it(canary, now):
    message = make_message(canary, now=now)
    assert "Hello," in parts(sent(message))[0]
    message.patient.clinic.greet_by_first_name = True
    text, html = parts(sent(message))
    assert "Hello Ana," in text
    assert "Lucía" not in text + html


def test_names_are_printed_as_they_are_and_cannot_become_markup(canary, now):
    message = make_message(canary, now=now)
    message.patient.clinic.greet_by_first_name = True
    message.patient.clinic.sender_name = "Day & <b>Night"
    message.patient.name = "D'Arcy Byrne"
    text, html = parts(sent(message))
    assert "Hello D'Arcy," in text
    assert "Day & <b>Night" in text
    assert "<b>" not in html


def test_a_senders_name_may_have_accents(canary, now):
    message = make_message(canary, now=now)
    message.patient.clinic.sender_name = "Equipo de atención, María"
    assert sent(message)["From"].addresses[0].display_name == "Equipo de atención, María"


@pytest.mark.parametrize("name", ["Care\r\nBcc: everybody@example.com", "Care\nTeam"])
def test_a_line_break_in_the_senders_name_never_becomes_a_header(canary, name, now):
    message = make_message(canary, now=now)
    message.patient.clinic.sender_name = name
    with pytest.raises((BadHeaderError, ValueError)):
        sent(message)


def test_what_is_kept_of_a_mail_holds_no_link_and_nobody(canary, now):
    message = make_message(canary, now=now)
    letter = message_letter(message, ("phq9",))
    kept = str(dict(letter.stored))
    for secret in ("secret.address", "Ana", letter.context["link"].split("/s/")[1], "http"):
        assert secret not in kept


def test_the_same_letter_gives_the_same_hash_and_any_change_another(canary, now):
    message = make_message(canary, now=now)
    first = emails.write(message_letter(message, ("phq9",)), "smtp").sha256
    assert emails.write(message_letter(message, ("phq9",)), "smtp").sha256 == first
    message.patient.clinic.phone = "(432) 555-0111"
    assert emails.write(message_letter(message, ("phq9",)), "smtp").sha256 != first


def test_tracking_is_switched_off_where_a_provider_can_do_it(canary, now):
    letter = message_letter(make_message(canary, now=now), ("phq9",))
    postmark = emails.write(letter, "postmark").email
    assert (postmark.track_opens, postmark.track_clicks) == (False, False)
    assert postmark.metadata == {"id": letter.ref}
    resend = emails.write(letter, "resend").email
    assert not hasattr(resend, "track_opens")
    assert resend.metadata == {"id": letter.ref}


def test_redirected_mail_names_nobody(canary, now, settings):
    settings.MAIL_MODE = "redirect:operator@example.org"
    parsed = sent(make_message(canary, now=now))
    assert str(parsed["To"]) == "operator@example.org"
    assert parsed["X-Mail-Mode"] == "redirect"
    assert "secret.address" not in parsed.as_string()


@pytest.mark.parametrize(("level", "priority"), [("critical", 1), ("urgent", 2), ("review", 3)])
def test_a_notice_tells_a_reference_and_a_priority(canary, clinician, level, priority, now):
    alert = make_alert(
        canary.patient.clinic,
        now=now,
        level=level,
        patient=canary.patient,
        reference="7F3K-21",
    )
    letter = notice_letter(make_notice(alert, clinician, now=now))
    raw = emails.write(letter, "smtp").email.message().as_bytes()
    parsed = BytesParser(policy=policy.default).parsebytes(raw)
    text, html = parts(parsed)
    assert str(parsed["Subject"]) == "A response needs review. Ref 7F3K-21"
    assert f"Ref 7F3K-21 · Priority {priority}" in text
    assert parsed["List-Unsubscribe"] is None
    seen = "\n".join((str(parsed["Subject"]), text, html))
    for word in ("critical", "urgent", "suicide", "9=2"):
        assert not re.search(rf"(?<!\w){word}", seen, re.IGNORECASE), word


def test_a_test_of_the_chain_says_so(clinic, clinician, now):
    alert = make_alert(clinic, now=now, rule="test")
    mail = emails.write(notice_letter(make_notice(alert, clinician, now=now)), "smtp")
    assert "This is a test of the chain" in mail.email.body


def test_minutes_are_whole_and_at_least_one():
    assert minutes(()) == 1
    assert minutes(("mood",)) == 1
    assert minutes(("phq9", "gad7")) == 3


@pytest.mark.parametrize("names", [["checkin"], ["checkin", "mood"], ["phq9", "pcptsd5"]])
def test_the_mail_and_the_first_page_say_the_same_length(course, names, now):
    asked = questions.paper(make_follow_up(course, names, now=now), now=now, language="en")
    assert asked.minutes == minutes(tuple(names))


def test_a_clinic_without_a_name_of_its_own_signs_in_the_patients_language(canary, now):
    message = make_message(canary, now=now)
    message.patient.language = "es"
    assert sent(message)["From"].addresses[0].display_name == "Equipo de atención"
