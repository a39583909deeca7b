"""A real browser without JavaScript: the keyboard, small screens, and nothing from elsewhere."""

from datetime import UTC, datetime

import pytest

from surveys import links
from surveys.models import Alert, Score
from tests.surveys.follow_ups import make_follow_up

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NARROW = {"width": 320, "height": 640}


@pytest.fixture
def now() -> datetime:
    """The browser's requests are served at the real time."""
    return datetime.now(UTC)


@pytest.fixture
def ask(course, now, live_server, settings):
    """The address of an open follow-up that asks `instruments`."""
    settings.SITE_ROOT = live_server.url
    settings.CSRF_TRUSTED_ORIGINS = [live_server.url]
    return lambda *instruments: links.survey_url(make_follow_up(course, instruments, now=now))


@pytest.fixture
def small(new_page):
    return new_page(viewport=NARROW, java_script_enabled=False, has_touch=True, is_mobile=True)


def tab_to(page, selector: str) -> None:
    """Press Tab until `selector` has the focus."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.locator(f"{selector}:focus").count():
            return
    raise AssertionError(f"the keyboard does not reach {selector}")


def enter(page) -> None:
    with page.expect_navigation():
        page.keyboard.press("Enter")


def press(page, button: str = "button.main") -> None:
    """Press `button` and wait for the page it leads to: a click alone may return before it."""
    with page.expect_navigation():
        page.locator(button).click()


def test_by_keyboard_alone_on_the_smallest_phone(small, ask):
    small.goto(ask("phq2", "mood"))
    tab_to(small, "button.main")
    enter(small)
    for _ in range(3):
        tab_to(small, "input[type=radio]")
        small.keyboard.press("Space")
        tab_to(small, "button.main")
        enter(small)
    assert "/check-in/review/" in small.url
    tab_to(small, "button.main")
    enter(small)
    assert small.get_by_role("heading", level=1).inner_text() == "Thank you. Your answers are sent."
    assert Score.objects.count() == 2


def test_enter_saves_and_does_not_switch_the_language(small, ask):
    small.goto(ask("phq2"))
    press(small)
    tab_to(small, "input[type=radio]")
    small.keyboard.press("Space")
    enter(small)
    assert small.url.endswith("/check-in/2/")
    assert small.locator("html").get_attribute("lang") == "en"


def test_an_error_takes_the_focus_and_leads_to_the_choices(small, ask):
    small.goto(ask("phq2"))
    press(small)
    press(small)
    assert small.title() == "Error: Check-in"
    small.locator(".problem a").click()
    assert small.url.endswith("#answer-0")


def test_a_worrying_answer_shows_the_numbers_without_a_script(small, ask):
    small.goto(ask("phq9"))
    press(small)
    for _ in range(9):
        small.locator("label[for=answer-1]").click()
        press(small)
    assert small.get_by_role("link", name="Call 988").get_attribute("href") == "tel:988"
    assert small.get_by_role("link", name="Text 988").get_attribute("href") == "sms:988"
    assert Alert.objects.get().trigger == "9=1"


@pytest.mark.parametrize(("width", "rows"), [(320, 11), (360, 11), (390, 11), (480, 1), (768, 1)])
def test_eleven_targets_fit_every_screen(new_page, ask, width, rows):
    page = new_page(viewport={"width": width, "height": 800})
    page.goto(ask("nrs24:now"))
    press(page)
    boxes = [label.bounding_box() for label in page.locator(".steps label").all()]
    assert len(boxes) == 11
    assert len({round(box["y"]) for box in boxes}) == rows
    assert min(box["height"] for box in boxes) >= 44
    assert min(box["width"] for box in boxes) >= 24
    assert max(box["width"] for box in boxes) - min(box["width"] for box in boxes) <= 1
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_no_text_is_small_no_target_is_small_and_nothing_comes_from_elsewhere(new_page, ask):
    page = new_page(viewport=NARROW)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    address = ask("checkin")
    page.goto(address)
    for button in ("button.main", None):
        assert page.evaluate(SMALLEST_TEXT) >= 18
        assert page.evaluate(SMALLEST_TARGET) >= 48
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        if button:
            press(page, button)
    origin = address.partition("/s/")[0]
    assert asked
    assert all(url.startswith(origin) for url in asked)
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0


def test_no_spanish_page_scrolls_sideways_on_the_smallest_phone(new_page, ask):
    page = new_page(viewport=NARROW)
    page.goto(ask("phq9") + "?lang=es")
    for _ in range(10):
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        press(page)
        page.locator("label").nth(1).click()
    assert page.url.endswith("/check-in/help/")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


SMALLEST_TEXT = """Math.min(...[...document.querySelectorAll('body *')]
    .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()))
    .map(e => parseFloat(getComputedStyle(e).fontSize)))"""
SMALLEST_TARGET = """Math.min(...[
    ...document.querySelectorAll('button, a, .choices label, .steps label')]
    .map(e => e.getBoundingClientRect().height))"""
