"""What providers report: kept once, applied in any order, believed only about what we sent."""

import base64
import itertools
import json
import uuid
from datetime import timedelta

import pytest
from django.test import Client

from clinic.models import Course
from devtools.servers import provider as postmark
from devtools.servers.provider import Accepted
from reminders import delivery, planning
from reminders.models import Attempt, Message, ProviderEvent, State, Suppression
from reminders.suppression import address_digest
from surveys.models import AlertEvent
from tests.builders import make_course
from tests.reminders.letters import HOUR, make_alert, make_message, make_notice

SECRET = "user:long-enough-secret"
WEBHOOK = "/anymail/postmark/tracking/"


@pytest.fixture(autouse=True)
def _secret(settings):
    settings.ANYMAIL = {**settings.ANYMAIL, "WEBHOOK_SECRET": SECRET}


@pytest.fixture
def sent(message, now) -> Message:
    Message.objects.update(state=State.ACCEPTED, accepted_at=now, provider_message_id="pm-1")
    Attempt.objects.create(
        message=message,
        n=1,
        started_at=now,
        outcome=Attempt.Outcome.ACCEPTED,
        lane="postmark",
        idempotency_key=uuid.uuid4(),
        template_version="x",
        inputs={"address": address_digest("ana@example.com")},
    )
    message.refresh_from_db()
    return message


def as_sent(message, ref=None) -> Accepted:
    payload = {"To": "ana@example.com", "Metadata": {"id": ref or str(message.pk)}}
    return Accepted(str(uuid.uuid5(uuid.NAMESPACE_DNS, "a mail")), payload)


def post(event, secret=SECRET, path=WEBHOOK):
    headers = {"HTTP_AUTHORIZATION": "Basic " + base64.b64encode(secret.encode()).decode()}
    body = event if isinstance(event, str) else json.dumps(event)
    return Client(raise_request_exception=False).post(
        path, body, content_type="application/json", **(headers if secret else {})
    )


def apply_all(now):
    delivery.drain_events(clock=lambda: now)


def later(now):
    """The webhook's own clock is the real one."""
    return ProviderEvent.objects.latest("try_after").try_after + timedelta(seconds=1)


def test_a_report_is_only_written_down(sent):
    assert post(postmark.delivered(as_sent(sent))).status_code == 200
    event = ProviderEvent.objects.get()
    assert (event.kind, event.message_ref) == ("delivered", str(sent.pk))
    assert event.applied_at is None
    sent.refresh_from_db()
    assert sent.delivery == ""


def test_what_is_written_down_holds_no_address_and_no_text(sent):
    event = {
        **postmark.bounced(as_sent(sent)),
        "Subject": "Your check-in is ready",
        "Content": "Hello Ana",
        "Description": "ana@example.com does not exist",
    }
    post(event)
    kept = json.dumps(ProviderEvent.objects.values().get(), default=str)
    assert "HardBounce" in kept
    for secret in ("ana@", "Ana", "check-in"):
        assert secret not in kept


@pytest.mark.parametrize("secret", ["", "user:wrong", "someone:else"])
def test_a_report_without_the_secret_is_refused_and_leaves_nothing(sent, secret):
    assert post(postmark.complained(as_sent(sent)), secret).status_code == 401
    assert not ProviderEvent.objects.exists()


def test_while_no_secret_is_set_nobody_is_believed(sent, settings):
    settings.ANYMAIL = {**settings.ANYMAIL, "WEBHOOK_SECRET": None}
    assert post(postmark.complained(as_sent(sent)), secret="").status_code == 403
    assert not ProviderEvent.objects.exists()


@pytest.mark.parametrize("body", ["{", "[]", '"x"', ""])
def test_nonsense_with_the_secret_leaves_nothing(sent, body):
    assert post(body).status_code >= 400
    assert not ProviderEvent.objects.exists()


def test_the_same_report_ten_times_is_one_row(sent):
    event = postmark.bounced(as_sent(sent))
    for _ in range(10):
        assert post(event).status_code == 200
    assert ProviderEvent.objects.count() == 1


def test_reports_in_any_order_end_in_the_same_state(clinic, now):
    makers = (postmark.delivered, postmark.bounced, postmark.complained)
    ends = set()
    for n, order in enumerate(itertools.permutations(makers)):
        course = make_course(clinic, now=now, mrn=f"M{n}", name=f"P {n}")
        message = make_message(course, now=now, state=State.ACCEPTED, accepted_at=now)
        for make in order:
            post({**make(as_sent(message)), "MessageID": f"pm-{n}"})
        apply_all(later(now))
        message.refresh_from_db()
        ends.add((message.state, message.delivery, message.delivered_at is not None))
    assert ends == {(State.ACCEPTED, Message.Delivery.COMPLAINED, True)}


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (postmark.bounced, Suppression.Reason.HARD_BOUNCE),
        (postmark.complained, Suppression.Reason.COMPLAINT),
        (postmark.unsubscribed, Suppression.Reason.UNSUBSCRIBED),
    ],
)
def test_a_dead_address_or_a_wish_stops_what_is_waiting(sent, make, reason, now):
    waiting = make_message(
        sent.patient.courses.get(), now=now, follow_up=sent.follow_up, kind="reminder", nth=1
    )
    post(make(as_sent(sent)))
    apply_all(later(now))
    suppression = Suppression.objects.get()
    assert (suppression.reason, suppression.patient) == (reason, sent.patient)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.reason) == (State.SUPPRESSED, reason)


def test_the_schedule_looks_again_when_an_address_turns_out_dead(sent, course, now):
    Course.objects.update(replan_at=None)
    post(postmark.bounced(as_sent(sent)))
    apply_all(later(now))
    assert planning.lagging(now=later(now)) == [course.patient]


def test_a_report_that_cannot_be_applied_does_not_hold_up_the_others(sent, now):
    for n in range(2):
        post({**postmark.delivered(as_sent(sent)), "MessageID": f"pm-{n}"})
    torn, whole = ProviderEvent.objects.order_by("pk")
    ProviderEvent.objects.filter(pk=torn.pk).update(message_ref="not an id")
    apply_all(later(now))
    torn.refresh_from_db()
    whole.refresh_from_db()
    assert torn.applied_at is None
    assert whole.applied_at is not None
    assert torn.try_after > whole.applied_at


def test_a_full_mailbox_silences_nobody(sent, now):
    post(postmark.bounced(as_sent(sent), kind="SoftBounce"))
    apply_all(later(now))
    sent.refresh_from_db()
    assert sent.delivery == Message.Delivery.SOFT_BOUNCED
    assert not Suppression.objects.exists()


def test_the_old_address_is_the_one_that_bounced(sent, now):
    sent.patient.email = "new@example.com"
    sent.patient.save()
    waiting = make_message(
        sent.patient.courses.get(), now=now, follow_up=sent.follow_up, kind="reminder", nth=1
    )
    post(postmark.bounced(as_sent(sent)))
    apply_all(later(now))
    waiting.refresh_from_db()
    assert waiting.state == State.SCHEDULED


@pytest.mark.parametrize("make", [postmark.delivered, postmark.bounced, postmark.complained])
def test_a_report_is_evidence_that_an_unknown_message_was_taken(sent, make, now):
    Message.objects.update(state=State.UNKNOWN, accepted_at=None)
    Attempt.objects.update(outcome=Attempt.Outcome.UNKNOWN)
    post(make(as_sent(sent)))
    apply_all(later(now))
    sent.refresh_from_db()
    assert sent.state == State.ACCEPTED
    assert Attempt.objects.get().outcome == Attempt.Outcome.ACCEPTED


def test_a_report_about_nothing_we_know_waits_a_day_and_does_nothing(sent, now):
    post(postmark.complained(as_sent(sent, ref=str(uuid.uuid4()))))
    event = ProviderEvent.objects.get()
    moment = event.try_after
    apply_all(moment)
    event.refresh_from_db()
    assert event.applied_at is None
    assert event.try_after > moment
    apply_all(event.received_at + 24 * HOUR)
    event.refresh_from_db()
    assert event.outcome == "no such message"
    assert not Suppression.objects.exists()


def test_a_report_that_came_before_our_own_record_is_found_by_the_providers_id(message, now):
    mail = as_sent(message)
    mail.payload["Metadata"] = {}
    post(postmark.delivered(mail))
    moment = ProviderEvent.objects.get().try_after
    apply_all(moment)
    Message.objects.update(state=State.ACCEPTED, accepted_at=now, provider_message_id=mail.id)
    apply_all(moment + HOUR)
    message.refresh_from_db()
    assert message.delivery == Message.Delivery.DELIVERED


def test_an_applied_report_is_not_applied_again(sent, now):
    post(postmark.unsubscribed(as_sent(sent)))
    apply_all(later(now))
    Suppression.objects.update(lifted_at=now)
    apply_all(later(now) + HOUR)
    assert not Suppression.objects.in_force().exists()


def test_a_bounced_notice_is_in_the_alerts_history(clinic, clinician, now):
    notice = make_notice(make_alert(clinic, now=now), clinician, now=now)
    post(postmark.bounced(as_sent(notice)))
    apply_all(later(now))
    assert AlertEvent.objects.get().kind == AlertEvent.Kind.NOT_DELIVERED
