"""What each link opens in each state; opening it changes nothing and gives nothing away."""

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.models import Patient
from surveys import links
from surveys.models import Alert, FollowUp, Response
from tests.guards.pages import writes
from tests.surveys.follow_ups import answer_all, make_follow_up, vars_of

DAY = timedelta(days=1)
BEHIND = [
    "/check-in/",
    "/check-in/1/",
    "/check-in/review/",
    "/check-in/sent/",
    "/check-in/trend/",
    "/check-in/help/",
    "/check-in/help/numbers/",
    "/check-in/help/noted/",
    "/check-in/emergency/",
]


@pytest.fixture(autouse=True)
def _nobody_has_guessed_yet():
    cache.clear()


def address(follow_up) -> str:
    return f"/s/{links.token(follow_up)}/"


def withdraw(follow_up):
    FollowUp.objects.filter(pk=follow_up.pk).update(withdrawn_at=timezone.now())


def leave(status):
    return lambda follow_up: Patient.objects.filter(pk=follow_up.patient_id).update(status=status)


def revoke(follow_up):
    fresh = vars_of(links.new_link(follow_up.pk))
    FollowUp.objects.filter(pk=follow_up.pk).update(**fresh)


def close_long_ago(follow_up):
    FollowUp.objects.filter(pk=follow_up.pk).update(
        opens_at=timezone.now() - 20 * DAY, closes_at=timezone.now() - 7 * DAY
    )


ENDS = [
    pytest.param(withdraw, id="withdrawn"),
    pytest.param(leave(Patient.Status.WITHDRAWN), id="patient withdrew"),
    pytest.param(leave(Patient.Status.DECEASED), id="patient died"),
    pytest.param(close_long_ago, id="closed a week ago"),
    pytest.param(revoke, id="revoked"),
]


# -- State table ------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ENDS)
def test_a_link_that_has_ended_opens_nothing(handset, follow_up, end):
    path = address(follow_up)
    end(follow_up)
    page = handset.get(path)
    assert page.status == 410
    assert "This link does not open a check-in" in page.text
    assert page.links["Call 988"] == "tel:988"
    assert handset.client.post(path).status_code == 410


@pytest.mark.parametrize("end", ENDS)
def test_what_ends_between_the_click_and_the_submit_takes_nothing(handset, follow_up, end):
    handset.start(follow_up)
    end(follow_up)
    page = handset.choose("1")
    assert page.status == 410
    assert "988" in page.text
    assert not Response.objects.exists()


def test_an_unknown_and_a_revoked_link_are_the_same_page(handset, follow_up):
    path = address(follow_up)
    revoke(follow_up)
    bodies = {plain(handset.get(p).html) for p in (path, "/s/" + "x" * 43 + "/")}
    assert len(bodies) == 1


def plain(html: str) -> str:
    """Without what differs on every page: the form's own secret and the link itself."""
    return re.sub(r'(name="(?:csrfmiddlewaretoken|token)" value=")[^"]*', r"\1", html)


def test_a_link_that_made_way_opens_the_newer_one(handset, follow_up, course, now):
    withdraw(follow_up)
    newer = make_follow_up(course, ["phq2"], now=now)
    handset.get(address(follow_up))
    handset.press("Start")
    handset.choose("1")
    assert Response.objects.get().follow_up == newer


@pytest.mark.parametrize("more", ["%3E", ".", "),", "x/y/"])
def test_what_a_mail_program_adds_to_a_link_does_not_break_it(handset, follow_up, more):
    page = handset.open(follow_up, more)
    assert "Your check-in is ready" in page.text
    assert page.path == f"/s/{links.token(follow_up)}/"


def test_an_answered_link_says_only_that(handset, follow_up, now):
    answer_all(follow_up, now=now, i9=2)
    page = handset.open(follow_up)
    assert page.status == 200
    assert "Your answers are sent" in page.text
    assert "988" in page.text
    assert not page.inputs


def test_a_link_is_not_open_before_its_time(handset, course, now):
    follow_up = make_follow_up(course, ["phq2"], now=now, opens=2 * DAY, closes=4 * DAY)
    assert handset.open(follow_up).status == 410


# -- Nothing is changed by looking ------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_writes_nothing(handset, follow_up, method):
    def look(path):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            getattr(handset.client, method)(path)
        return writes([query["sql"] for query in captured.captured_queries])

    first = [address(follow_up), address(follow_up) + "help/", "/s/unknown/"]
    assert [look(path) for path in first] == [[]] * 3
    handset.start(follow_up)
    assert [look(path) for path in BEHIND] == [[]] * len(BEHIND)
    answer_all(follow_up, now=timezone.now())
    assert [look(path) for path in BEHIND] == [[]] * len(BEHIND)


def test_a_robot_that_presses_every_button_answers_nothing(handset, other_handset, follow_up):
    """What mail scanners with a browser do: open the page, press all that stands on it."""
    for opened in (lambda: handset.open(follow_up), lambda: handset.start(follow_up)):
        for text in {button.text for form in opened().forms for button in form.buttons}:
            opened()
            handset.press(text)
    assert not Response.objects.exists()
    follow_up.refresh_from_db()
    assert (follow_up.started_at, follow_up.language) == (None, "")
    other_handset.start(follow_up)
    other_handset.choose("1")
    assert Response.objects.get().answers == {"1": 1}


# -- Nothing is given away --------------------------------------------------------------------


def every_page(handset, follow_up):
    """Each kind of page once, with its answer."""
    yield handset.open(follow_up)
    yield handset.get(address(follow_up) + "help/")
    yield handset.start(follow_up)
    yield handset.press("Save and continue")
    for value in "000000001"[:8]:
        handset.choose(value)
    yield handset.choose("1")
    yield handset.get("/check-in/help/noted/")
    yield handset.get("/check-in/help/numbers/")
    yield handset.get("/check-in/emergency/")
    handset.get("/check-in/")
    handset.choose("0")
    yield handset.get("/check-in/review/")
    yield handset.press("Send my answers")
    yield handset.open(follow_up)
    yield handset.get("/s/unknown/")
    handset.client.cookies.clear()
    yield handset.get("/check-in/")


def test_no_page_names_the_patient_the_clinic_or_the_drug(handset, follow_up, patient, clinic):
    clinic.name = "Canary Ketamine Clinic"
    clinic.save()
    patient.name, patient.mrn = "Canaria Zafón", "MRN-CANARY"
    patient.save()
    words = ["canar", "zafón", "1984", "ana@example.com", "555-0100", "ketamin", "phq-9", "depres"]
    for page in every_page(handset, follow_up):
        wording = page.html.replace("Feeling down, depressed, or hopeless", "")
        seen = (wording + str(page.response.headers) + str(handset.client.cookies)).lower()
        assert [word for word in words if word in seen] == [], page.path


def test_a_first_name_only_where_the_clinic_allows_it(handset, follow_up, clinic):
    assert "Ana" not in handset.open(follow_up).text
    clinic.greet_by_first_name = True
    clinic.save()
    page = handset.open(follow_up)
    assert "Hello Ana, your check-in is ready" in page.text
    assert "Peña" not in page.html


def test_every_page_carries_the_headers(handset, follow_up):
    for page in every_page(handset, follow_up):
        headers = page.response.headers
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "no-store" in headers["Cache-Control"]
        assert headers["X-Robots-Tag"] == "noindex"
        assert headers["X-Frame-Options"] == "DENY"
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "sha256" not in policy
        assert "unsafe" not in policy


def test_every_page_has_the_crisis_line_a_neutral_title_and_at_most_our_script(handset, follow_up):
    for page in every_page(handset, follow_up):
        assert "988" in page.text, page.path
        assert page.title in ("Check-in", "Error: Check-in")
        assert page.html.count("<script") == page.html.count(
            '<script src="/static/surveys/patient.js'
        )
        hosts = set(re.findall(r"https?://([^/\"'\s]+)", page.html))
        assert hosts <= {"988lifeline.org", "localhost:8000"}


def test_addresses_after_start_hold_no_secret(handset, follow_up):
    page = handset.start(follow_up)
    assert links.token(follow_up) not in page.html + page.path
    assert links.token(follow_up) not in str(handset.client.cookies)


def test_the_first_page_is_light(handset, follow_up, settings):
    page = handset.open(follow_up)
    from_disk = [
        "clinic/static/clinic/tokens.css",
        "surveys/static/surveys/patient.css",
        "surveys/static/surveys/icon.svg",
    ]
    sizes = [(settings.BASE_DIR / path).stat().st_size for path in from_disk]
    assert sizes[1] <= 10_000
    assert len(page.html.encode()) + sum(sizes) <= 20_000


# -- The pass and the staff's session ----------------------------------------------------------


def test_the_pass_is_a_cookie_of_its_own(handset, follow_up, settings):
    handset.start(follow_up)
    cookie = handset.client.cookies["check-in"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert not cookie["domain"]
    assert "staff" not in handset.client.cookies
    settings.SECURE = True
    response = handset.client.post(address(follow_up))
    secure = response.cookies["__Host-check-in"]
    assert secure["secure"]
    assert secure["path"] == "/"


def test_the_pass_opens_no_page_of_the_staff(handset, follow_up):
    handset.start(follow_up)
    response = handset.client.get("/")
    assert response.status_code == 302
    assert "/accounts/login/" in response.headers["Location"]


def test_signed_in_staff_who_open_a_link_stay_apart(handset, follow_up, clinician):
    handset.client.force_login(clinician.user)
    session = handset.client.cookies["staff"].value
    handset.start(follow_up)
    handset.choose("1")
    assert handset.client.cookies["staff"].value == session
    assert Response.objects.get().entered_by is None


def test_a_form_from_elsewhere_is_refused_with_the_crisis_block(follow_up, clock):
    client = Client(enforce_csrf_checks=True)
    response = client.post(address(follow_up))
    assert response.status_code == 403
    body = response.content.decode()
    assert "Please start again" in body
    assert 'href="tel:988"' in body


# -- Guessing ---------------------------------------------------------------------------------


def test_guessing_is_slowed_down_and_nobody_else_is(handset, follow_up):
    statuses = [handset.get(f"/s/guess{n}/").status for n in range(25)]
    assert statuses == [410] * 20 + [429] * 5
    page = handset.get("/s/guess/")
    assert "988" in page.text
    assert handset.open(follow_up).status == 200


def test_another_network_is_not_held_up(handset, follow_up):
    for n in range(25):
        handset.client.get(f"/s/guess{n}/", REMOTE_ADDR="192.0.2.7")
    assert handset.client.get("/s/guess/", REMOTE_ADDR="192.0.2.8").status_code == 410


@pytest.mark.parametrize(
    ("address_one", "address_two", "together"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
    ],
)
def test_an_ipv6_network_counts_as_one(handset, address_one, address_two, together):
    for n in range(20):
        handset.client.get(f"/s/guess{n}/", REMOTE_ADDR=address_one)
    status = handset.client.get("/s/guess/", REMOTE_ADDR=address_two).status_code
    assert (status == 429) is together


def test_without_redis_nobody_is_held_up(handset, settings):
    settings.CACHES = {
        "default": {
            "BACKEND": "config.counters.Counters",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }
    assert [handset.get(f"/s/guess{n}/").status for n in range(22)] == [410] * 22


def test_an_alert_can_be_raised_while_guesses_pour_in(handset, follow_up):
    for n in range(30):
        handset.get(f"/s/guess{n}/")
    handset.start(follow_up)
    handset.press("I need help now")
    assert Alert.objects.get().level == "critical"
