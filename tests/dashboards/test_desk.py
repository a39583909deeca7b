"""The staff pages in a real browser: drawn under the policy, quiet console, open to everybody."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from clinic.models import Course, Member
from surveys import alerts
from tests.builders import BY_TEST, PASSWORD
from tests.dashboards.histories import make_answer, make_infusion, make_missed, phq9, planned

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def charted(course: Course) -> Course:
    """As `treated`, but up to now: a browser has its own clock."""
    now, patient = timezone.now(), course.patient
    Course.objects.filter(pk=course.pk).update(enrolled_at=now - timedelta(days=60))
    course.refresh_from_db()
    make_answer(patient, "phq9", phq9(18), now - timedelta(days=58))
    for days in (55, 52, 48):
        make_infusion(course, now - timedelta(days=days))
    make_answer(patient, "phq9", phq9(9, item9=1), now - timedelta(days=40))
    make_missed(course, "A4", ["phq9"], now - timedelta(days=20))
    make_answer(patient, "mood", {"1": 7}, now - timedelta(days=47))
    alerts.send_test(patient.clinic, None, by=BY_TEST, now=now)  # type: ignore[arg-type]
    planned(patient, now)
    return course


def sign_in(page: Page, live_server, member: Member) -> None:
    page.goto(f"{live_server.url}/accounts/login/")
    page.get_by_label("E-mail").fill(member.user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button").first.click()
    page.wait_for_url(f"{live_server.url}/")


def patient_url(live_server, course: Course) -> str:
    return live_server.url + reverse("dashboards:patient", args=[course.patient_id])


def test_charts_are_drawn_under_the_policy_and_cannot_be_shared(
    desk, live_server, charted, clinician
):
    asked: list[str] = []
    desk.on("request", lambda request: asked.append(request.url))
    sign_in(desk, live_server, clinician)
    desk.goto(patient_url(live_server, charted))
    charts = desk.locator("[data-chart]")
    expect(charts).to_have_count(2)
    for chart in charts.all():
        expect(chart).to_have_attribute("data-drawn", "")
        expect(chart.locator(".scatterlayer .point").first).to_be_visible()
    assert desk.locator(".modebar-btn").count() == 0
    drawing = charts.first.locator("svg").first
    expect(drawing).to_have_attribute("aria-hidden", "true")
    assert all(url.startswith(live_server.url) for url in asked)


def test_the_chart_takes_the_colours_of_the_page(new_page, live_server, charted, clinician):
    colours = []
    for scheme in ("light", "dark"):
        page = new_page(color_scheme=scheme)
        sign_in(page, live_server, clinician)
        page.goto(patient_url(live_server, charted))
        line = page.locator(".scatterlayer .js-line").first
        expect(line).to_be_attached()
        colours.append(line.evaluate("node => getComputedStyle(node).stroke"))
    assert colours == ["rgb(0, 114, 178)", "rgb(86, 180, 233)"]


def test_the_tables_are_reached_by_the_keyboard(desk, live_server, charted, clinician):
    sign_in(desk, live_server, clinician)
    desk.goto(patient_url(live_server, charted))
    desk.get_by_text("PHQ-9 as a table").focus()
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("table", name="PHQ-9").first).to_be_visible()


def test_the_preview_follows_the_typing(desk, live_server, charted, clinician):
    sign_in(desk, live_server, clinician)
    desk.goto(live_server.url + reverse("dashboards:log-infusion", args=[charted.pk]))
    preview = desk.locator("#preview")
    expect(preview).to_contain_text("Day after")
    desk.get_by_label("When").fill("")
    desk.get_by_label("When").blur()
    expect(preview).to_contain_text("Enter when it took place")


def test_logging_a_repeat_infusion_takes_two_presses(desk, live_server, charted, clinician):
    sign_in(desk, live_server, clinician)
    desk.goto(patient_url(live_server, charted))
    desk.get_by_role("link", name="Log an infusion").click()
    desk.get_by_role("button", name="Log it").click()
    expect(desk.get_by_text("is logged.")).to_be_visible()
    desk.get_by_role("button", name="Undo").click()
    expect(desk.get_by_text("Cancelled.")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1280])
def test_every_page_is_accessible_and_fits(new_page, live_server, charted, admin, width):
    page = new_page(viewport={"width": width, "height": 900}, color_scheme="light")
    sign_in(page, live_server, admin)
    named = {
        "patient": charted.patient_id,
        "contact": charted.patient_id,
        "withdraw": charted.patient_id,
        "log-infusion": charted.pk,
        "close-course": charted.pk,
    }
    paths = [reverse(f"dashboards:{name}", args=[pk]) for name, pk in named.items()]
    for path in ["/", "/patients/enrol/", "/alerts/", "/clinic/", *paths]:
        page.goto(live_server.url + path)
        found = Axe().run(page)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        wide = page.evaluate("() => document.documentElement.scrollWidth")
        assert wide <= width, path
