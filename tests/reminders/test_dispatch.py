"""One message from claim to settle, against a real mail server that can misbehave."""

from reminders.models import State
from tests.reminders.letters import drain_at


def test_a_due_message_is_accepted_once(message, mail_server, now):
    assert drain_at(now) == 1
    assert drain_at(now) == 0
    message.refresh_from_db()
    assert (message.state, message.accepted_at) == (State.ACCEPTED, now)
    assert message.lease_token is None
    assert len(mail_server.messages) == 1
