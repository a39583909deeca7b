"""A lost link is mailed again: to the address on file, three times a day, telling nothing."""

from datetime import timedelta

import pytest
from redis import Redis

from clinic.models import Patient
from config.celery import app
from reminders import fresh_links
from reminders.models import Message
from surveys.models import FollowUp
from tests.builders import BY_TEST
from tests.surveys.follow_ups import make_follow_up

HOUR = timedelta(hours=1)
WANTED = {"wanted": "yes"}


@pytest.fixture
def follow_up(course, now) -> FollowUp:
    return make_follow_up(course, ["phq2"], now=now)


def sent(message: Message) -> None:
    Message.objects.filter(pk=message.pk).update(state="cancelled")


def test_a_lost_link_is_mailed_outside_the_cap(follow_up, now):
    message = fresh_links.ask(follow_up, by=BY_TEST, now=now)
    assert (message.kind, message.state, message.due_at) == ("fresh_link", "scheduled", now)
    assert message.asked_for
    assert message.not_after == follow_up.closes_at


def test_one_that_waits_is_enough(follow_up, now):
    first = fresh_links.ask(follow_up, by=BY_TEST, now=now)
    assert fresh_links.ask(follow_up, by=BY_TEST, now=now) == first


def test_three_in_a_day_and_not_one_more(follow_up, now):
    for hours in range(3):
        sent(fresh_links.ask(follow_up, by=BY_TEST, now=now + hours * HOUR))
    assert fresh_links.ask(follow_up, by=BY_TEST, now=now + 23 * HOUR) is None
    assert fresh_links.ask(follow_up, by=BY_TEST, now=now + 24 * HOUR) is not None


def test_the_link_of_what_took_its_place_is_mailed(follow_up, course, now):
    FollowUp.objects.filter(pk=follow_up.pk).update(withdrawn_at=now)
    follow_up.refresh_from_db()
    newer = make_follow_up(course, ["phq2"], now=now)
    assert fresh_links.ask(follow_up, by=BY_TEST, now=now).follow_up == newer


@pytest.mark.parametrize("status", [Patient.Status.WITHDRAWN, Patient.Status.DECEASED])
def test_nothing_is_mailed_to_a_patient_who_has_left(follow_up, patient, now, status):
    Patient.objects.filter(pk=patient.pk).update(status=status)
    follow_up.refresh_from_db()
    assert fresh_links.ask(follow_up, by=BY_TEST, now=now) is None


def test_the_answer_is_the_same_whether_anything_was_found_or_not(handset, follow_up):
    handset.start(follow_up)
    handset.client.cookies["check-in"]["max-age"] = ""
    found = handset.client.post("/check-in/new-link/", WANTED)
    assert Message.objects.get().follow_up == follow_up
    handset.client.cookies.clear()
    unknown = handset.client.post("/check-in/new-link/", {"token": "x" * 43, **WANTED})
    assert (found.status_code, found.content) == (unknown.status_code, unknown.content)
    assert Message.objects.count() == 1


@pytest.mark.processes
def test_whoever_asks_need_not_wait_for_the_tick(handset, follow_up, redis_server, monkeypatch):
    monkeypatch.setitem(app.conf, "broker_url", redis_server.broker_url)
    client = Redis.from_url(redis_server.client_url)
    client.flushdb()
    handset.start(follow_up)
    for _ in range(2):
        handset.client.post("/check-in/new-link/", WANTED)
    assert client.llen("send") == 2
    handset.client.cookies.clear()
    handset.client.post("/check-in/new-link/", {"token": "x" * 43, **WANTED})
    assert client.llen("send") == 2


def test_looking_for_a_new_link_mails_nothing(handset, follow_up):
    handset.start(follow_up)
    assert handset.client.get("/check-in/new-link/").status_code == 405
    assert not Message.objects.exists()


def test_the_page_that_was_open_too_long_offers_it(handset, follow_up, clock):
    handset.start(follow_up)
    clock.shift(2 * HOUR)
    handset.get("/check-in/1/")
    page = handset.press("Ask for a new link", **WANTED)
    assert "Please look at your e-mail" in page.text
    assert "988" in page.text
    assert Message.objects.exists()


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("en", "Tick the box if you want a new link."),
        ("es", "Marque la casilla si quiere un enlace nuevo."),
    ],
)
def test_sent_as_it_was_drawn_the_form_mails_nothing_and_keeps_the_link(
    handset, course, now, clock, language, says
):
    """Scanners open last week's mail again, and some press what they find."""
    old = make_follow_up(course, ["phq2"], now=now)
    clock.shift(20 * 24 * HOUR)
    make_follow_up(course, ["phq2"], now=now + 20 * 24 * HOUR)
    ask = {"en": "Ask for a new link", "es": "Pedir un enlace nuevo"}[language]
    handset.open(old, query=f"?lang={language}")
    page = handset.press(ask)
    assert says in page.text
    assert "988" in page.text
    assert not Message.objects.exists()
    handset.press(ask, **WANTED)
    assert Message.objects.get().kind == "fresh_link"
