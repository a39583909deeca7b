"""The network is lost on a real phone: the page stays, the choice stays, the numbers stay."""

import pytest
from playwright.sync_api import Browser, Page

from surveys import links
from surveys.models import Alert, FollowUp, Response
from tests.browsers import PATIENCE_MS, PHONE
from tests.surveys.follow_ups import make_follow_up
from tests.surveys.test_in_a_browser import NARROW, SMALLEST_TARGET, SMALLEST_TEXT, now, press

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
__all__ = ["now"]


@pytest.fixture
def follow_up(course, now, live_server, settings) -> FollowUp:
    settings.SITE_ROOT = live_server.url
    settings.CSRF_TRUSTED_ORIGINS = [live_server.url]
    return make_follow_up(course, ["phq9"], now=now)


@pytest.fixture
def on_the_way(chromium: Browser):
    """Pages of a phone whose network may go. A lost network is an error in the console: only
    other errors fail the test."""
    contexts, complaints = [], []

    def make(*, script: bool, viewport=PHONE) -> Page:
        contexts.append(chromium.new_context(java_script_enabled=script, viewport=viewport))
        contexts[-1].set_default_timeout(PATIENCE_MS)
        page = contexts[-1].new_page()
        page.on("console", lambda line: line.type == "error" and complaints.append(line.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()
    assert [line for line in complaints if "net::ERR_" not in line] == []


def begin(page: Page, follow_up: FollowUp) -> None:
    page.goto(links.survey_url(follow_up))
    press(page)


def lose(page: Page) -> None:
    page.context.set_offline(True)


def find_again(page: Page) -> None:
    page.context.set_offline(False)


def go_on_to(page: Page, number: int) -> None:
    for _ in range(number - 1):
        page.locator("label[for=answer-0]").click()
        press(page)


def test_with_a_script_every_question_waits_and_goes_on_by_itself(on_the_way, follow_up):
    page = on_the_way(script=True)
    begin(page, follow_up)
    for number in range(1, 10):
        lose(page)
        page.locator("label[for=answer-1]").click()
        page.locator("button.main").click()
        page.locator("#no-network").wait_for()
        assert page.url.endswith(f"/check-in/{number}/")
        assert page.locator("#answer-1").is_checked()
        assert "has not been sent yet" in page.inner_text("#no-network")
        assert page.locator("#no-network").evaluate("node => node === document.activeElement")
        assert page.locator(".lifeline a[href='tel:988']").is_visible()
        assert (page.get_by_role("link", name="Call 988").count() == 1) is (number == 9)
        with page.expect_navigation():
            find_again(page)
    page.wait_for_url("**/check-in/help/")
    response = Response.objects.get()
    assert response.answers == {str(n): 1 for n in range(1, 10)}
    assert response.replaced == []
    assert Alert.objects.get().trigger == "9=1"


def test_the_choice_may_still_be_changed_while_it_waits(on_the_way, follow_up):
    page = on_the_way(script=True)
    begin(page, follow_up)
    lose(page)
    page.locator("label[for=answer-1]").click()
    press_and_stay(page)
    page.locator("label[for=answer-3]").click()
    press_and_stay(page)
    with page.expect_navigation():
        find_again(page)
    assert Response.objects.get().answers == {"1": 3}


def test_help_asked_for_meanwhile_comes_first_and_the_answer_is_sent_too(on_the_way, follow_up):
    page = on_the_way(script=True)
    begin(page, follow_up)
    lose(page)
    page.locator("label[for=answer-2]").click()
    press_and_stay(page)
    press_and_stay(page, "button.help")
    with page.expect_navigation():
        find_again(page)
    page.wait_for_url("**/check-in/help/")
    assert Response.objects.get().answers == {"1": 2}
    assert Alert.objects.get().level == "critical"


def test_sending_waits_too(on_the_way, follow_up):
    page = on_the_way(script=True)
    begin(page, follow_up)
    go_on_to(page, 10)
    lose(page)
    press_and_stay(page)
    assert page.url.endswith("/check-in/review/")
    with page.expect_navigation():
        find_again(page)
    page.wait_for_url("**/check-in/sent/")
    assert Response.objects.get().scores.count() == 1


def test_a_second_tap_while_the_first_is_under_way_is_one_answer(on_the_way, follow_up):
    page = on_the_way(script=True)
    begin(page, follow_up)
    go_on_to(page, 9)
    page.locator("label[for=answer-2]").click()
    page.locator("button.main").dblclick()
    page.wait_for_url("**/check-in/help/")
    assert Response.objects.get().answers["9"] == 2
    assert Alert.objects.count() == 1


def test_the_words_fit_the_smallest_phone_and_nothing_is_kept_in_the_browser(on_the_way, follow_up):
    page = on_the_way(script=True, viewport=NARROW)
    page.goto(links.survey_url(follow_up) + "?lang=es")
    press(page)
    go_on_to(page, 9)
    lose(page)
    page.locator("label[for=answer-1]").click()
    press_and_stay(page)
    assert "Sin conexión" in page.inner_text("#no-network")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.evaluate(SMALLEST_TEXT) >= 18
    assert page.evaluate(SMALLEST_TARGET) >= 48
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert "answer" not in page.url


def test_a_browser_that_is_killed_meanwhile_goes_on_where_it_was(on_the_way, follow_up):
    page = on_the_way(script=True)
    begin(page, follow_up)
    go_on_to(page, 3)
    lose(page)
    page.locator("label[for=answer-1]").click()
    press_and_stay(page)
    page.context.close()
    again = on_the_way(script=False)
    begin(again, follow_up)
    assert again.url.endswith("/check-in/3/")


def test_killed_right_after_item_nine_the_alert_stands(on_the_way, follow_up):
    page = on_the_way(script=True)
    begin(page, follow_up)
    go_on_to(page, 9)
    page.locator("label[for=answer-3]").click()
    with page.expect_request(lambda request: request.method == "POST"):
        page.locator("button.main").click()
    page.wait_for_url("**/check-in/help/", wait_until="commit")
    page.context.close()
    assert Alert.objects.get().trigger == "9=3"


def test_without_a_script_reloading_sends_the_choice_again(on_the_way, follow_up):
    page = on_the_way(script=False)
    begin(page, follow_up)
    for _ in range(9):
        page.locator("label[for=answer-1]").click()
        lose(page)
        press_in_vain(page)
        find_again(page)
        page.reload()
    page.wait_for_url("**/check-in/help/")
    assert Response.objects.get().answers == {str(n): 1 for n in range(1, 10)}


def test_without_a_script_back_keeps_the_choice(on_the_way, follow_up):
    page = on_the_way(script=False)
    begin(page, follow_up)
    page.locator("label[for=answer-1]").click()
    lose(page)
    press_in_vain(page)
    find_again(page)
    page.go_back()
    assert page.locator("#answer-1").is_checked()


def press_and_stay(page: Page, button: str = "button.main") -> None:
    page.locator(button).click()
    page.locator("#no-network").wait_for()


def press_in_vain(page: Page) -> None:
    """Without a script: the browser's own page takes the place of ours."""
    with page.expect_event("requestfailed"):
        page.locator("button.main").click(no_wait_after=True)
