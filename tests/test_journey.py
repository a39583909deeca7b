"""The loop that is the product, with everything real.

A member logs an infusion in a browser; Celery's beat and worker send the check-in through SMTP; the
patient answers on a phone without JavaScript; the score is on the chart, the alert on the list, and
a notice in the responder's mailbox. And a baseline in Spanish, by keyboard on the smallest phone,
that stops at the crisis page.
"""

import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from datetime import time as clock_time

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, make_password
from django.utils import timezone
from playwright.sync_api import Page

from clinic import enrolment
from clinic.actors import member_actor
from clinic.models import Clinic, Course, Member
from dashboards.management.commands.seed_demo import daytime_zone
from devtools.servers.smtp import Received
from surveys import alerts, links
from surveys.models import Alert, Score
from tests.browsers import NewPage
from tests.builders import (
    BY_TEST,
    PASSWORD,
    course_details,
    make_clinic,
    make_member,
    patient_details,
)
from tests.servers import RunningStack
from tests.surveys.follow_ups import make_follow_up

pytestmark = [pytest.mark.processes, pytest.mark.browser]

MINUTE = 60  # seconds: what the product promises for a mail, an alert and a notice
EACH_ANSWER = 1
SMALLEST = 320  # px
BASELINE = ["phq9", "gad7", "nrs7:average,worst"]
PHQ9_TOTAL = 9 * EACH_ANSWER


@pytest.fixture
def moment() -> datetime:
    return timezone.now()


@pytest.fixture
def here(transactional_db: None, moment: datetime) -> Clinic:
    """A clinic where it is daytime, whatever the hour, and where somebody reads alerts always."""
    clinic = make_clinic(
        "North Clinic", now=moment - timedelta(days=9), zone=str(daytime_zone(moment))
    )
    clinic.cover = Clinic.Cover.ALWAYS
    clinic.save()
    return clinic


@pytest.fixture
def responder(here: Clinic, moment: datetime) -> Member:
    """Has shown that alerts arrive: so the clinic may ask about suicide."""
    day = moment - timedelta(days=8)
    member = make_member(here, Member.Role.CLINICIAN, now=day, email="doctor@north.example")
    member.is_responder = True
    member.save()
    # The servers run with production's hashers, not with the fast one of the tests.
    member.user.password = make_password(PASSWORD, hasher=Argon2PasswordHasher())
    member.user.save()
    by = member_actor(member)
    alerts.take(alerts.send_test(here, member, by=by, now=day), by=by, now=day)
    return member


@pytest.fixture
def enrolled(here: Clinic, moment: datetime) -> Course:
    """For a single infusion, a few days ago."""
    details = course_details(planned_infusions=1)
    return enrolment.enrol(
        here, patient_details(), details, by=BY_TEST, now=moment - timedelta(days=4)
    )


def test_from_an_infusion_to_the_chart_and_the_alert(
    stack: RunningStack, desk: Page, phone: Page, responder: Member, enrolled: Course
):
    stack.env["TICK_SECONDS"] = "1"
    stack.start_web()
    sign_in(desk, stack.url, responder)
    log_infusion(desk, stack.url, enrolled)
    stack.start_worker()
    stack.start_beat()

    check_in = wait_for(lambda: stack.mail.to("ana@example.com"))
    patient_answers(phone, link_in(check_in))

    wait_for(lambda: stack.mail.to("doctor@north.example"))
    notice = stack.mail.to("doctor@north.example")[-1].message.as_string()
    assert "Peña" not in notice
    desk.goto(f"{stack.url}/alerts/")
    assert enrolled.patient.name in desk.inner_text("table")
    desk.goto(f"{stack.url}/patients/{enrolled.patient_id}/")
    assert PHQ9_TOTAL in drawn_values(desk)
    assert len(stack.mail.to("ana@example.com")) == 1


def test_a_spanish_baseline_by_keyboard_on_the_smallest_phone_that_stops_at_the_crisis_page(
    stack: RunningStack,
    new_page: NewPage,
    here: Clinic,
    responder: Member,
    enrolled: Course,
    moment: datetime,
):
    here.switched_on = ["gad7:es"]
    here.save()
    follow_up = make_follow_up(enrolled, BASELINE, now=moment)
    stack.start_web()
    stack.start_worker()
    link = f"{stack.url}/s/{links.token(follow_up)}/?lang=es"

    page = smallest_phone(new_page)
    page.goto(link)
    enter(page, "button.main")
    asked = list(answers_by_keyboard(page))
    assert asked == [f"phq9/{item}" for item in range(1, 10)]
    assert "Llame o envíe un mensaje de texto al 988" in page.inner_text("main")
    page.context.close()  # and no more of this patient
    alert = Alert.objects.get(follow_up=follow_up)
    assert (alert.trigger, alert.level) == (f"9={EACH_ANSWER}", "urgent")
    wait_for(lambda: stack.mail.to("doctor@north.example"))

    other = smallest_phone(new_page)
    other.goto(link)
    assert f"Ha respondido {len(asked)} de" in other.inner_text("main")
    enter(other, "button.main")
    for place in range(1, len(asked) + 1):
        other.goto(f"{stack.url}/check-in/{place}/")
        assert other.locator("input:checked").count() == 0
    other.goto(f"{stack.url}/check-in/")
    later = list(answers_by_keyboard(other))
    anxiety, pain = [f"gad7/{item}" for item in range(1, 8)], ["nrs7/average", "nrs7/worst"]
    assert later == ["phq9/10", *anxiety, *pain]
    assert other.inner_text(".review").count("Respondida antes") == len(asked)
    enter(other, "main form button.main")
    assert other.url.endswith("/check-in/sent/")
    assert {(score.scale, score.value) for score in Score.objects.all()} == {
        ("total", PHQ9_TOTAL), ("total", 7 * EACH_ANSWER), ("average", 1), ("worst", 1)
    }  # fmt: skip


def smallest_phone(new_page: NewPage) -> Page:
    small = {"width": SMALLEST, "height": 640}
    return new_page(viewport=small, java_script_enabled=False, has_touch=True, is_mobile=True)


def answers_by_keyboard(page: Page) -> Iterator[str]:
    """The second choice of each question, until another page comes; the names of the questions."""
    while page.locator("input[name=answer]").count():
        assert page.locator("html").get_attribute("lang") == "es"
        assert page.evaluate("document.documentElement.scrollWidth") <= SMALLEST
        yield page.input_value("input[name=question]")
        tab_to(page, "input[type=radio]")
        page.keyboard.press("ArrowDown")
        enter(page, "#answers button.main")


def tab_to(page: Page, selector: str) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.locator(f"{selector}:focus").count():
            return
    raise AssertionError(f"the keyboard does not reach {selector}")


def enter(page: Page, selector: str) -> None:
    tab_to(page, selector)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def sign_in(page: Page, site: str, member: Member) -> None:
    page.goto(f"{site}/accounts/login/")
    page.fill("input[name=login]", member.user.email)
    page.fill("input[name=password]", PASSWORD)
    page.click("button:has-text('Sign in')")
    page.wait_for_url(f"{site}/")


def log_infusion(page: Page, site: str, course: Course) -> None:
    """Three days ago at eight: its three-day step was due at nine today."""
    zone = course.patient.clinic.tz
    day = timezone.now().astimezone(zone).date() - timedelta(days=3)
    page.goto(f"{site}/courses/{course.pk}/infusion/")
    page.fill("input[name=started_at]", f"{datetime.combine(day, clock_time(8)):%Y-%m-%dT%H:%M}")
    page.click("button:has-text('Log it')")
    page.wait_for_url(re.compile(r"/patients/"))


def patient_answers(page: Page, link: str) -> None:
    """Every question, the crisis page on the way, and sent."""
    page.goto(link)
    press(page, "button", "Start")
    interrupted = 0
    while page.locator("input[name=answer]").count():
        page.check(f"input[name=answer][value='{EACH_ANSWER}']", force=True)
        press(page, "button", "Save and continue")
        if page.locator("input[name=safe]").count():
            interrupted += 1
            assert "988" in page.inner_text("main")
            press(page, "a", "Continue the check-in")
    assert interrupted == 1
    press(page, "button", "Send my answers")
    assert page.locator("button:has-text('Send my answers')").count() == 0


def press(page: Page, what: str, text: str) -> None:
    """And wait for the page it leads to: without scripts there is always one."""
    with page.expect_navigation():
        page.click(f"{what}:has-text('{text}')")


def drawn_values(page: Page) -> set[float]:
    """Every number that Plotly has drawn on this page."""
    page.wait_for_selector("[data-drawn]")
    values = page.evaluate(
        """() => [...document.querySelectorAll("[data-drawn]")]
            .flatMap((node) => node.data.flatMap((trace) => [...(trace.y || [])]))"""
    )
    return {value for value in values if isinstance(value, int | float)}


def link_in(mail: Received) -> str:
    text = mail.message.get_body(("plain",))
    assert text is not None
    found = re.search(r"http://\S+/s/\S+", text.get_content())
    assert found
    return found.group()


def wait_for(look: Callable[[], list[Received]]) -> Received:
    deadline = time.monotonic() + MINUTE
    while not (found := look()):
        assert time.monotonic() < deadline, "nothing arrived within a minute"
        time.sleep(0.2)
    return found[0]
