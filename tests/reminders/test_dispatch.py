"""From claim to settle: one message at a time against a real mail server that can misbehave."""

import threading
import uuid
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction

from clinic import enrolment
from clinic.models import Course, Infusion
from devtools.servers import smtp
from reminders import (
    calling,
    claiming,
    dispatch,
    emails,
    intending,
    rereading,
    settling,
    statements,
)
from reminders.claiming import LEASE
from reminders.models import Attempt, Lane, Message, Notice, State, Suppression
from reminders.outcomes import accepted, never_called
from reminders.suppression import why_not
from surveys.models import AlertEvent, FollowUp, StepDue
from tests.builders import BY_TEST, make_course
from tests.reminders.backends import Watching
from tests.reminders.letters import (
    HOUR,
    drain_at,
    intended,
    make_alert,
    make_message,
    make_notice,
    prepared_at,
    send_prepared,
)
from tests.surveys.follow_ups import make_follow_up

Came = Attempt.Outcome


def state_of(row) -> str:
    row.refresh_from_db()
    return row.state


def the_attempt() -> Attempt:
    return Attempt.objects.get()


# -- The good way -----------------------------------------------------------------------------


def test_a_due_message_is_sent_once(message, mail_server, now):
    assert drain_at(now) == 1
    assert drain_at(now) == 0
    message.refresh_from_db()
    assert (message.state, message.accepted_at) == (State.ACCEPTED, now)
    assert message.lease_token is None
    assert message.capped_on == date(2026, 3, 3)
    (received,) = mail_server.messages
    assert received.recipients == ("ana@example.com",)
    assert message.provider_message_id == received.message["Message-ID"]


def test_an_attempt_is_written_before_the_call_and_holds_no_mail(message, mail_server, now):
    drain_at(now)
    attempt = the_attempt()
    assert (attempt.outcome, attempt.n, attempt.lane) == (Came.ACCEPTED, 1, "smtp")
    assert len(attempt.payload_sha256) == 64
    assert attempt.template_version == emails.version("invitation")
    assert "http" not in str(attempt.inputs)
    assert "ana@" not in str(attempt.inputs)


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_the_provider_is_called(message, now, settings):
    settings.EMAIL_BACKEND = "tests.reminders.backends.Watching"
    Watching.open_transactions.clear()
    assert drain_at(now) == 1
    assert Watching.open_transactions == [False]


def test_what_was_sent_has_been_asked(message, mail_server, now):
    """In the transaction that settles; what follows from it is the planner's business."""
    drain_at(now)
    assert set(StepDue.objects.values_list("state", flat=True)) == {StepDue.State.ASKED}


def test_one_connection_serves_a_whole_drain(clinic, mail_server, caplog, settings, now):
    settings.MAIL_CONNECTIONS = 1
    for n in range(3):
        make_message(make_course(clinic, now=now, mrn=f"M{n}", name=f"P {n}"), now=now)
    assert drain_at(now) == 3
    assert len(mail_server.messages) == 3
    assert sum("handling connection" in line for line in caplog.messages) == 1


def test_on_hold_nothing_is_even_claimed(message, mail_server, settings, now):
    settings.MAIL_MODE = "hold"
    assert drain_at(now) == 0
    message.refresh_from_db()
    assert (message.state, message.claims) == (State.SCHEDULED, 0)


def test_redirected_mail_reaches_only_the_one_address(message, mail_server, settings, now):
    settings.MAIL_MODE = "redirect:operator@example.org"
    drain_at(now)
    (received,) = mail_server.messages
    assert received.recipients == ("operator@example.org",)


def test_a_stop_comes_before_the_next_intent(clinic, mail_server, settings, now):
    settings.MAIL_CONNECTIONS = 1
    messages = [
        make_message(make_course(clinic, now=now, mrn=f"M{n}", name=f"P {n}"), now=now)
        for n in range(3)
    ]
    dispatch.drain(clock=lambda: now, stop=lambda: len(mail_server.messages) >= 1)
    assert sorted(state_of(each) for each in messages) == ["accepted", "scheduled", "scheduled"]


# -- The gate, on real rows -------------------------------------------------------------------


def _finish(message, now):
    FollowUp.objects.update(finished_at=now)


def _withdraw(message, now):
    enrolment.withdraw(message.patient, by=BY_TEST, now=now)


def _die(message, now):
    enrolment.mark_deceased(message.patient, by=BY_TEST, now=now)


def _suppress(message, now):
    Suppression.objects.create(
        clinic=message.clinic,
        patient=message.patient,
        address_digest="another mailbox",
        reason=Suppression.Reason.UNSUBSCRIBED,
        since=now,
    )


def _close(message, now):
    FollowUp.objects.update(closes_at=now)


def _lose_the_address(message, now):
    message.patient.email = ""
    message.patient.save()


@pytest.mark.parametrize(
    "happening", [_finish, _withdraw, _die, _suppress, _close, _lose_the_address]
)
@pytest.mark.parametrize("claimed", [False, True], ids=["while it waited", "after the claim"])
def test_what_happened_since_it_was_planned_stops_it(message, mail_server, happening, claimed, now):
    batch = prepared_at(now) if claimed else []
    happening(message, now)
    send_prepared(batch, now=now)
    drain_at(now)
    message.refresh_from_db()
    assert message.state in (State.CANCELLED, State.SUPPRESSED, State.EXPIRED, State.SKIPPED)
    assert message.reason
    assert not mail_server.messages
    assert not Attempt.objects.exists()


def test_a_soft_reason_against_another_address_does_not_stop_it(message, mail_server, now):
    Suppression.objects.create(
        clinic=message.clinic,
        patient=message.patient,
        address_digest="another mailbox",
        reason=Suppression.Reason.HARD_BOUNCE,
        since=now,
    )
    assert drain_at(now) == 1


def test_quiet_hours_are_those_of_where_the_patient_lives_now(message, mail_server, now):
    """Nine in Chicago when it was planned; the patient has moved to Honolulu, where it is five."""
    message.patient.zone = "Pacific/Honolulu"
    message.patient.save()
    assert drain_at(now) == 0
    message.refresh_from_db()
    eight = datetime(2026, 3, 3, 8, tzinfo=ZoneInfo("Pacific/Honolulu"))
    assert (message.state, message.due_at) == (State.SCHEDULED, eight)
    assert message.reason == "quiet hours"


def test_the_morning_after_an_infusion_is_waited_for(message, mail_server, now):
    course = Course.objects.get()
    Infusion.objects.create(
        course=course, started_at=now - HOUR, status="completed", recorded_at=now
    )
    assert drain_at(now) == 0
    message.refresh_from_db()
    assert message.due_at == datetime(2026, 3, 4, 14, tzinfo=message.due_at.tzinfo)


def test_one_message_a_day_for_each_patient(course, mail_server, now):
    first = make_message(course, now=now)
    other = make_follow_up(course, ["gad7"], now=now - 30 * HOUR, closes=timedelta(days=9))
    second = make_message(course, now=now, follow_up=other, not_after=now + 60 * HOUR)
    assert drain_at(now) == 1
    assert {state_of(first), state_of(second)} == {State.ACCEPTED, State.SCHEDULED}
    waiting = first if first.state == State.SCHEDULED else second
    assert waiting.due_at.date() == date(2026, 3, 4)


def test_the_database_itself_refuses_a_second_message_of_the_day(course, now):
    day = date(2026, 3, 3)
    make_message(course, now=now, capped_on=day)
    other = make_follow_up(course, ["gad7"], now=now - 30 * HOUR)
    with pytest.raises(IntegrityError):
        make_message(course, now=now, follow_up=other, capped_on=day)


def test_an_older_plan_is_brought_up_to_date_before_anything_goes(message, mail_server, now):
    Course.objects.all().touch(now)
    batch = prepared_at(now)
    with transaction.atomic():
        reread = rereading.message(batch[0].row, now=now)
    assert reread is not None
    assert reread.outdated(now)
    send_prepared(batch, now=now)
    assert not mail_server.messages, "the planner knows no such step and takes it back"
    assert state_of(message) != State.SCHEDULED or message.due_at > now


def test_a_row_that_cannot_be_prepared_neither_blocks_nor_spins(clinic, mail_server, now):
    bad = make_message(make_course(clinic, now=now, mrn="M1", name="P 1", language="en"), now=now)
    good = make_message(make_course(clinic, now=now, mrn="M2", name="P 2"), now=now)
    Message.objects.filter(pk=bad.pk).update(due_at=now - HOUR)
    FollowUp.objects.filter(pk=bad.follow_up_id).update(link_key_id="retired")
    assert drain_at(now) == 1
    assert state_of(good) == State.ACCEPTED
    bad.refresh_from_db()
    assert (bad.state, bad.due_at) == (State.SCHEDULED, now + intending.PUZZLE)
    assert bad.reason == "cannot be prepared: KeyError"


# -- The provider misbehaves ------------------------------------------------------------------


def test_a_refused_address_is_rejected_and_not_written_to_again(message, mail_server, now):
    mail_server.refused["ana@example.com"] = "550 5.1.1 no such mailbox"
    drain_at(now)
    message.refresh_from_db()
    assert (message.state, message.capped_on) == (State.REJECTED, None)
    assert the_attempt().outcome == Came.REJECTED
    assert Suppression.objects.get().reason == Suppression.Reason.REFUSED


def test_redirected_mail_that_is_refused_says_nothing_about_the_patient(
    message, mail_server, settings, now
):
    settings.MAIL_MODE = "redirect:operator@example.org"
    mail_server.refused["operator@example.org"] = "550 5.1.1 no such mailbox"
    drain_at(now)
    assert state_of(message) == State.REJECTED
    assert why_not(message.patient) == ""


def test_a_server_that_is_busy_gets_the_message_later(message, mail_server, now):
    mail_server.next_answers.append("451 try again later")
    drain_at(now)
    message.refresh_from_db()
    assert (message.state, message.attempts) == (State.SCHEDULED, 1)
    assert message.due_at == now + settling.FIRST_BACKOFF
    assert message.capped_on is None
    drain_at(message.due_at)
    assert state_of(message) == State.ACCEPTED
    assert [a.outcome for a in Attempt.objects.order_by("n")] == [Came.NOT_SENT, Came.ACCEPTED]


def test_after_eight_such_answers_it_has_failed(message, mail_server, now):
    mail_server.answer = "451 try again later"
    Message.objects.update(attempts=7)
    drain_at(now)
    assert state_of(message) == State.FAILED


@pytest.mark.slow
@pytest.mark.parametrize("behaviour", [smtp.TAKE_AND_HANG_UP, smtp.TAKE_AND_SAY_NOTHING])
def test_a_mail_that_was_taken_without_a_word_is_unknown_and_stays(
    message, mail_server, settings, behaviour, now
):
    settings.EMAIL_TIMEOUT = 1
    mail_server.next_answers.append(behaviour)
    assert drain_at(now) == 1
    for later in range(1, 20):
        drain_at(now + later * HOUR)
    message.refresh_from_db()
    assert (message.state, message.capped_on) == (State.UNKNOWN, date(2026, 3, 3))
    assert the_attempt().outcome == Came.UNKNOWN
    assert len(mail_server.messages) == 1


def test_with_nobody_listening_no_attempt_is_used_up(message, settings, now):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    drain_at(now)
    message.refresh_from_db()
    assert (message.state, message.attempts, message.due_at) == (State.SCHEDULED, 0, now)
    assert not Attempt.objects.exists()
    assert Lane.objects.get().opened == 1


# -- Crashes ----------------------------------------------------------------------------------


class Died(BaseException):
    """What a killed worker leaves behind is what this leaves behind: no code after it runs."""


def _dying(monkeypatch, where, name):
    def die(*args, **kwargs):
        raise Died

    monkeypatch.setattr(where, name, die)


@pytest.mark.parametrize(
    ("where", "name", "left", "then", "received"),
    [
        pytest.param(
            intending, "intend_all", State.CLAIMED, State.ACCEPTED, 1, id="between claim and gate"
        ),
        pytest.param(
            statements, "intend", State.CLAIMED, State.ACCEPTED, 1, id="inside the intent"
        ),
        pytest.param(
            calling, "call", State.SENDING, State.UNKNOWN, 0, id="between intent and call"
        ),
        pytest.param(
            dispatch, "settle_all", State.SENDING, State.UNKNOWN, 1, id="between call and settle"
        ),
        pytest.param(
            statements, "end_attempts", State.SENDING, State.UNKNOWN, 1, id="inside the settling"
        ),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_a_crash_never_sends_twice(
    message, mail_server, monkeypatch, where, name, left, then, received, now
):
    with monkeypatch.context() as broken:
        _dying(broken, where, name)
        with pytest.raises(Died):
            drain_at(now)
    assert state_of(message) == left
    later = now + LEASE
    claiming.release_abandoned(now=later)
    settling.settle_abandoned(now=later)
    drain_at(later)
    drain_at(later + HOUR)
    assert state_of(message) == then
    assert len(mail_server.messages) == received


def test_before_its_lease_is_over_a_sending_is_left_alone(message, now):
    intended(message, now)
    just_before = now + LEASE - timedelta(microseconds=1)
    assert settling.settle_abandoned(now=just_before) == 0
    assert state_of(message) == State.SENDING


def test_a_settlement_with_a_lost_lease_is_refused(message, now):
    intent = intended(message, now)
    Message.objects.update(lease_token=uuid.uuid4())  # somebody else holds it
    assert not settling.settle(intent.call, accepted("abc"), now=now)
    message.refresh_from_db()
    assert (message.state, message.provider_message_id) == (State.SENDING, "")
    assert the_attempt().outcome == Came.STARTED


def test_what_a_late_worker_saw_is_evidence_about_the_unknown(message, now):
    intent = intended(message, now)
    settling.settle_abandoned(now=now + LEASE)
    assert state_of(message) == State.UNKNOWN
    assert not settling.settle(intent.call, accepted("abc"), now=now + LEASE)
    message.refresh_from_db()
    assert (message.state, message.provider_message_id) == (State.ACCEPTED, "abc")
    assert the_attempt().outcome == Came.ACCEPTED


def test_who_never_called_may_take_back_what_became_unknown(message, mail_server, now):
    intent = intended(message, now)
    settling.settle_abandoned(now=now + LEASE)
    settling.settle(intent.call, never_called("held up"), now=now + LEASE)
    message.refresh_from_db()
    assert (message.state, message.capped_on) == (State.SCHEDULED, None)
    assert the_attempt().outcome == Came.NOT_SENT
    drain_at(now + LEASE)
    assert state_of(message) == State.ACCEPTED


def test_a_process_that_slept_through_its_lease_does_not_send_on_waking(
    message, mail_server, monkeypatch, now
):
    monkeypatch.setattr(calling, "HELD_UP_SECONDS", 0)
    send_prepared(prepared_at(now), now=now)
    assert not mail_server.messages
    assert state_of(message) == State.SCHEDULED
    assert the_attempt().outcome == Came.NOT_SENT


def test_the_database_refuses_a_second_call_while_one_is_unresolved(message, now):
    intended(message, now)
    with pytest.raises(IntegrityError), transaction.atomic():
        Attempt.objects.create(
            message=message,
            n=2,
            started_at=now,
            lane="smtp",
            idempotency_key=uuid.uuid4(),
            template_version="x",
        )


@pytest.mark.django_db(transaction=True)
def test_many_drains_at_once_send_each_message_once(clinic, mail_server, now):
    messages = [
        make_message(make_course(clinic, now=now, mrn=f"M{n}", name=f"P {n}"), now=now)
        for n in range(12)
    ]

    def work() -> None:
        try:
            drain_at(now)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert {state_of(each) for each in messages} == {State.ACCEPTED}
    assert len(mail_server.messages) == len(messages)


# -- Notices ----------------------------------------------------------------------------------


@pytest.fixture
def notice(clinic, clinician, now) -> Notice:
    return make_notice(make_alert(clinic, now=now), clinician, now=now)


def test_a_notice_goes_in_the_middle_of_the_night_and_is_written_down(notice, mail_server, now):
    night = now + 12 * HOUR
    drain_at(night)
    assert state_of(notice) == State.ACCEPTED
    event = AlertEvent.objects.get()
    assert (event.kind, event.member_id) == (AlertEvent.Kind.NOTIFIED, notice.member_id)


def test_a_notice_that_may_not_have_gone_goes_again(notice, mail_server, now):
    mail_server.next_answers.append(smtp.TAKE_AND_HANG_UP)
    drain_at(now)
    notice.refresh_from_db()
    assert (notice.state, notice.due_at) == (State.SCHEDULED, now + settling.NOTICE_AGAIN)
    drain_at(notice.due_at)
    assert state_of(notice) == State.ACCEPTED
    assert len(mail_server.messages) == 2
    first, second = mail_server.messages
    assert first.message["Message-ID"] == second.message["Message-ID"]


def test_a_notice_whose_worker_died_goes_again(notice, mail_server, now):
    intended(notice, now)
    settling.settle_abandoned(now=now + LEASE)
    notice.refresh_from_db()
    assert notice.state == State.SCHEDULED


def test_a_refused_notice_is_in_the_alerts_history(notice, mail_server, now):
    mail_server.refused[notice.member.user.email] = "550 5.1.1 no such mailbox"
    drain_at(now)
    assert state_of(notice) == State.REJECTED
    assert AlertEvent.objects.get().kind == AlertEvent.Kind.NOT_DELIVERED


def test_an_alert_that_was_taken_needs_no_notice(notice, mail_server, clinician, now):
    alert = notice.alert
    alert.owner, alert.taken_at = clinician, now
    alert.save()
    drain_at(now)
    assert state_of(notice) == State.CANCELLED
    assert not mail_server.messages
