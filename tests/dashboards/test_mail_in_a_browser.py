"""The pages about e-mail in a real browser: open to everybody, whole without JavaScript."""

import re
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from reminders.models import Message, Suppression
from reminders.suppression import address_digest, suppress
from tests.dashboards.test_desk import sign_in
from tests.dashboards.test_mail_page import another, make_unclear

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Reason = Suppression.Reason


@pytest.fixture
def troubled(course, clinic) -> Message:
    """An unclear message, and an address that is dead in each way."""
    now = timezone.now()
    for n, reason in enumerate(Reason):
        patient = another(clinic, n, now=now).patient
        suppress(patient, address_digest(patient.email), reason, now=now)
    return make_unclear(course, now=now - timedelta(hours=1))


def paths(message: Message) -> list[str]:
    return [
        reverse("dashboards:mail"),
        reverse("dashboards:message", args=[message.pk]),
        reverse("dashboards:send-again", args=[message.pk]),
        reverse("dashboards:write-again", args=[message.patient_id]),
    ]


@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (390, "dark"), (1280, "light")])
def test_every_page_is_accessible_and_fits(new_page, live_server, troubled, admin, width, scheme):
    page = new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    sign_in(page, live_server, admin)
    for path in paths(troubled):
        page.goto(live_server.url + path)
        found = Axe().run(page)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        wide = page.evaluate("() => document.documentElement.scrollWidth")
        assert wide <= width, path


def test_it_was_sent_by_the_keyboard_alone(desk, live_server, troubled, coordinator):
    sign_in(desk, live_server, coordinator)
    desk.goto(live_server.url + reverse("dashboards:mail"))
    button = desk.get_by_role("button", name=re.compile("It was sent.*Ana Lucía Peña"))
    for _ in range(40):
        if button.evaluate("node => node === document.activeElement"):
            break
        desk.keyboard.press("Tab")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("status")).to_contain_text("Noted: this e-mail was sent.")
    assert Message.objects.get().state == "accepted"


def test_sending_again_without_javascript(phone: Page, live_server, troubled, coordinator):
    sign_in(phone, live_server, coordinator)
    phone.goto(live_server.url + reverse("dashboards:mail"))
    phone.get_by_role("link", name="Send again").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Send this e-mail again?")
    if (box := phone.get_by_label("Send it now all the same")).count():
        box.check()
    phone.get_by_role("button", name="Send again").click()
    expect(phone.get_by_role("status")).to_contain_text("It is sent again")
    assert Message.objects.get().state == "scheduled"
