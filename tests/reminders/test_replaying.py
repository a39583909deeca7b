"""An `unknown` that resolves itself: the same call again, under a key that the provider knows."""

from datetime import timedelta
from pathlib import Path

import pytest

from clinic import enrolment
from devtools.servers.emulator.dialects import TOKEN
from reminders import dispatch, replaying, settling, ticking
from reminders.batches import Batches
from reminders.calls import Calls
from reminders.claiming import LEASE
from reminders.models import Attempt, Message, State
from reminders.outcomes import Outcome, of_opening
from surveys.models import FollowUp
from tests.builders import BY_TEST, make_course
from tests.reminders.emulated import Emulated
from tests.reminders.letters import HOUR, drain_at, intended, make_message, prepared_at

MINUTE = timedelta(minutes=1)
Came = Attempt.Outcome


@pytest.fixture
def resend(tmp_path: Path, settings):
    with Emulated(tmp_path) as provider:
        settings.MAIL_CONNECTIONS = 1
        settings.EMAIL_BACKEND = "anymail.backends.resend.EmailBackend"
        settings.ANYMAIL = {
            **settings.ANYMAIL,
            "RESEND_API_KEY": TOKEN,
            "RESEND_API_URL": provider.url,
            "REQUESTS_TIMEOUT": (5, 5),
        }
        yield provider


def state_of(message: Message) -> str:
    message.refresh_from_db()
    return message.state


def test_a_mail_that_was_taken_is_found_out_about_and_not_sent_again(message, resend, now):
    resend.mood("outage, taking all")
    drain_at(now)
    assert state_of(message) == State.UNKNOWN
    resend.mood("calm")
    drain_at(now + replaying.FIRST)
    assert state_of(message) == State.ACCEPTED
    assert message.provider_message_id
    (attempt,) = Attempt.objects.all()
    assert (attempt.outcome, attempt.replays) == (Came.ACCEPTED, 1)
    assert [line["kind"] for line in resend.ledger()] == ["accepted", "replayed"]


def test_a_mail_that_was_not_taken_goes_now_once(message, resend, now):
    resend.mood("outage, taking nothing")
    drain_at(now)
    assert state_of(message) == State.UNKNOWN
    resend.mood("calm")
    drain_at(now + replaying.FIRST)
    assert state_of(message) == State.ACCEPTED
    assert [line["kind"] for line in resend.ledger()] == ["accepted"]


def test_a_worker_that_died_after_its_intent_leaves_nothing_to_a_person(message, resend, now):
    intended(message, now, "resend")
    settling.settle_abandoned(now=now + LEASE)
    assert state_of(message) == State.UNKNOWN
    drain_at(now + LEASE + replaying.FIRST)
    assert state_of(message) == State.ACCEPTED
    assert len(resend.ledger()) == 1


@pytest.mark.parametrize("mood", ["not knowing us", "out of service", "throttling all"])
def test_an_answer_that_is_no_yes_says_nothing_about_the_first_call(message, resend, mood, now):
    """Else it would be sent under another key, and the first one may have been taken."""
    resend.mood("outage, taking all")
    drain_at(now)
    resend.mood(mood)
    drain_at(now + replaying.FIRST)
    assert state_of(message) == State.UNKNOWN
    attempt = Attempt.objects.get()
    assert (attempt.outcome, attempt.replays) == (Came.UNKNOWN, 1)


def test_each_time_it_waits_four_times_as_long(message, resend, now):
    resend.mood("outage, taking all")
    drain_at(now)
    before = now + replaying.FIRST - timedelta(microseconds=1)
    assert not replaying.due("resend", now=before)
    assert replaying.due("resend", now=now + replaying.FIRST)
    Attempt.objects.update(replays=2)
    assert not replaying.due("resend", now=now + 15 * MINUTE)
    assert replaying.due("resend", now=now + 16 * MINUTE)


def test_it_stops_long_before_the_provider_forgets_the_key(message, resend, now):
    resend.mood("outage, taking all")
    drain_at(now)
    assert replaying.due("resend", now=now + 12 * HOUR - MINUTE)
    assert not replaying.due("resend", now=now + 12 * HOUR)


def test_only_where_the_provider_knows_a_key(message, resend, now):
    resend.mood("outage, taking all")
    drain_at(now)
    assert not replaying.due("postmark", now=now + HOUR)
    Attempt.objects.update(lane="postmark")
    assert not replaying.due("resend", now=now + HOUR)


def _change_the_link(message, now):
    FollowUp.objects.update(link_nonce=b"another nonce..!")


def _answer(message, now):
    FollowUp.objects.update(finished_at=now)


def _withdraw(message, now):
    enrolment.withdraw(message.patient, by=BY_TEST, now=now)


def _close(message, now):
    Message.objects.update(not_after=now)


@pytest.mark.parametrize("happening", [_change_the_link, _answer, _withdraw, _close])
def test_what_may_not_go_any_more_or_would_be_another_mail_is_not_asked_for(
    message, resend, happening, now
):
    resend.mood("outage, taking nothing")
    drain_at(now)
    resend.mood("calm")
    happening(message, now)
    drain_at(now + replaying.FIRST)
    assert state_of(message) == State.UNKNOWN
    assert not resend.ledger()


def test_it_is_not_asked_for_in_quiet_hours(message, resend, now):
    resend.mood("outage, taking nothing")
    drain_at(now + 6 * HOUR)
    resend.mood("calm")
    drain_at(now + 12 * HOUR)  # nine in the evening
    assert state_of(message) == State.UNKNOWN
    assert not resend.ledger()


def test_a_tick_wakes_a_drain_for_it(message, resend, now):
    resend.mood("outage, taking all")
    drain_at(now)
    assert ticking.work(now=now).drains == 0
    assert ticking.work(now=now + replaying.FIRST).drains == 1


def test_a_crash_while_asking_again_leaves_it_unknown(message, resend, now):
    resend.mood("outage, taking all")
    drain_at(now)
    (attempt,) = replaying.due("resend", now=now + MINUTE)
    intent = replaying.intend(attempt, "resend", now=now + MINUTE)
    assert intent is not None
    assert state_of(message) == State.SENDING
    settling.settle_abandoned(now=now + MINUTE + LEASE)
    assert state_of(message) == State.UNKNOWN
    assert Attempt.objects.get().outcome == Came.UNKNOWN
    assert intent.call.replay


def test_while_every_connection_is_busy_it_waits_for_one(message, clinic, resend, now):
    resend.mood("outage, taking all")
    drain_at(now)
    resend.mood("calm")
    later = now + replaying.FIRST
    other = make_message(make_course(clinic, now=now, mrn="M2", name="P 2"), now=now)
    with Calls(1) as calls:
        batches = Batches(calls.lane, lambda: later)
        drain = dispatch._Drain(calls, batches, lambda: later, lambda: False)
        drain._work_off(prepared_at(later, lane="resend"))
        assert calls.idle == 0
        drain.run()
    assert [state_of(message), state_of(other)] == [State.ACCEPTED, State.ACCEPTED]


def test_a_provider_that_cannot_be_reached_uses_up_no_repeat(message, resend, monkeypatch, now):
    resend.mood("outage, taking all")
    drain_at(now)

    def away(self: Calls, count: int) -> Outcome:
        return of_opening(ConnectionRefusedError())

    monkeypatch.setattr(Calls, "open", away)
    drain_at(now + replaying.FIRST)
    assert state_of(message) == State.UNKNOWN
    assert Attempt.objects.get().replays == 0
