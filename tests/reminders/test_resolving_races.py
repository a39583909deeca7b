"""Two who press at the same moment: on PostgreSQL, where rows are locked one by one."""

import pytest
from django.db import transaction

from clinic.actors import member_actor
from clinic.models import AuditEntry
from clinic.refusals import Refused
from reminders import settling
from reminders.models import Attempt, Message
from reminders.resolving import confirm_sent, send_again
from tests.clinic.test_races import RACERS, race
from tests.reminders.letters import HOUR
from tests.reminders.test_resolving import unknown  # noqa: F401  a noun of those tests

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def verbs(by, now, message):
    presses = iter([confirm_sent, send_again] * RACERS)
    return lambda: next(presses)(message, by=by, now=now + HOUR)


@pytest.mark.parametrize("turn", range(5))
def test_of_many_who_press_one_decides(unknown, coordinator, now, turn):  # noqa: F811
    got = race(verbs(member_actor(coordinator), now, unknown))
    assert sum(isinstance(each, Refused) for each in got) == RACERS - 1
    assert AuditEntry.objects.filter(action__in=["confirm sent", "send again"]).count() == 1
    assert Attempt.objects.exclude(outcome="unknown").count() == 1


@pytest.mark.parametrize("turn", range(5))
def test_of_a_person_and_the_providers_word_one_decides(unknown, coordinator, now, turn):  # noqa: F811
    by = member_actor(coordinator)

    def hear():
        with transaction.atomic():
            return settling.accept_on_evidence(unknown, provider_message_id="p-1", now=now)

    acts = iter([hear, lambda: send_again(unknown, by=by, now=now + HOUR)] * RACERS)
    race(lambda: next(acts)())
    message = Message.objects.get(pk=unknown.pk)
    decided = (message.state, Attempt.objects.get().outcome)
    assert decided in {("accepted", "accepted"), ("scheduled", "abandoned")}
    pressed = AuditEntry.objects.filter(action="send again").count()
    assert pressed == (message.state == "scheduled")
