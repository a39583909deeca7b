"""Every template in every language, for a patient and a clinic whose every field would tell."""

import re
from dataclasses import replace
from email import policy
from email.parser import BytesParser

import pytest

from clinic import infusions
from clinic.infusions import InfusionDetails
from reminders import emails, lanes, samples
from reminders.letters import message_letter, notice_letter
from reminders.samples import SAMPLES
from tests.builders import BY_TEST, make_course
from tests.mails import parts, words_of
from tests.reminders.letters import HOUR, make_alert, make_message, make_notice

CASES = [(key, language) for key, sample in SAMPLES.items() for language in sample.languages]
FOR_PATIENTS = [case for case in CASES if not SAMPLES[case[0]].to_staff]


@pytest.fixture
def telling(clinic, clinician, now):
    """A course of which every column says what a mail may not."""
    clinic.name, clinic.phone = "North Ketamine & Pain Clinic", "(432) 555-0199"
    clinic.save()
    clinician.user.name = "Dr. Ada Lee"
    clinician.user.save()
    details = {"name": "Quetzal Lobato", "mrn": "TELLTALE-PHQ", "phone": "432-555-0177"}
    course = make_course(clinic, now=now, email="q@patients.example", **details)
    infusions.log(course, InfusionDetails(started_at=now - 48 * HOUR), by=BY_TEST, now=now)
    return course


def written(key, language, course, member, now):
    """The sample's template over real rows, as the provider is handed it."""
    sample = SAMPLES[key]
    if sample.to_staff:
        rule = "test" if sample.is_test else "suicide"
        about = {"patient": course.patient, "level": "critical", "trigger": "9=3 of 27"}
        alert = make_alert(course.patient.clinic, now=now, rule=rule, reference="7F3K-21", **about)
        letter = notice_letter(make_notice(alert, member, now=now))
    else:
        course.patient.language = language
        course.patient.save()
        message = make_message(course, now=now, kind=sample.template, nth=sample.nth)
        letter = message_letter(message, ("phq9", "gad7"))
    raw = emails.write(letter, lanes.current()).email.message().as_bytes()
    return BytesParser(policy=policy.default).parsebytes(raw)


@pytest.mark.parametrize(("key", "language"), CASES)
def test_its_measures(telling, clinician, key, language, now, settings):
    settings.SITE_ROOT = "https://updates.example"
    parsed = written(key, language, telling, clinician, now)
    subject = str(parsed["Subject"])
    assert len(subject) <= 45
    assert not re.search(r"!|^re:|urgent", subject, re.IGNORECASE)
    assert len(parsed.as_bytes()) <= 20_000
    text, html = parts(parsed)
    hosts = re.findall(r"(?:https?:)?//([^/\s\"<]+)", parsed["List-Unsubscribe"] or "")
    hosts += re.findall(r"https?://([^/\s\"<]+)", text + html)
    assert set(hosts) == {"updates.example"}
    assert not re.search(r"<(?:img|script|link|form|iframe)\b|url\(|@import|@font-face", html)
    assert f'<html lang="{language}"' in html
    assert html.count("<table") == html.count('role="presentation"')
    assert html.count('class="button"') == html.count("<h1") == 1
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in parsed.iter_parts()] == [
        "text/plain",
        "text/html",
    ]


FACTS = {
    "en": [
        *("about 3 minutes", "until 9 a.m. on Thursday, March 5", "Open your check-in"),
        *("call or text 988", "call 911", "never ask for passwords or your birth date"),
        *("To stop these e-mails", "(432) 555-0199"),
    ],
    "es": [
        *("3 minutos", "hasta el jueves 5 de marzo", "Abrir su cuestionario breve"),
        *("988", "911", "Nunca pedimos contraseñas ni su fecha de nacimiento"),
        *("Para dejar de recibir estos correos", "(432) 555-0199"),
    ],
}
WHO = {"en": "Care Team", "es": "Equipo de atención"}
WHY = {
    "en": "because you agreed to be asked|that you asked Care Team for",
    "es": "porque aceptó que le preguntemos|que le pidió a Equipo de atención",
}


@pytest.mark.parametrize(("key", "language"), FOR_PATIENTS)
def test_both_parts_tell_who_why_how_long_and_where_to_turn(telling, clinician, key, language, now):
    text, html = parts(written(key, language, telling, clinician, now))
    for said in (" ".join(text.split()), " ".join(words_of(html))):
        assert WHO[language] in said
        assert re.search(WHY[language], said)
        assert [fact for fact in FACTS[language] if fact not in said] == []
        assert re.search(r"https?://\S+/s/[\w-]{43}/", said), "the address in full"
        assert re.search(r"https?://\S+/u/[\w-]{43}/", said)


@pytest.mark.parametrize(("key", "language"), CASES)
def test_the_parts_say_the_same(telling, clinician, key, language, now):
    text, html = parts(written(key, language, telling, clinician, now))
    helper = "If the button does not work, copy this address into your browser:"
    helper += " Si el botón no funciona, copie esta dirección en su navegador:"
    in_text = {word.rstrip(":") for word in text.split()} - {"--"}
    in_html = {word.rstrip(":") for word in words_of(html)}
    assert in_html - {word.rstrip(":") for word in helper.split()} <= in_text
    assert in_text <= in_html


@pytest.mark.parametrize("language", samples.LANGUAGES)
def test_each_reminder_has_words_of_its_own(telling, clinician, language, now):
    mails = [samples.letter(SAMPLES[f"reminder-{n}"], language, reader=clinician, now=now)
             for n in (1, 2)]  # fmt: skip
    first, second = map(emails.rendered, mails)
    assert first.subject != second.subject
    opening = [mail.text.partition("\n\n")[2].split("\n\n")[1] for mail in (first, second)]
    assert opening[0] != opening[1]
    assert first.text.splitlines()[0] != second.text.splitlines()[0]


def test_every_template_has_a_sample():
    folder = emails.Path(emails.settings.BASE_DIR, "templates", emails.FOLDER)
    kinds = {file.name.removesuffix("-subject.txt") for file in folder.glob("*-subject.txt")}
    kinds.remove("heartbeat")  # to the operators, from no clinic: no clinic's page shows it
    assert kinds == {sample.template for sample in SAMPLES.values()}


@pytest.mark.parametrize(("key", "language"), FOR_PATIENTS)
def test_a_sample_is_what_a_patient_of_that_name_would_get(clinic, clinician, key, language, now):
    """But for the links, which are as long and open nothing."""
    clinic.greet_by_first_name, clinic.phone = True, "(432) 555-0199"
    clinic.save()
    course = make_course(clinic, now=now, name=samples.NAME, language=language)
    sample = SAMPLES[key]
    made = samples.letter(sample, language, reader=clinician, now=now)
    message = make_message(course, now=now, kind=sample.template, nth=sample.nth)
    message.follow_up.closes_at = now + 48 * HOUR
    real = message_letter(message, ("phq8", "gad7"))
    assert [len(real.context[name]) for name in ("link", "unsubscribe")] == [
        len(made.context[name]) for name in ("link", "unsubscribe")
    ]
    links = {name: made.context[name] for name in ("link", "unsubscribe")}
    real = replace(real, context={**real.context, **links})
    assert emails.rendered(real) == emails.rendered(made)


@pytest.mark.parametrize(("key", "language"), FOR_PATIENTS)
def test_a_samples_links_open_nothing(client, clinician, key, language, now, assert_no_writes):
    letter = samples.letter(SAMPLES[key], language, reader=clinician, now=now)
    link, stop = (letter.context[name] for name in ("link", "unsubscribe"))
    assert "nothing" in link or "nada" in link
    with assert_no_writes():
        assert client.get(link.partition("8000")[2]).status_code == 410
        assert client.post(stop.partition("8000")[2]).status_code == 404
