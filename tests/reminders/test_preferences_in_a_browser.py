"""The patient's own page in a real browser without JavaScript, on the smallest phone."""

from datetime import UTC, datetime

import pytest

from clinic.models import Patient
from surveys import links
from tests.surveys.follow_ups import make_follow_up
from tests.surveys.test_in_a_browser import NARROW, SMALLEST_TARGET, SMALLEST_TEXT, press, tab_to

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def address(course, live_server, settings) -> str:
    settings.SITE_ROOT = live_server.url
    return links.unsubscribe_url(make_follow_up(course, ["phq2"], now=datetime.now(UTC)))


@pytest.mark.parametrize("language", ["en", "es"])
def test_it_fits_and_can_be_read_and_pressed(new_page, address, language):
    page = new_page(viewport=NARROW)
    page.goto(f"{address}?lang={language}")
    for choice in ("pause", "off", "on"):
        for _ in range(2):  # the page, and what it says after saving
            assert page.evaluate("document.documentElement.scrollWidth") <= 320
            assert page.evaluate(SMALLEST_TEXT) >= 18
            assert page.evaluate(SMALLEST_TARGET) >= 48
            if page.locator("select").count():
                assert page.locator("select").bounding_box()["height"] >= 48
                page.check(f"input[name=mail][value={choice}]")
                press(page)
        page.goto(f"{address}?lang={language}")


def test_by_keyboard_alone_without_a_script(new_page, address):
    page = new_page(viewport=NARROW, java_script_enabled=False)
    page.goto(address)
    tab_to(page, "input[name=mail]")
    page.keyboard.press("ArrowDown")
    with page.expect_navigation():
        page.keyboard.press("Enter")  # saves; the language switch is another button of this form
    assert page.get_by_role("heading", level=1).inner_text() == "Your choices are saved"
    assert Patient.objects.get().status == "paused"
