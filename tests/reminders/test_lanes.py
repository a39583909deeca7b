"""The circuit: an outage leaves a handful of `unknown`; one message finds out when it ends."""

from datetime import timedelta

import pytest

from devtools.servers import smtp
from reminders import claiming, lanes
from reminders.lanes import Admission
from reminders.models import Lane, Message, State
from reminders.outcomes import Came, Outcome, Way, accepted, never_called
from tests.builders import make_course
from tests.reminders.letters import drain_at, make_message

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
DOUBT = Outcome(Came.UNKNOWN, Way.DOUBTFUL, error="ReadTimeout")
BARRED = Outcome(Came.NOT_SENT, Way.BARRED, error="401")
THROTTLED = Outcome(Came.NOT_SENT, Way.THROTTLED, wait=7 * SECOND)


def note(*outcomes, now, probing=False):
    for outcome in outcomes:
        lanes.note("smtp", outcome, probing=probing, now=now)


def admitted(now) -> Admission:
    return lanes.admit("smtp", now=now)


def test_a_lane_that_works_is_never_written_down(now):
    note(accepted("x"), never_called("x"), accepted("y"), now=now)
    assert not Lane.objects.exists()
    assert admitted(now) is Admission.FREE


def test_one_doubt_opens_nothing_and_an_answer_forgets_it(now):
    note(DOUBT, accepted("x"), now=now)
    assert admitted(now) is Admission.FREE
    note(DOUBT, now=now)
    assert admitted(now) is Admission.WARY


def test_two_doubts_in_a_row_open_the_circuit_for_thirty_seconds(now):
    note(DOUBT, DOUBT, now=now)
    assert admitted(now) is Admission.NONE
    assert admitted(now + 30 * SECOND - timedelta(microseconds=1)) is Admission.NONE
    assert admitted(now + 30 * SECOND) is Admission.PROBE


def test_only_one_worker_probes(now):
    note(DOUBT, DOUBT, now=now)
    later = now + 30 * SECOND
    assert [admitted(later), admitted(later)] == [Admission.PROBE, Admission.NONE]


def test_each_failed_probe_doubles_the_pause_up_to_ten_minutes(now):
    note(DOUBT, DOUBT, now=now)
    pauses = []
    for _ in range(7):
        until = Lane.objects.get().paused_until
        assert until is not None
        pauses.append((until - now).total_seconds())
        now = until
        Lane.objects.update(paused_until=now)
        note(DOUBT, now=now, probing=True)
    assert pauses == [30, 60, 120, 240, 480, 600, 600]


def test_what_ends_late_neither_doubles_the_pause_nor_closes_the_circuit(now):
    """Eight calls under way when it opened must not make four minutes out of thirty seconds."""
    note(DOUBT, DOUBT, *[DOUBT] * 6, BARRED, THROTTLED, accepted("x"), now=now)
    lane = Lane.objects.get()
    assert (lane.opened, lane.paused_until) == (1, now + 30 * SECOND)


def test_one_answer_closes_it(now):
    note(DOUBT, DOUBT, now=now)
    later = now + 30 * SECOND
    admitted(later)
    note(accepted("x"), now=later, probing=True)
    assert admitted(later) is Admission.FREE
    assert Lane.objects.get().reason == ""


def test_a_probe_that_found_nothing_to_send_lets_the_next_try(now):
    note(DOUBT, DOUBT, now=now)
    later = now + 30 * SECOND
    admitted(later)
    lanes.hand_back("smtp", now=later)
    assert admitted(later) is Admission.PROBE


def test_a_provider_that_asks_to_wait_is_waited_for(now):
    note(THROTTLED, now=now)
    assert admitted(now + 6 * SECOND) is Admission.NONE
    assert admitted(now + 7 * SECOND) is Admission.FREE


def test_an_answer_to_an_earlier_call_does_not_end_the_wait_it_asked_for(now):
    note(DOUBT, THROTTLED, accepted("began before"), now=now)
    assert admitted(now + 6 * SECOND) is Admission.NONE
    assert admitted(now + 7 * SECOND) is Admission.FREE


def test_wrong_credentials_open_it_at_once_and_the_operator_is_told_once(now, caplog):
    note(BARRED, now=now)
    assert admitted(now) is Admission.NONE
    note(BARRED, BARRED, now=now + 30 * SECOND, probing=True)
    told = [record for record in caplog.records if record.levelname == "ERROR"]
    assert len(told) == 1


def test_a_closed_lane_is_seen_just_before_each_call(now):
    assert lanes.is_open("smtp", now=now)
    note(BARRED, now=now)
    assert not lanes.is_open("smtp", now=now)


def test_an_outage_leaves_a_handful_of_unknown_and_the_rest_waits(
    clinic, mail_server, settings, now
):
    settings.MAIL_CONNECTIONS = 1
    for n in range(8):
        make_message(make_course(clinic, now=now, mrn=f"M{n}", name=f"P {n}"), now=now)
    mail_server.answer = smtp.TAKE_AND_HANG_UP
    for seconds in range(0, 60, 5):
        drain_at(now + seconds * SECOND)
    assert Message.objects.filter(state=State.UNKNOWN).count() == 3  # two, and one probe
    assert Message.objects.filter(state=State.SCHEDULED).count() == 5
    mail_server.answer = smtp.TAKE
    drain_at(now + 600 * SECOND)
    assert Message.objects.filter(state=State.ACCEPTED).count() == 5
    assert len(mail_server.messages) == 8


def test_a_circuit_that_another_drain_opens_during_the_claim_is_heeded(
    clinic, mailoutbox, monkeypatch, now
):
    """Its stamp cannot show it: the lane was paused already when the batch was read."""
    for n in range(3):
        make_message(make_course(clinic, now=now, mrn=f"M{n}", name=f"P {n}"), now=now)
    take_next = claiming.take_next

    def taken_while_it_opens(*args, **more):
        lanes.note("locmem", DOUBT, now=now)
        lanes.note("locmem", DOUBT, now=now)
        return take_next(*args, **more)

    monkeypatch.setattr(claiming, "take_next", taken_while_it_opens)
    drain_at(now)
    assert not mailoutbox
    assert set(Message.objects.values_list("state", flat=True)) == {State.SCHEDULED}
