"""The preview in a real browser: the frame shows the mail as a mail program does, and is shut."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from reminders import emails, samples
from reminders.samples import SAMPLES
from tests.dashboards.test_desk import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# What each element of a mail looks like, in order. The frame adds one paragraph at the end.
STYLES = """() => [...document.body.querySelectorAll(':not(#opens-nothing)')].map(
  node => [node.tagName, ...['color', 'backgroundColor', 'padding', 'margin', 'fontSize',
    'fontWeight', 'lineHeight', 'borderTopColor', 'borderTopWidth', 'borderRadius', 'display',
    'maxWidth', 'textAlign', 'wordBreak', 'fontFamily'].map(name => getComputedStyle(node)[name])])
"""


def address(live_server, **asked: str) -> str:
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    return f"{live_server.url}{reverse('dashboards:mail-preview')}?{query}"


@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (390, "dark"), (1280, "light")])
def test_it_is_accessible_and_fits(new_page, live_server, admin, width, scheme):
    page = new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    sign_in(page, live_server, admin)
    for key, language, look in (
        ("invitation", "en", "light"),
        ("reminder-2", "es", "dark"),
        ("notice", "en", "plain"),
    ):
        page.goto(address(live_server, mail=key, language=language, look=look))
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
        inside = page.frames[1].evaluate(
            "() => [document.documentElement.scrollWidth, window.innerWidth]"
        )
        assert inside[0] <= inside[1]


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("key", ["invitation", "notice"])
def test_the_frame_looks_as_the_mail_does(new_page, live_server, admin, key, look):
    desk = new_page(viewport={"width": 1280, "height": 900})
    sign_in(desk, live_server, admin)
    desk.goto(address(live_server, mail=key, look=look))
    letter = samples.letter(SAMPLES[key], "en", reader=admin, now=timezone.now())
    program: Page = new_page(viewport={"width": 560, "height": 900}, color_scheme=look)
    program.set_content(str(emails.write(letter, "smtp").email.alternatives[0].content))
    assert desk.frames[1].evaluate(STYLES) == program.evaluate(STYLES)


def test_a_link_in_it_opens_nothing_and_says_so(desk, live_server, admin):
    sign_in(desk, live_server, admin)
    desk.goto(address(live_server, mail="invitation", language="es"))
    frame, here = desk.frame_locator("iframe"), desk.url
    expect(frame.locator("#opens-nothing")).to_be_hidden()
    frame.get_by_role("link", name="Abrir su cuestionario breve").click()
    expect(frame.locator("#opens-nothing")).to_have_text(
        "Los enlaces de una vista previa no abren nada."
    )
    assert desk.url == here


def test_a_test_is_sent_without_javascript(phone, live_server, coordinator):
    sign_in(phone, live_server, coordinator)
    phone.goto(f"{live_server.url}{reverse('dashboards:mail')}")
    phone.get_by_role("link", name="See every e-mail as it is written").click()
    phone.get_by_role("link", name="First reminder").click()
    phone.get_by_role("link", name="Español").click()
    phone.get_by_role("button", name="Send this to me").click()
    expect(phone.get_by_role("status").first).to_contain_text("Sent.")
    (sent,) = mail.outbox
    assert sent.recipients() == [coordinator.user.email]
    assert sent.subject == "Recordatorio: su cuestionario breve"
