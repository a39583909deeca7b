"""The own trend in a real browser without JavaScript, on the smallest phone, by keyboard."""

from datetime import UTC, datetime

import pytest

from surveys import links
from surveys.models import FollowUp
from tests.surveys.follow_ups import answer_all, make_follow_up
from tests.surveys.histories import DAY, allow_own_trend, begin
from tests.surveys.test_in_a_browser import (
    NARROW,
    SMALLEST_TARGET,
    SMALLEST_TEXT,
    enter,
    tab_to,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def now() -> datetime:
    """The browser's requests are served at the real time."""
    return datetime.now(UTC)


@pytest.fixture
def asked(course, clinic, now, live_server, settings) -> FollowUp:
    settings.SITE_ROOT = live_server.url
    settings.CSRF_TRUSTED_ORIGINS = [live_server.url]
    allow_own_trend(clinic)
    begin(course, ["phq9"], at=now - 20 * DAY)
    return make_follow_up(course, ["phq9"], now=now)


def send(page, follow_up: FollowUp, now: datetime) -> None:
    page.goto(links.survey_url(follow_up))
    with page.expect_navigation():
        page.locator("button.main").click()
    answer_all(follow_up, now=now, value=1, i9=0, send=False)
    page.goto(page.url.partition("/check-in/")[0] + "/check-in/review/")
    with page.expect_navigation():
        page.locator("button.main").click()


def test_by_keyboard_alone_without_a_script(new_page, asked, now):
    page = new_page(viewport=NARROW, java_script_enabled=False, has_touch=True, is_mobile=True)
    send(page, asked, now)
    with page.expect_navigation():
        page.get_by_role("link", name="See how my answers changed").click()
    tab_to(page, "#month")
    for text in ("3", "5", "1984"):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    tab_to(page, "button.main")
    enter(page)
    assert page.get_by_role("heading", level=1).inner_text() == "How your answers have changed"
    name = page.get_by_role("img").get_attribute("aria-labelledby")
    assert name == "topic-1 caption-1"
    assert page.locator("#caption-1").inner_text().startswith("At the start, ")


def test_enter_in_a_field_sends_the_date_and_switches_no_language(new_page, asked, now):
    page = new_page(viewport=NARROW)
    send(page, asked, now)
    page.goto(page.url.replace("/sent/", "/trend/"))
    for name, text in (("month", "3"), ("day", "5"), ("year", "1984")):
        page.fill(f"#{name}", text)
    enter(page)
    assert page.locator("svg.trend").count() == 1
    assert page.locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_the_smallest_phone_in_both_languages(new_page, asked, now, theme):
    page = new_page(viewport=NARROW, color_scheme=theme)
    send(page, asked, now)
    page.goto(page.url.replace("/sent/", "/trend/"))
    for step in ("button[name=language]", "button.main", "right", "button[name=language]"):
        if step == "right":
            for name, text in (("month", "3"), ("day", "5"), ("year", "1984")):
                page.fill(f"#{name}", text)
            step = "button.main"
        with page.expect_navigation():
            page.locator(step).click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        assert page.evaluate(SMALLEST_TEXT) >= 18
        assert page.evaluate(SMALLEST_TARGET) >= 48
    page.locator("summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    colours = page.evaluate(
        """() => ['.line', '.number'].map(of => {
            const style = getComputedStyle(document.querySelector(`svg ${of}`));
            return of === '.line' ? style.stroke : style.fill; })"""
    )
    assert colours == (
        ["rgb(11, 100, 100)", "rgb(28, 36, 48)"]
        if theme == "light"
        else ["rgb(111, 208, 198)", "rgb(233, 230, 222)"]
    )
