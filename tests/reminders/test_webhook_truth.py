"""The providers' documented reports, through the real address: whatever comes once, ten times,
reversed or three days late ends in the same state of messages, addresses and schedule."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction

from clinic import infusions
from clinic.infusions import InfusionDetails
from clinic.models import Course
from reminders import delivery, planning
from reminders.models import Attempt, Message, ProviderEvent, State, Suppression
from reminders.suppression import address_digest
from surveys.models import FollowUp, StepDue
from tests.builders import BY_TEST, make_course
from tests.reminders import reports
from tests.reminders.letters import drain_at

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
EVERYTHING = "everything"  # one message about which each of a provider's reports comes
# What says when we acted or how often we looked, and not what is true.
OURS = {
    Message: {"ended_at"},
    Course: {"revision"},
    StepDue: {"revision"},
    Suppression: {"id"},
    FollowUp: set(),
}


def make_patient(clinic, name: str, now: datetime) -> Message:
    """Under a real protocol, whose first invitation went out when it was due."""
    course = make_course(clinic, now=now, mrn=name, name=name, email=f"{name}@example.com")
    infusions.log(course, InfusionDetails(started_at=now - DAY), by=BY_TEST, now=now)
    planning.reconcile(course.patient, now=now, by=BY_TEST)
    message = course.patient.messages.get(state=State.SCHEDULED)
    drain_at(message.due_at)
    Message.objects.filter(pk=message.pk).update(provider_message_id=f"<{name}@provider>")
    message.refresh_from_db()
    assert message.state == State.ACCEPTED
    return message


@pytest.fixture(params=reports.PROVIDERS)
def provider(request) -> str:
    return str(request.param)


@pytest.fixture
def sent(clinic, staffed, amazon, now, provider) -> dict[str, Message]:
    """For each report of a provider a patient of its own, and one more for all of them."""
    names = [*reports.names(provider), EVERYTHING]
    return {name: make_patient(clinic, name, now) for name in names}


def history(provider: str, sent: dict[str, Message], now: datetime) -> list[tuple[datetime, Any]]:
    """What happened and when, in the provider's order."""
    happened = []
    for n, name in enumerate(reports.names(provider)):
        at = now + HOUR + (n + 5) * MINUTE  # they were sent an hour from now
        happened += [
            (at, reports.about(provider, name, sent[key], at)) for key in (name, EVERYTHING)
        ]
    return happened


def tell(provider, event, amazon, at: datetime, times: int = 1) -> None:
    with time_machine.travel(at, tick=False):
        for _ in range(times):
            assert reports.deliver(provider, event, amazon).status_code == 200


def apply_until(at: datetime) -> None:
    delivery.drain_events(clock=lambda: at)


def rows(model: Any) -> list[dict[str, Any]]:
    left_out = OURS[model]
    found = []
    for row in model.objects.order_by("pk"):
        fields = {field.attname: getattr(row, field.attname) for field in model._meta.fields}
        found.append({name: value for name, value in fields.items() if name not in left_out})
    return sorted(found, key=str) if model is Suppression else found


def truth(at: datetime) -> dict[str, list[dict[str, Any]]]:
    """Messages, addresses and schedules, after everybody has been planned anew at this instant."""
    for course in Course.objects.select_related("patient"):
        planning.reconcile(course.patient, now=at, by=BY_TEST)
    return {model.__name__: rows(model) for model in OURS}


@pytest.mark.slow
def test_the_end_is_the_same_however_the_reports_come(provider, sent, amazon, now):
    happened, late = history(provider, sent, now), now + 3 * DAY
    ends = {}

    def run(name: str, tellings: list[tuple[datetime, Any]], times: int = 1) -> None:
        start = transaction.savepoint()
        for at, event in tellings:
            tell(provider, event, amazon, at, times)
            apply_until(at)
        ends[name] = truth(late + DAY)
        transaction.savepoint_rollback(start)

    run("once", happened)
    run("ten times", happened, times=10)
    run("reversed", [(late, event) for _, event in reversed(happened)])
    run("three days late", [(late, event) for _, event in happened])
    run("late and many times", [(late, event) for _, event in happened[::-1]], times=3)
    for name, end in ends.items():
        for model, found in end.items():
            assert found == ends["once"][model], (name, model)
    assert_sense(ends["once"], provider, sent)


def assert_sense(end, provider: str, sent: dict[str, Message]) -> None:
    """That the state they agree on is the right one."""
    deliveries = {row["id"]: row["delivery"] for row in end["Message"]}
    seen = {name: deliveries[message.pk] for name, message in sent.items()}
    expected = {
        "delivered": "delivered",
        "deferred": "deferred",
        "soft_bounce": "soft_bounced",
        "mailbox_full": "soft_bounced",
        "hard_bounce": "bounced",
        "suppressed": "bounced",
        "reject": "bounced",
        "unsubscribe": "unsubscribed",
        "complaint": "complained",
        EVERYTHING: "complained",
    }
    assert seen == {name: expected[name] for name in seen}
    reasons = {(row["patient_id"], row["reason"]) for row in end["Suppression"]}
    stopped = {
        "hard_bounce": "hard_bounce",
        "suppressed": "hard_bounce",
        "unsubscribe": "unsubscribed",
        "complaint": "complaint",
    }
    single = {(sent[name].patient_id, stopped[name]) for name in seen if name in stopped}
    at_once = {(sent[EVERYTHING].patient_id, stopped[name]) for name in seen if name in stopped}
    assert reasons == single | at_once


@pytest.mark.slow
def test_each_report_is_one_row_however_often_it_comes(provider, sent, amazon, now):
    """Mailgun signs each of its tries with a token, and a token is what names its event."""
    happened = history(provider, sent, now)
    for at, event in happened:
        tell(provider, event, amazon, at, times=10)
    many = 10 if provider == "mailgun" else 1
    assert ProviderEvent.objects.count() == many * len(happened)


@pytest.mark.parametrize("name", ["delivered", "hard_bounce", "complaint"])
def test_every_providers_report_resolves_an_unknown_message(
    provider, clinic, staffed, amazon, now, name
):
    message = make_patient(clinic, name, now)
    Message.objects.filter(pk=message.pk).update(
        state=State.UNKNOWN, accepted_at=None, ended_at=None, provider_message_id=""
    )
    Attempt.objects.filter(message=message).update(outcome=Attempt.Outcome.UNKNOWN)
    at = now + HOUR + MINUTE
    event = reports.about(provider, name, message, at)  # names us; Resend names itself only
    if provider == "resend":
        metadata = {"name": "X-Metadata", "value": f'{{"id": "{message.pk}"}}'}
        event["data"]["headers"] = [metadata]
    tell(provider, event, amazon, at)
    apply_until(at)
    message.refresh_from_db()
    call = Attempt.objects.get(message=message)
    assert (message.state, call.outcome) == (State.ACCEPTED, Attempt.Outcome.ACCEPTED)
    assert message.accepted_at == call.started_at
    assert message.provider_message_id == f"<{name}@provider>"


def test_what_is_stopped_is_the_address_that_bounced(provider, clinic, staffed, amazon, now):
    message, at = make_patient(clinic, "dead", now), now + HOUR + MINUTE
    tell(provider, reports.about(provider, "hard_bounce", message, at), amazon, at)
    apply_until(at)
    stopped = Suppression.objects.get()
    assert stopped.address_digest == address_digest("dead@example.com")
    assert stopped.since == at
