"""A report is evidence: about a call that is under way, doubted, or thought not to have arrived;
and about a notice, which somebody must get."""

import uuid
from datetime import timedelta

import pytest

from clinic.models import AuditEntry, Member
from reminders import delivery, notices
from reminders.models import Attempt, Message, Notice, ProviderEvent, State, Suppression
from reminders.suppression import address_digest
from surveys.models import AlertEvent
from tests.builders import make_member
from tests.reminders.letters import make_alert, make_notice

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
Came = Attempt.Outcome
DELIVERED = {"recordtype": "Delivery"}
HARD = {"recordtype": "Bounce", "type": "HardBounce"}
SOFT = {"recordtype": "Bounce", "type": "SoftBounce"}
REFUSED = {"recordtype": "Bounce", "type": "SMTPApiError"}


def call(row, outcome, at, n=1, **inputs) -> Attempt:
    about = {"notice": row} if isinstance(row, Notice) else {"message": row}
    return Attempt.objects.create(
        **about, n=n, started_at=at, outcome=outcome, lane="postmark", template_version="x",
        idempotency_key=uuid.uuid4(), inputs=inputs,
    )  # fmt: skip


def report(row, payload, at, **changes) -> ProviderEvent:
    fields = {"message_ref": str(row.pk), "occurred_at": at, "received_at": at, "try_after": at}
    return ProviderEvent.objects.create(
        provider="postmark", dedupe_key=uuid.uuid4().hex, kind="bounced", payload=payload,
        **{**fields, "provider_message_id": "pm-1", **changes},
    )  # fmt: skip


def apply_at(now) -> int:
    return delivery.drain_events(clock=lambda: now)


def put(row, state, **changes):
    """The row as it is in this state."""
    leased = state in (State.CLAIMED, State.SENDING)
    fields = {"lease_token": uuid.uuid4(), "lease_until": row.due_at + HOUR} if leased else {}
    type(row).objects.filter(pk=row.pk).update(state=state, **fields, **changes)
    row.refresh_from_db()
    return row


# -- Messages ---------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", [DELIVERED, HARD], ids=["delivered", "hard"])
def test_while_a_call_is_under_way_its_report_waits(message, now, payload):
    """Applied now, it would find nothing in doubt; and then the worker dies."""
    put(message, State.SENDING)
    call(message, Came.STARTED, now, address=address_digest("ana@example.com"))
    event = report(message, payload, now)
    apply_at(now)
    event.refresh_from_db()
    assert event.applied_at is None
    assert event.try_after == now + MINUTE
    put(message, State.UNKNOWN, lease_token=None, lease_until=None)
    Attempt.objects.update(outcome=Came.UNKNOWN)
    apply_at(now + MINUTE)
    message.refresh_from_db()
    assert message.state == State.ACCEPTED
    assert message.delivery in ("delivered", "bounced")


@pytest.mark.parametrize("state", [State.SCHEDULED, State.CLAIMED])
@pytest.mark.parametrize("outcome", [Came.NOT_SENT, Came.UNKNOWN])
def test_what_seemed_not_to_have_arrived_and_did_does_not_go_twice(message, now, state, outcome):
    put(message, state)
    call(message, outcome, now - MINUTE)
    report(message, DELIVERED, now)
    apply_at(now)
    message.refresh_from_db()
    assert (message.state, message.accepted_at) == (State.ACCEPTED, now - MINUTE)
    assert (message.lease_token, message.delivery) == (None, "delivered")
    assert Attempt.objects.get().outcome == Came.ACCEPTED


def test_a_message_that_was_never_called_out_is_not_believed_to_be_sent(message, now):
    report(message, DELIVERED, now)
    apply_at(now)
    message.refresh_from_db()
    assert message.state == State.SCHEDULED


def test_a_refusal_is_no_reason_not_to_try_again(message, now):
    put(message, State.SCHEDULED)
    call(message, Came.NOT_SENT, now - MINUTE)
    report(message, REFUSED, now)
    apply_at(now)
    message.refresh_from_db()
    assert (message.state, message.delivery) == (State.SCHEDULED, "")


def test_a_refusal_resolves_what_is_unknown_and_silences_nobody(message, now):
    put(message, State.UNKNOWN)
    call(message, Came.UNKNOWN, now, address=address_digest("ana@example.com"))
    report(message, REFUSED, now)
    apply_at(now)
    message.refresh_from_db()
    assert (message.state, message.delivery) == (State.ACCEPTED, "bounced")
    assert not Suppression.objects.exists()


@pytest.mark.parametrize(
    ("claimed", "kept"),
    [
        (-HOUR, "accepted"),
        (MINUTE, "claimed"),
        (timedelta(days=400), "received"),
        (None, "received"),
    ],
    ids=["before we sent it", "in between", "in a year", "without a time"],
)
def test_a_time_that_cannot_be_is_not_believed(message, now, claimed, kept):
    put(message, State.ACCEPTED, accepted_at=now)
    at = None if claimed is None else now + claimed
    report(message, DELIVERED, now + HOUR, occurred_at=at)
    apply_at(now + HOUR)
    message.refresh_from_db()
    times = {"accepted": now, "claimed": now + MINUTE, "received": now + HOUR}
    assert message.delivered_at == times[kept]


def test_a_report_found_by_the_providers_id_is_tied_to_our_row(message, now):
    put(message, State.ACCEPTED, accepted_at=now, provider_message_id="pm-1")
    event = report(message, DELIVERED, now, message_ref="")
    apply_at(now)
    event.refresh_from_db()
    assert (event.message_ref, event.outcome) == (str(message.pk), "delivered")


def test_what_stops_an_address_is_in_the_audit_once(message, now):
    put(message, State.ACCEPTED, accepted_at=now)
    call(message, Came.ACCEPTED, now, address=address_digest("ana@example.com"))
    for _ in range(3):
        report(message, HARD, now)
    apply_at(now)
    entry = AuditEntry.objects.get(action="suppress address")
    assert (entry.actor, entry.object_id) == ("system", str(Suppression.objects.get().pk))


def test_a_wish_told_by_the_provider_is_told_to_staff_like_our_own_button(message, now):
    put(message, State.ACCEPTED, accepted_at=now)
    call(message, Came.ACCEPTED, now, address=address_digest("ana@example.com"))
    wish = {"recordtype": "SubscriptionChange", "suppressionreason": "ManualSuppression"}
    report(message, wish, now)
    apply_at(now)
    entry = AuditEntry.objects.get(action="unsubscribe")
    assert (entry.actor, entry.patient) == ("system", message.patient)


# -- Reports about nothing we know ------------------------------------------------------------


def test_a_report_is_looked_at_less_and_less_often_and_given_up_after_a_day(db, now):
    stray = Message(pk=uuid.uuid4())
    event, looks, at = report(stray, HARD, now), 0, now
    while event.applied_at is None:
        apply_at(at)
        event.refresh_from_db()
        looks, at = looks + 1, event.try_after
    assert event.outcome == "no such message"
    assert event.applied_at == now + 24 * HOUR
    assert looks == 13
    assert not Suppression.objects.exists()


# -- Notices ----------------------------------------------------------------------------------


@pytest.fixture
def responder(clinic, now) -> Member:
    member = make_member(clinic, Member.Role.CLINICIAN, now=now, email="on-call@north.example")
    Member.objects.filter(pk=member.pk).update(is_responder=True)
    return member


@pytest.fixture
def alert(clinic, now):
    return make_alert(clinic, now=now)


def history(alert) -> list[str]:
    return list(
        AlertEvent.objects.filter(alert=alert).order_by("pk").values_list("kind", flat=True)
    )


def test_a_notice_in_doubt_that_arrived_does_not_go_again(alert, responder, now):
    notice = make_notice(alert, responder, now=now, due_at=now + MINUTE)
    call(notice, Came.UNKNOWN, now)
    report(notice, DELIVERED, now)
    apply_at(now)
    notice.refresh_from_db()
    assert (notice.state, notice.accepted_at) == (State.ACCEPTED, now)
    assert history(alert) == ["notified"]
    assert Attempt.objects.get().outcome == Came.ACCEPTED


def test_a_notice_under_way_has_its_report_wait(alert, responder, now):
    notice = put(make_notice(alert, responder, now=now), State.SENDING)
    call(notice, Came.STARTED, now)
    event = report(notice, HARD, now)
    apply_at(now)
    event.refresh_from_db()
    assert event.applied_at is None
    assert history(alert) == []


@pytest.mark.parametrize("payload", [HARD, SOFT, REFUSED], ids=["hard", "soft", "refused"])
def test_a_notice_that_came_back_is_told_to_somebody_else_at_the_next_tick(
    alert, responder, clinic, now, payload
):
    backup = make_member(clinic, Member.Role.ADMIN, now=now, email="backup@north.example")
    notices.create_due(now=now)
    notice = put(Notice.objects.get(), State.ACCEPTED, accepted_at=now)
    call(notice, Came.ACCEPTED, now)
    assert notices.create_due(now=now) == 0  # as long as it seems to have arrived
    report(notice, payload, now)
    apply_at(now)
    notices.create_due(now=now + MINUTE)
    told = set(Notice.objects.filter(state=State.SCHEDULED).values_list("member", flat=True))
    assert backup.pk in told
    assert responder.pk not in told


def test_one_bounce_that_is_reported_in_two_words_is_one_line(alert, responder, now):
    notice = put(make_notice(alert, responder, now=now), State.ACCEPTED, accepted_at=now)
    call(notice, Came.ACCEPTED, now)
    report(notice, HARD, now)
    on_the_list = {"recordtype": "SubscriptionChange", "suppressionreason": "HardBounce"}
    report(notice, on_the_list, now + MINUTE)
    apply_at(now + HOUR)
    assert history(alert) == ["not_delivered"]


def test_the_next_rounds_bounce_is_a_line_of_its_own(alert, responder, now):
    for nth in range(2):
        at = now + nth * HOUR
        notice = put(make_notice(alert, responder, now=at, nth=nth), State.ACCEPTED, accepted_at=at)
        call(notice, Came.ACCEPTED, at)
        report(notice, HARD, at)
        apply_at(at)
    assert history(alert) == ["not_delivered"] * 2


def test_a_bounced_notice_stops_no_patient_and_no_member(alert, responder, now):
    notice = put(make_notice(alert, responder, now=now), State.ACCEPTED, accepted_at=now)
    report(notice, {"recordtype": "SpamComplaint"}, now)
    apply_at(now)
    assert not Suppression.objects.exists()


# -- Cost -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "queries"),
    [
        # begin, event, message, what it says, event; commit
        ({"recordtype": "Open"}, 3),
        ({**SOFT, "type": "Transient"}, 4),
        (DELIVERED, 5),
        (SOFT, 8),
        (HARD, 18),
    ],
    ids=["opened", "deferred", "delivered", "soft", "hard"],
)
def test_a_report_costs_few_queries(message, now, payload, queries, django_assert_num_queries):
    put(message, State.ACCEPTED, accepted_at=now)
    call(message, Came.ACCEPTED, now, address=address_digest("ana@example.com"))
    pk = report(message, payload, now).pk
    with django_assert_num_queries(queries + 2):  # its savepoint, here in a test
        delivery.apply(pk, now=now)


def flood(message, now, many: int) -> None:
    rows = [
        ProviderEvent(
            provider="postmark", dedupe_key=str(n), kind="delivered", payload=DELIVERED,
            message_ref=str(message.pk), occurred_at=now, received_at=now, try_after=now,
        )
        for n in range(many)
    ]  # fmt: skip
    ProviderEvent.objects.bulk_create(rows)


@pytest.mark.slow
def test_a_flood_is_taken_in_bounded_batches_by_one_drain(
    message, now, django_assert_max_num_queries
):
    put(message, State.ACCEPTED, accepted_at=now)
    many = 5 * delivery.BATCH + 1
    flood(message, now, many)
    with django_assert_max_num_queries(many * 7 + 7) as spent:
        assert apply_at(now) == many
    looks = [query["sql"] for query in spent if f"LIMIT {delivery.BATCH}" in query["sql"]]
    assert len(looks) == 7  # six with something in them
    assert not ProviderEvent.objects.filter(applied_at=None).exists()


def test_a_drain_that_is_stopped_or_out_of_time_leaves_the_rest(message, now):
    put(message, State.ACCEPTED, accepted_at=now)
    flood(message, now, delivery.BATCH + 1)
    assert delivery.drain_events(clock=lambda: now, stop=lambda: True) == 0
    assert delivery.drain_events(clock=lambda: now, seconds=0) == 0
    turns = iter([False, True])
    assert delivery.drain_events(clock=lambda: now, stop=lambda: next(turns)) == delivery.BATCH
    assert apply_at(now) == 1
