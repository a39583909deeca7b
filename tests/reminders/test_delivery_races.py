"""Several drains at once, and a patient who unsubscribes meanwhile: on PostgreSQL."""

from datetime import timedelta

import pytest

from clinic.models import AuditEntry
from reminders import delivery, planning, unsubscribing
from reminders.models import Attempt, Message, ProviderEvent, State, Suppression
from reminders.suppression import address_digest
from tests.builders import BY_TEST
from tests.clinic.test_races import race
from tests.reminders.letters import HOUR, make_message
from tests.reminders.test_delivery_evidence import DELIVERED, HARD, SOFT, call, report
from tests.surveys.follow_ups import make_follow_up

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
DAY = timedelta(days=1)
COMPLAINT = {"recordtype": "SpamComplaint"}


@pytest.fixture
def sent(course, now) -> list[Message]:
    """Ten mails to one address, and one that waits."""
    messages = []
    for n in range(11):
        at = now + n * DAY
        follow_up = make_follow_up(course, ["phq8"], now=at)
        message = make_message(course, now=at, follow_up=follow_up)
        if n < 10:
            Message.objects.filter(pk=message.pk).update(state=State.ACCEPTED, accepted_at=at)
            call(message, Attempt.Outcome.ACCEPTED, at, address=address_digest("ana@example.com"))
        messages.append(message)
    return messages


@pytest.mark.parametrize("turn", range(5))
def test_drains_and_people_at_once_end_in_one_truth(sent, course, now, turn):
    at = now + 20 * DAY
    for message in sent[:10]:
        for payload in (DELIVERED, SOFT, HARD, COMPLAINT):
            report(message, payload, at)
    acts = iter(
        [
            lambda: delivery.drain_events(clock=lambda: at),
            lambda: unsubscribing.unsubscribe(sent[0].follow_up, now=at),
            lambda: planning.reconcile(course.patient, now=at, by=BY_TEST),
        ]
        * 10
    )
    race(lambda: next(acts)())  # raises what any of them raised
    delivery.drain_events(clock=lambda: at + HOUR)
    assert not ProviderEvent.objects.filter(applied_at=None).exists()
    assert set(
        Message.objects.filter(pk__in=[m.pk for m in sent[:10]]).values_list("delivery")
    ) == {("complained",)}
    reasons = sorted(Suppression.objects.values_list("reason", flat=True))
    assert reasons == sorted(set(reasons))
    assert {"hard_bounce", "complaint", "unsubscribed"} <= set(reasons)
    audited = AuditEntry.objects.filter(action__in=["suppress address", "unsubscribe"])
    assert audited.count() == len(reasons)
    assert Message.objects.get(pk=sent[10].pk).state != State.SCHEDULED
