"""How check-ins go: counted from moments, for staff who may see no answer."""

import html
from datetime import datetime, timedelta

import pytest
from django.urls import reverse

from clinic.models import Clinic, Course
from dashboards import queries
from dashboards.rows.check_ins import FEW
from dashboards.templatetags.ages import duration
from surveys.models import FollowUp, Response
from tests.builders import make_course
from tests.surveys.follow_ups import answer, answer_all, make_follow_up

pytestmark = pytest.mark.django_db
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


def closed(course: Course, now: datetime, *, day: int = 0) -> FollowUp:
    """Open the day before, and over when the page is looked at."""
    return make_follow_up(course, ["phq2"], now=now - 3 * DAY - day * DAY, closes=DAY)


def answered(course: Course, now: datetime, *pauses: float, send: bool = True) -> FollowUp:
    """Each question so many seconds after the one before."""
    follow_up = closed(course, now)
    moment = follow_up.opens_at + timedelta(hours=2)
    for item, pause in enumerate(pauses, start=1):
        moment += pause * SECOND
        answer(follow_up, f"phq2/{item}", 0, now=moment)
    if send:
        answer_all(follow_up, now=moment + 4 * SECOND)
    return follow_up


@pytest.fixture
def many(clinic, now) -> Clinic:
    """Five sent, one begun, one never begun."""
    courses = [make_course(clinic, now=now, mrn=f"M{n}", name=f"P {n}") for n in range(7)]
    for n, course in enumerate(courses[:5]):
        answered(course, now, 0, 6 + n)
    answered(courses[5], now, 0, send=False)
    closed(courses[6], now)
    return clinic


def body(response) -> str:
    return " ".join(html.unescape(response.content.decode()).split())


def test_the_numbers_are_those_of_what_was_kept(many, now):
    found = queries.check_ins(many, now=now)
    assert (found.asked, found.begun, found.sent) == (7, 6, 5)
    assert (found.broken_off, found.never_begun, found.percent) == (1, 1, 71)
    (rows,) = found.instruments
    first, second = rows.rows
    assert (first.seconds, first.times, first.stopped) == (None, 0, 1)
    assert (second.seconds, second.times, second.stopped, second.width) == (8, 5, 0, 100)
    assert (found.half, found.three_quarters) == (12, 13)


def test_everybody_reads_the_page_and_nobody_reads_an_answer(many, desk_of, coordinator):
    page = body(desk_of(coordinator).get(reverse("dashboards:check-ins")))
    assert "Of 7 check-ins that closed in the last 90 days, 5 were sent (71%)." in page
    assert "Little interest or pleasure in doing things" in page
    assert "12 s" in page
    assert "P 0" not in page
    assert "Not at all" not in page


def test_of_few_nothing_is_said_about_questions(clinic, desk_of, viewer, now):
    for n in range(FEW - 1):
        answered(make_course(clinic, now=now, mrn=f"M{n}", name=f"P {n}"), now, 0, 5)
    page = body(desk_of(viewer).get(reverse("dashboards:check-ins")))
    assert "Fewer than five were begun" in page
    assert "<table" not in page


def test_before_the_first_the_page_says_so(desk_of, coordinator):
    page = body(desk_of(coordinator).get(reverse("dashboards:check-ins")))
    assert "No check-in has closed in the last 90 days." in page


def test_another_clinics_and_old_ones_and_cancelled_ones_count_nowhere(
    clinic, other_clinic, course, now
):
    answered(make_course(other_clinic, now=now, mrn="X1", name="X"), now, 0, 5)
    closed(course, now, day=120)
    make_follow_up(course, ["phq2"], now=now)
    FollowUp.objects.filter(pk=closed(course, now).pk).update(withdrawn_at=now)
    found = queries.check_ins(clinic, now=now)
    assert (found.asked, found.begun, found.sent) == (0, 0, 0)


def test_what_staff_entered_has_no_pace(many, now):
    Response.objects.update(mode=Response.Mode.PHONE)
    assert queries.check_ins(many, now=now).instruments == ()


def test_the_queries_do_not_grow(many, now, django_assert_num_queries):
    with django_assert_num_queries(4):
        queries.check_ins(many, now=now)


@pytest.mark.parametrize(
    ("seconds", "words"), [(7.4, "7 s"), (59.6, "1 min 0 s"), (100, "1 min 40 s")]
)
def test_seconds_are_said_in_words(seconds, words):
    assert duration(seconds) == words
