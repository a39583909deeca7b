"""What was read for a batch holds as long as its stamp: each fact the gate asks shows in it."""

from datetime import time, timedelta

import pytest

from clinic.models import Clinic, Course, Patient
from reminders import intending, stamps
from reminders.models import Lane, Message, State, Suppression
from surveys.models import FollowUp
from tests.reminders.letters import HOUR, make_alert, make_message, prepared_at, send_prepared

OTHER = {
    Message: {"due_at": -HOUR, "not_after": HOUR},
    FollowUp: {
        "send_at": HOUR,
        "closes_at": HOUR,
        "finished_at": "now",
        "withdrawn_at": "now",
        "language": "es",
        "link_nonce": b"another nonce..!",
    },
    Patient: {
        "status": "paused",
        "paused_until": "now",
        "zone": "Asia/Tokyo",
        "language": "es",
        "allowed_days": [1],
    },
    Clinic: {
        "zone": "Asia/Tokyo",
        "quiet_from": time(3),
        "quiet_until": time(4),
        "allowed_days": [1],
        "sender_name": "Other Team",
        "phone": "1",
        "greet_by_first_name": True,
    },
    Course: {"revision": 99, "replan_at": "now"},
}
CHANGES = [
    pytest.param(model, field, value, id=f"{model.__name__}.{field}")
    for model, fields in OTHER.items()
    for field, value in fields.items()
]


def stamp(message: Message, lane: str = "smtp") -> stamps.Stamp:
    return stamps.stamps([message.pk], lane)[message.pk]


def change(model, field, value, now) -> None:
    for row in model.objects.all():
        changed = value
        if value == "now":
            changed = now + timedelta(seconds=1)
        elif isinstance(value, timedelta):
            changed = getattr(row, field) + value
        model.objects.filter(pk=row.pk).update(**{field: changed})


@pytest.mark.parametrize(("model", "field", "value"), CHANGES)
def test_every_fact_the_gate_asks_shows_in_the_stamp(message, model, field, value, now):
    before = stamp(message)
    assert stamp(message) == before
    change(model, field, value, now)
    assert stamp(message) != before


@pytest.mark.parametrize("field", ["email", "name"])
def test_what_is_sealed_shows_too(message, field):
    before = stamp(message)
    setattr(message.patient, field, "Other other@example.com")
    message.patient.save()
    assert stamp(message) != before


def test_a_suppression_an_alert_another_message_of_the_day_and_a_pause_show(message, course, now):
    seen = {stamp(message)}
    Suppression.objects.create(
        clinic=message.clinic, patient=message.patient, address_digest="x", reason="staff",
        since=now,
    )  # fmt: skip
    seen.add(stamp(message))
    make_alert(message.clinic, now=now, patient=message.patient)
    seen.add(stamp(message))
    Message.objects.filter(pk=message.pk).update(capped_on=now.date())
    seen.add(stamp(message))
    Lane.objects.create(name="smtp", paused_until=now, updated_at=now)
    seen.add(stamp(message))
    assert len(seen) == 5
    assert stamp(message, "postmark") != stamp(message, "smtp")


def test_what_happens_to_somebody_else_does_not_show(message, other_clinic, now):
    before = stamp(message)
    Clinic.objects.filter(pk=other_clinic.pk).update(phone="1")
    assert stamp(message) == before


def test_facts_that_are_too_old_are_read_again_whatever_the_stamp(message, mailoutbox, now):
    """Cover ends with time alone."""
    batch = prepared_at(now)
    later = now + intending.FRESH
    assert not intending._intend_together(batch, intending.Way("locmem"), later)
    send_prepared(batch, now=later)
    message.refresh_from_db()
    assert message.state == State.ACCEPTED
    assert len(mailoutbox) == 1


def test_two_messages_of_one_patient_are_not_meant_together(course, mailoutbox, now):
    """They share the day: what became of the first decides about the second."""
    first = make_message(course, now=now)
    FollowUp.objects.filter(pk=first.follow_up_id).update(local_date=now.date() - timedelta(days=1))
    second = make_message(course, now=now, not_after=now + 60 * HOUR)
    send_prepared(prepared_at(now), now=now)
    states = sorted(Message.objects.values_list("state", flat=True))
    assert states == [State.ACCEPTED, State.SCHEDULED]
    assert len(mailoutbox) == 1
    assert second.follow_up_id != first.follow_up_id
