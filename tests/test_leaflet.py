"""The leaflet that a clinic prints: one page, the same in both languages, nothing that worries."""

import re
from pathlib import Path

import pytest

LEAFLETS = sorted((Path(__file__).parent.parent / "docs" / "leaflet").glob("*.html"))
LINES = {"en": ["Call or text 988, or call 911."], "es": ["988 y oprima 2", "AYUDA", "911"]}
# docs/safety.md, "Words".
UNSAID = re.compile(
    r"committed|failed attempt|attention|flagged|you scored|high risk|no risk|\bsafe\b|alto riesgo"
    r"|intento fallido|a salvo|ketamin|depress|depresi",
    re.IGNORECASE,
)

each = pytest.mark.parametrize("leaflet", LEAFLETS, ids=lambda path: path.stem)


def test_there_is_one_in_each_language(settings):
    assert [path.stem for path in LEAFLETS] == sorted(code for code, _ in settings.LANGUAGES)
    texts = [path.read_text() for path in LEAFLETS]
    assert len({tuple(re.findall(r"<(?:section|h\d|li|p)\b", text)) for text in texts}) <= 2
    assert len({text.count("<section") for text in texts}) == 1


@each
def test_it_says_who_helps_now_and_no_word_that_we_do_not_use(leaflet):
    text = leaflet.read_text()
    assert f'<html lang="{leaflet.stem}">' in text
    assert all(line in text for line in LINES[leaflet.stem])
    assert not UNSAID.findall(text)


@each
def test_nothing_in_it_comes_from_elsewhere(leaflet):
    assert not re.findall(r"https?:|<link|<script|<img|url\(", leaflet.read_text())


@pytest.mark.browser
@each
@pytest.mark.parametrize("paper", ["Letter", "A4"])
def test_it_is_one_printed_page(desk, leaflet, paper):
    desk.goto(leaflet.as_uri())
    printed = desk.pdf(format=paper)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1


@pytest.mark.browser
@each
def test_it_fits_a_small_phone(new_page, leaflet):
    page = new_page(viewport={"width": 320, "height": 640})
    page.goto(leaflet.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
