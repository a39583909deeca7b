"""No e-mail says anything that an onlooker could use, whatever stands in the rows it is made from.

The rows hold a drug, a score, a header, markup and a mark that turns writing around in every text
there is; the templates are found by walking, so that a new one is read here too or fails.
"""

import re
from collections.abc import Iterator
from datetime import date
from itertools import chain

import pytest
import time_machine
from django.utils import dateformat, translation

from clinic.models import Indication, Infusion
from reminders import protocols
from reminders.models import Message
from surveys import instruments
from tests import mails
from tests.mails import CANARY, CASES, SITE, World, everything, make_world, parts, tell_all

# What safety rules name, in both languages, and their kin.
WORDS = {
    *("ketamin", "infusi", "depres", "pain", "dolor", "mood", "ánimo", "animo", "suicid"),
    *("symptom", "síntoma", "score", "puntaje", "puntuaci", "dose", "dosis", "mg", "diagnos"),
    *("treatment", "tratamiento", "session", "sesión", "crisis plan", "anxi", "ansiedad"),
    *("phq", "gad-?[27]", "pcl", "peg", "nrs", "pgic", "ptsd", "crps", "fibromial", "migraña"),
    *("clinician", "therap"),
}
OUR_WORDS = {"checkin", "checkin-short"}  # what patients' e-mails call every follow-up
HEADERS = {
    *("Subject", "From", "To", "Message-ID", "Date", "MIME-Version", "Content-Type"),
    *("Content-Transfer-Encoding", "Auto-Submitted", "List-Id", "List-Unsubscribe"),
    "List-Unsubscribe-Post",
}
FORMATS = ("F j", r"j \d\e F", "M j", "j M", "j F", "Y-m-d", "n/j", "m/d", "j.n.", "d-m")
SECRET = r"[\w-]{43}"
PATHS = re.compile(
    rf"/(?:[su]/{SECRET}/|alerts/|accounts/invitation/[\w-]+/[\w.:-]+/"
    r"|accounts/password/reset/key/\w+-\w+-\w+/)"
)


@pytest.fixture
def world(clinic, now, settings) -> Iterator[World]:
    settings.SITE_ROOT = SITE
    with time_machine.travel(now, tick=False):
        made = make_world(clinic, now=now)
        tell_all(made)
        yield made


def days(day: date) -> Iterator[str]:
    """A day as people and machines write it."""
    for language in ("en", "es"):
        with translation.override(language):
            words = [dateformat.format(day, each) for each in FORMATS]
        yield from (re.escape(word) + r"(?!\d)" for word in words)


def telling(world: World) -> set[str]:
    """Patterns of what this patient's file holds, and of all that any file may hold."""
    labels = chain(Indication.labels, Infusion.Route.labels, protocols.available())
    ours = {re.escape(str(label)) for label in labels if len(str(label)) > 4}
    asked = {re.sub(r"(?=\d)", "-?", key, count=1) for key, _ in instruments.available()}
    patient = world.course.patient
    dates = {*days(world.infusion.started_at.date()), *days(patient.birth_date)}
    values = {CANARY, r"9=\d", r"(?<!\d)27(?!\d)", "critical", str(patient.birth_date.year)}
    rows = (patient, world.course, world.follow_up, world.alert, world.reader, world.clinic)
    keys = {re.escape(form) for row in rows for form in (str(row.pk), row.pk.hex)}
    return WORDS | ours | asked - OUR_WORDS | dates | keys | values


@pytest.mark.parametrize(("kind", "language"), CASES)
def test_it_tells_nothing_and_leads_nowhere_else(world, kind, language):
    patterns = telling(world)
    for mail in mails.mails(world, kind, language):
        seen = everything(mail)
        found = {each for each in patterns if re.search(rf"(?<!\w){each}", seen, re.IGNORECASE)}
        assert found == set()
        no_row_becomes_a_header_or_markup(mail)
        for address in mails.addresses(mail):
            assert address.startswith(SITE)
            assert PATHS.fullmatch(address.removeprefix(SITE)), address


def no_row_becomes_a_header_or_markup(mail) -> None:
    assert set(mail.keys()) <= HEADERS
    assert len(mail.keys()) == len(set(mail.keys()))
    assert not any(re.search(r"[\r\n\u202e]", str(value)) for value in mail.values())
    assert len(mail["To"].addresses) == len(mail["From"].addresses) == 1
    assert {part.get_content_disposition() for part in mail.walk()} == {None}, "nothing attached"
    assert "\u202e" not in "".join(parts(mail))
    assert "evil.example" not in mail.as_string()


@pytest.mark.parametrize(
    ("name", "greeted"),
    [
        ("Ana Lucía Peña", "Ana"),
        ("Peña, Ana Lucía", ""),
        ("Ana\r\nBcc:x@evil.example Peña", "Ana"),
        ("\u202eAna Peña", "Ana"),
        ("Ana<b>Peña</b> Peña", ""),
        ("Ana\u2028Peña", "Ana"),
        ("ليلى بنت عبد الرحمن", "ليلى"),
        ("O’Neill Peña", "O’Neill"),
        ("Anne-Marie Peña", "Anne-Marie"),
        ("PHQ-9 Peña", ""),
        ("27 Peña", ""),
        ("", ""),
    ],
)
def test_a_greeting_is_a_first_name_or_none(world, name, greeted):
    patient = world.course.patient
    patient.name, patient.clinic.greet_by_first_name = name, True
    patient.save()
    patient.clinic.save()
    for language, named, nobody in (("en", "Hello {},", "Hello,"), ("es", "Hola, {}:", "Hola:")):
        mail, *_ = mails.mails(world, "reminders/invitation", language)
        text, html = parts(mail)
        assert (named.format(greeted) if greeted else nobody) in text
        assert "Peña" not in text + html
        no_row_becomes_a_header_or_markup(mail)
        Message.objects.all().delete()


def test_each_template_is_walked_and_each_is_written():
    assert {kind.partition("/")[0] for kind in mails.kinds()} == {
        "account",
        "dashboards",
        "reminders",
    }
    assert len(mails.kinds()) >= 9
