"""Fixtures that are a real Chromium: `phone` without JavaScript, `desk` with it.

A page that breaks the content security policy, or writes an error to the console, fails its test.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from devtools import browser

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
PATIENCE_MS = 15_000

NewPage = Callable[..., Page]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = browser.find()
    if not path:
        pytest.skip(f"NO BROWSER on this machine; this installs one: {browser.HOW_TO}")
    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        # Playwright keeps an event loop in this thread, which Django would take for async code.
        patch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        launched = playwright.chromium.launch(executable_path=path, args=browser.FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def new_page(chromium: Browser) -> Iterator[NewPage]:
    """Pages in contexts of their own, as on different people's machines."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def make(**options: Any) -> Page:
        contexts.append(chromium.new_context(**options))
        contexts[-1].set_default_timeout(PATIENCE_MS)
        page = contexts[-1].new_page()
        page.on("console", lambda line: line.type == "error" and complaints.append(line.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def phone(new_page: NewPage) -> Page:
    return new_page(viewport=PHONE, java_script_enabled=False, has_touch=True, is_mobile=True)


@pytest.fixture
def desk(new_page: NewPage) -> Page:
    return new_page(viewport=DESK)
