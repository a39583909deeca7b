"""What a provider says, or does not say, byte by byte: through Anymail and a real socket."""

import logging
from datetime import timedelta
from email.utils import format_datetime

import pytest
from anymail.signals import post_send, tracking

from devtools.servers.provider import Behaviour, delivered
from reminders.lanes import LONGEST_PAUSE
from reminders.models import Attempt, Lane, Message, ProviderEvent, State, Suppression
from reminders.outcomes import PAUSE
from tests.builders import make_course
from tests.reminders.faults.crooked import RESET, Crooked, answer
from tests.reminders.letters import drain_at, make_message
from tests.reminders.test_delivery import SECRET, apply_all, later, post

SECOND = timedelta(seconds=1)
PAGE = "<!doctype html><h1>We will be right back</h1>"


@pytest.fixture
def crooked(settings):
    settings.MAIL_CONNECTIONS = 1
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    with Crooked() as server:
        speak(settings, f"http://127.0.0.1:{server.port}/")
        yield server


def speak(settings, url: str) -> None:
    known = {"POSTMARK_SERVER_TOKEN": "x", "REQUESTS_TIMEOUT": (1, 1), "WEBHOOK_SECRET": SECRET}
    settings.ANYMAIL = {**settings.ANYMAIL, **known, "POSTMARK_API_URL": url}


def outcome() -> tuple[str, int, int]:
    message = Message.objects.get()
    calls = Attempt.objects.exclude(outcome=Attempt.Outcome.ACCEPTED).count()
    return str(message.state), message.attempts, calls


@pytest.mark.parametrize(
    ("said", "state"),
    [
        pytest.param(answer(500), State.UNKNOWN, id="500"),
        pytest.param(answer(502, PAGE, kind="text/html"), State.UNKNOWN, id="502 with a page"),
        pytest.param(answer(504), State.UNKNOWN, id="504"),
        pytest.param(answer(200, PAGE, kind="text/html"), State.UNKNOWN, id="200 with a page"),
        pytest.param(answer(200, "[1]"), State.UNKNOWN, id="200 with another JSON"),
        pytest.param(answer(200, "{}"), State.UNKNOWN, id="200 that says nothing"),
        pytest.param(b"", State.UNKNOWN, id="closed without a word"),
        pytest.param(b"\0\1\2", State.UNKNOWN, id="no HTTP at all"),
        pytest.param(
            answer(200, '{"ErrorCode": 0' + " " * 500)[:-400] + RESET,
            State.UNKNOWN,
            id="reset in the middle of the body",
        ),
        pytest.param(
            answer(200, '{"ErrorCode": 0' + " " * 500)[:-400],
            State.UNKNOWN,
            id="the body ends too early",
        ),
    ],
)
def test_an_answer_that_is_none_leaves_the_message_in_doubt(message, crooked, said, state, now):
    crooked.answer = said
    drain_at(now)
    assert outcome() == (state, 0, 1)
    drain_at(now)
    assert crooked.calls == 1


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://127.0.0.1:{port}/", id="TLS to a server that speaks none"),
        pytest.param("http://nobody.invalid/", id="a name that does not resolve"),
        pytest.param("http://127.0.0.1:1/", id="nobody listens"),
    ],
)
def test_where_no_connection_comes_about_the_message_waits(message, crooked, settings, url, now):
    """Never `accepted`. TLS that breaks may break at any moment; of the others nothing was sent."""
    crooked.answer = answer(200)
    speak(settings, url.format(port=crooked.port))
    drain_at(now)
    state, attempts, _ = outcome()
    assert (state, attempts) in ((State.SCHEDULED, 0), (State.UNKNOWN, 0))
    assert (state == State.UNKNOWN) == url.startswith("https")
    assert not Message.objects.filter(state=State.ACCEPTED).exists()


DAILY = '{"ErrorCode": 429, "Message": "You have reached your daily email sending quota."}'


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        pytest.param("Retry-After: 7", 7 * SECOND, id="seconds"),
        pytest.param("Retry-After: {in_two_minutes}", 120 * SECOND, id="a date"),
        pytest.param("Retry-After: 99999999999999", 3600 * SECOND, id="absurd"),
        pytest.param("Retry-After: soon", PAUSE, id="a word"),
        pytest.param("X-Other: 1", PAUSE, id="none"),
    ],
)
@pytest.mark.parametrize("body", ["{}", DAILY], ids=["too fast", "the day's share is used up"])
def test_a_provider_that_asks_to_wait_is_waited_for_and_no_attempt_counts(
    message, crooked, header, wait, body, now
):
    date = format_datetime(now + 120 * SECOND, usegmt=True)
    crooked.answer = answer(429, body, header.format(in_two_minutes=date))
    drain_at(now)
    assert Lane.objects.get().paused_until == now + wait
    assert outcome()[:2] == (State.SCHEDULED, 0)
    drain_at(now + wait - SECOND)
    assert crooked.calls == 1
    drain_at(now + wait)
    assert crooked.calls == 2


def test_ten_minutes_of_401_burn_nothing_and_tell_the_operator_once(
    clinic, crooked, settings, provider, caplog, now
):
    for n in range(12):
        make_message(make_course(clinic, now=now, mrn=f"M{n}", name=f"P {n}"), now=now)
    crooked.answer = answer(401, '{"ErrorCode": 10}')
    for seconds in range(0, 600, 10):
        drain_at(now + seconds * SECOND)
    assert set(Message.objects.values_list("state", "attempts")) == {(State.SCHEDULED, 0)}
    assert crooked.calls <= 6, "one probe after each pause"
    told = [r for r in caplog.records if r.levelno >= logging.ERROR and r.name.startswith("rem")]
    assert len(told) == 1
    settings.ANYMAIL = {**settings.ANYMAIL, **provider.anymail_settings}
    drain_at(now + 600 * SECOND + LONGEST_PAUSE)
    assert set(Message.objects.values_list("state", "attempts")) == {(State.ACCEPTED, 0)}
    assert len(provider.accepted) == 12


def test_each_call_has_one_recipient(clinic, provider, settings, now):
    """So there is no call of which some recipients are refused and others not."""
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    settings.ANYMAIL = {**settings.ANYMAIL, **provider.anymail_settings}
    for n in range(5):
        course = make_course(clinic, now=now, mrn=f"M{n}", name=f"P {n}", email=f"{n}@example.com")
        make_message(course, now=now)
    drain_at(now)
    assert sorted(mail.to for mail in provider.accepted) == [f"{n}@example.com" for n in range(5)]
    for request in provider.requests:
        assert isinstance(request, dict)
        assert request["To"].count("@") == 1
        assert not {"Cc", "Bcc"} & set(request)


def test_a_receiver_that_raises_after_sending_leaves_a_doubt_that_the_report_ends(
    message, provider, settings, now
):
    """Somebody's own code listens to Anymail: the mail has gone, whatever it does."""
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    given = {**provider.anymail_settings, "WEBHOOK_SECRET": SECRET}
    settings.ANYMAIL = {**settings.ANYMAIL, **given}

    def fail(**kwargs):
        raise KeyError("a receiver")

    post_send.connect(fail)
    try:
        drain_at(now)
        drain_at(now)
    finally:
        post_send.disconnect(fail)
    assert outcome()[0] in (State.UNKNOWN, State.ACCEPTED)
    post(delivered(provider.accepted[0]))
    apply_all(later(now))
    assert outcome()[0] == State.ACCEPTED
    assert len(provider.accepted) == 1
    assert not Suppression.objects.exists()


def test_a_report_whose_receiver_raises_comes_again_and_counts_once(
    message, provider, settings, now
):
    """The provider hears no 200, so Postmark repeats the report until it is written down."""
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    given = {**provider.anymail_settings, "WEBHOOK_SECRET": SECRET}
    settings.ANYMAIL = {**settings.ANYMAIL, **given}
    provider.next.append(Behaviour.ACCEPT_AND_ANSWER_500)
    drain_at(now)
    report = delivered(provider.accepted[0])

    def fail(**kwargs):
        raise KeyError("a receiver")

    tracking.connect(fail)
    try:
        assert post(report).status_code == 400
        assert ProviderEvent.objects.count() == 1, "ours has heard it all the same"
    finally:
        tracking.disconnect(fail)
    assert post(report).status_code == 200
    assert ProviderEvent.objects.count() == 1
    apply_all(later(now))
    assert outcome()[0] == State.ACCEPTED
