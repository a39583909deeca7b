"""Through Anymail to a provider that keeps its own list, and sometimes lies."""

import pytest

from devtools.servers.provider import Behaviour, bounced, delivered
from reminders.models import Attempt, Lane, Message, State, Suppression
from tests.builders import make_course
from tests.reminders.letters import drain_at, make_message
from tests.reminders.test_delivery import SECRET, apply_all, later, post


@pytest.fixture
def postmark(provider, settings):
    settings.MAIL_CONNECTIONS = 1  # in order
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    given = {**provider.anymail_settings, "WEBHOOK_SECRET": SECRET, "REQUESTS_TIMEOUT": (1, 1)}
    settings.ANYMAIL = {**settings.ANYMAIL, **given}
    return provider


def state_of(message) -> str:
    message.refresh_from_db()
    return message.state


def test_the_provider_gets_one_mail_with_our_id_and_no_tracking(message, postmark, now):
    drain_at(now)
    drain_at(now)
    (mail,) = postmark.accepted
    assert mail.to == "ana@example.com"
    assert mail.payload["Metadata"] == {"id": str(message.pk)}
    assert mail.payload["TrackOpens"] is False
    assert mail.payload["TrackLinks"] == "None"
    assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail.headers["Auto-Submitted"] == "auto-generated"
    assert "Cc" not in mail.payload
    assert "Bcc" not in mail.payload
    assert state_of(message) == State.ACCEPTED
    assert message.provider_message_id == mail.id


@pytest.mark.slow
@pytest.mark.parametrize(
    ("behaviour", "state", "taken"),
    [
        (Behaviour.ACCEPT_AND_ANSWER_500, State.UNKNOWN, 1),
        (Behaviour.ACCEPT_AND_HANG_UP, State.UNKNOWN, 1),
        (Behaviour.ACCEPT_AND_SAY_NOTHING, State.UNKNOWN, 1),
        (Behaviour.ANSWER_500, State.UNKNOWN, 0),
        (Behaviour.HANG_UP, State.UNKNOWN, 0),
        (Behaviour.UNAVAILABLE, State.ACCEPTED, 1),
        (Behaviour.TOO_MANY, State.SCHEDULED, 0),
        (Behaviour.BAD_TOKEN, State.SCHEDULED, 0),
        (Behaviour.BAD_ADDRESS, State.REJECTED, 0),
        (Behaviour.INACTIVE, State.REJECTED, 0),
    ],
)
def test_each_answer_leaves_its_state(message, postmark, behaviour, state, taken, now):
    """The provider answers so once; the same drain goes on where it may."""
    postmark.next.append(behaviour)
    drain_at(now)
    assert state_of(message) == state
    assert len(postmark.accepted) == taken
    assert message.attempts == 0


def test_a_refused_address_is_not_written_to_again(message, postmark, now):
    postmark.next.append(Behaviour.INACTIVE)
    drain_at(now)
    assert Suppression.objects.get().reason == Suppression.Reason.REFUSED


def test_a_throttled_lane_waits_as_long_as_it_was_asked_to(clinic, postmark, now):
    for n in range(5):
        make_message(make_course(clinic, now=now, mrn=f"M{n}", name=f"P {n}"), now=now)
    postmark.next.append(Behaviour.TOO_MANY)
    drain_at(now)
    lane = Lane.objects.get(name="postmark")
    assert lane.paused_until is not None
    assert (lane.paused_until - now).total_seconds() == 1
    assert len(postmark.requests) == 1
    drain_at(lane.paused_until)
    assert len(postmark.accepted) == 5


def test_wrong_credentials_burn_no_attempts_and_lose_nothing(clinic, postmark, now):
    for n in range(5):
        make_message(make_course(clinic, now=now, mrn=f"M{n}", name=f"P {n}"), now=now)
    postmark.usual = Behaviour.BAD_TOKEN
    for _ in range(3):
        drain_at(now)
    assert len(postmark.requests) == 1
    assert set(Message.objects.values_list("state", "attempts")) == {(State.SCHEDULED, 0)}


@pytest.mark.parametrize("event", [delivered, bounced])
def test_the_providers_report_settles_what_was_unknown(message, postmark, event, now):
    postmark.next.append(Behaviour.ACCEPT_AND_ANSWER_500)
    drain_at(now)
    assert state_of(message) == State.UNKNOWN
    post(event(postmark.accepted[0]))
    apply_all(later(now))
    assert state_of(message) == State.ACCEPTED
    assert Attempt.objects.get().outcome == Attempt.Outcome.ACCEPTED
    assert len(postmark.accepted) == 1
