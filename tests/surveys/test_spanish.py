"""A Spanish page is Spanish throughout."""

import polib
import pytest
from django.conf import settings

from surveys import instruments
from tests.surveys.follow_ups import make_follow_up
from tests.surveys.handset import Handset

CATALOGUE = polib.pofile(str(settings.BASE_DIR / "locale/es/LC_MESSAGES/django.po"))
ENGLISH = {
    entry.msgid
    for entry in CATALOGUE
    if entry.msgstr and entry.msgstr != entry.msgid and len(entry.msgid) > 3
}
# Words of ours that are also Spanish, or stand inside longer Spanish words.
SAME = {"Error:", "Start", "Back", "Help", "Change", "Continue"}


def english_in(text: str) -> list[str]:
    return [words for words in ENGLISH - SAME if "%(" not in words and words in text]


@pytest.fixture
def paciente(course, now, handset) -> Handset:
    course.patient.language = "es"
    course.patient.save()
    handset.follow_up = make_follow_up(course, ["phq9", "checkin", "mood"], now=now)
    return handset


def pages(paciente):
    yield paciente.open(paciente.follow_up)
    yield paciente.press("Empezar")
    yield paciente.press("Guardar y continuar")
    for _ in range(8):
        yield paciente.choose("0")
    yield paciente.choose("1")
    yield paciente.press("Decírselo a mi clínica", safe="yes")
    yield paciente.follow("Seguir con el cuestionario")
    yield paciente.choose("0")
    yield paciente.choose("flag-fall")
    yield paciente.follow("Seguir con el cuestionario")
    yield paciente.choose("had-1")
    yield paciente.choose("3")
    yield paciente.choose("decline")
    yield paciente.choose("5")
    yield paciente.press("Enviar mis respuestas")
    yield paciente.open(paciente.follow_up)
    yield paciente.get("/s/unknown/?lang=es")
    yield paciente.get("/check-in/help/numbers/")
    paciente.client.cookies.clear()
    yield paciente.get("/check-in/?lang=es")


@pytest.mark.slow
def test_a_spanish_page_is_spanish(paciente):
    seen = set()
    for page in pages(paciente):
        seen.add(page.path)
        assert '<html lang="es">' in page.html
        assert page.response.headers["Content-Language"] == "es"
        assert english_in(page.text) == [], page.path
        assert page.title in ("Cuestionario breve", "Error: Cuestionario breve")
        english = instruments.latest("phq9").wording["en"]
        assert not [text for text in english.items.values() if text in page.text]
    assert "/check-in/sent/" in seen


def test_the_crisis_block_is_spanish(paciente):
    paciente.open(paciente.follow_up)
    paciente.press("Empezar")
    for _ in range(8):
        paciente.choose("0")
    page = paciente.choose("1")
    assert "Gracias por decírnoslo. Muchas personas tienen estos pensamientos" in page.text
    assert "En español: llame al 988 y oprima 2, o envíe AYUDA por texto al 988." in page.text
    assert page.links["Llamar al 988"] == "tel:988"


def test_dates_are_written_as_in_spanish(paciente, clinic):
    clinic.staffed_days = [0, 1, 2, 3, 4]
    clinic.save()
    paciente.open(paciente.follow_up)
    paciente.press("Empezar")
    page = paciente.press("Necesito ayuda ahora")
    assert "cerrada y abre el miércoles 4 de marzo a las 8:00 a.m.; es posible" in page.text


@pytest.mark.parametrize(
    ("name", "seen"), [("Care Team", "Equipo de atención"), ("Clínica Norte", "Clínica Norte")]
)
def test_only_our_own_name_for_a_clinic_is_translated(paciente, clinic, name, seen):
    clinic.sender_name = name
    clinic.save()
    assert f"{seen} English" in paciente.open(paciente.follow_up).text


def test_every_crisis_line_says_how_to_be_heard_in_spanish(paciente):
    page = paciente.open(paciente.follow_up)
    assert page.text.count("al 988 y oprima 2, o envíe AYUDA por texto al 988") == 2


def test_every_text_of_a_patients_page_is_translated():
    assert not [entry.msgid for entry in CATALOGUE.untranslated_entries()]
    assert not [entry.msgid for entry in CATALOGUE.fuzzy_entries()]
