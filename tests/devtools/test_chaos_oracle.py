"""The storm's judge sees each kind of broken promise, and none where there is none."""

from dataclasses import replace
from datetime import UTC, date, datetime, time

import pytest

from devtools.chaos import journal, oracle, roll
from devtools.chaos.facts import AttemptFacts, Evidence, MessageFacts, PatientFacts
from devtools.chaos.journal import Act
from devtools.servers.emulator.ledger import ACCEPTED, REFUSED, REPLAYED, Line
from devtools.servers.emulator.moods import CALM

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp()
HOUR = 3600.0
PATIENT = PatientFacts("p", roll.PLAIN, "Etc/UTC", quiet_from=time(21), quiet_until=time(8))
ATTEMPT = AttemptFacts(started=NOON, ended=NOON + 0.2, outcome="accepted")
MESSAGE = MessageFacts(
    id="m",
    patient="p",
    follow_up="f",
    state="accepted",
    due=NOON,
    not_after=NOON + HOUR,
    reason="",
    asked_for=False,
    provider_id="x",
    attempts=(ATTEMPT,),
)
LINE = Line(
    kind=ACCEPTED, at=NOON + 0.1, arrived=NOON + 0.1, answer="YES", mood=CALM, phase=0, ref="m",
    to="p@mail.example", id="x",
)  # fmt: skip


def evidence(*messages, ledger=(LINE,), acts=(), patient=PATIENT, **more) -> Evidence:
    return Evidence(
        patients={patient.id: patient},
        messages=messages or (MESSAGE,),
        ledger=ledger,
        acts=acts,
        judged_at=NOON + 2 * HOUR,
        connections=4,
        **more,
    )


def told(*messages, **more) -> list[str]:
    return [f"{v.rule} {v.what}" for v in oracle.judge(evidence(*messages, **more))]


def outcome(state: str, *outcomes: str, reason: str = "why") -> MessageFacts:
    attempts = tuple(replace(ATTEMPT, outcome=each) for each in outcomes)
    return replace(MESSAGE, state=state, reason=reason, attempts=attempts)


def act(kind: str, seconds: float, detail: str = "", took: float | None = 0.1) -> Act:
    """`seconds` is when it was committed, counted from the attempt."""
    ended = None if took is None else NOON + seconds
    return Act(kind, "p", NOON + seconds - (took or 0), ended, detail)


def test_one_mail_that_was_sent_once_is_as_promised():
    assert told() == []


# -- I1 ---------------------------------------------------------------------------------------


def test_a_message_that_the_provider_took_twice_is_seen():
    assert "I1 accepted 2 times by the provider" in told(ledger=(LINE, replace(LINE, id="y")))


def test_a_call_repeated_under_its_key_is_no_second_mail():
    assert told(ledger=(LINE, replace(LINE, kind=REPLAYED))) == []


def test_what_a_person_sent_again_may_have_gone_twice():
    again = outcome("accepted", "abandoned", "accepted", reason="")
    assert told(again, ledger=(LINE, replace(LINE, id="y"))) == []
    assert "I1 accepted 3 times by the provider" in told(again, ledger=(LINE,) * 3)


def of_notice(*outcomes: str, calls: int) -> list[str]:
    attempts = tuple(replace(ATTEMPT, outcome=each) for each in outcomes)
    lines = (LINE, *(replace(LINE, ref="n") for _ in range(calls)))
    return told(ledger=lines, notices={"n": attempts})


def test_a_notice_may_go_again_after_a_doubt_and_never_after_a_yes():
    assert of_notice("unknown", "accepted", calls=2) == []
    assert of_notice("unknown", "accepted", calls=1) == []
    assert "I1 a notice accepted 2 times" in of_notice("accepted", "accepted", calls=2)
    assert of_notice("accepted", calls=2) == ["I4 a notice: 1 accepted, 0 unknown, 2 in the log"]
    assert of_notice("accepted", calls=0) == ["I4 a notice: 1 accepted, 0 unknown, 0 in the log"]


def test_a_notice_must_go():
    assert told(unsettled_notices=["n"]) == ["I2 a notice that is still due"]


# -- I2 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "seen"),
    [
        (outcome("claimed"), "I2 left claimed"),
        (outcome("sending", "started"), "I2 left sending"),
        (replace(MESSAGE, state="scheduled", attempts=()), "I2 still due: no reason"),
        (outcome("cancelled", reason=""), "I2 cancelled without a reason"),
        (outcome("expired"), "I2 never went: expired (why)"),
    ],
)
def test_a_message_that_is_lost_is_seen(message, seen):
    assert seen in told(message, ledger=())


def test_a_message_due_exactly_when_it_is_judged_should_have_gone():
    moved = replace(outcome("scheduled"), due=NOON + 2 * HOUR)
    touched = (act(journal.AWAY, 1),)
    assert "I2 still due: why" in told(moved, ledger=(), acts=touched)
    later = replace(moved, due=moved.due + 0.001)
    assert told(later, ledger=(), acts=touched) == []


def test_a_message_that_does_not_go_needs_something_that_happened():
    withdrawn = outcome("cancelled", reason="patient withdrawn")
    assert told(withdrawn, ledger=(), acts=(act(journal.WITHDRAW, 1),)) == []
    assert "I2 never went: cancelled (patient withdrawn)" in told(withdrawn, ledger=())


def test_an_address_that_the_provider_refused_is_no_loss():
    line = replace(LINE, kind=REFUSED, answer="NO_ADDRESS")
    assert told(outcome("rejected", "rejected"), ledger=(line,)) == []


def test_a_patient_without_any_message_is_seen():
    other = replace(MESSAGE, patient="q")
    assert "I2 patient p has no message any more" in told(other)


# -- I3 ---------------------------------------------------------------------------------------


def sent_at(at: float) -> tuple[MessageFacts, Line]:
    attempt = replace(ATTEMPT, started=at, ended=at + 0.2)
    message = replace(MESSAGE, attempts=(attempt,), not_after=at + HOUR)
    return message, replace(LINE, at=at + 0.1, arrived=at + 0.1)


@pytest.mark.parametrize(
    ("wall", "quiet"),
    [(time(20, 59, 59), False), (time(21), True), (time(3), True), (time(7, 59, 59), True),
     (time(8), False)],
)  # fmt: skip
def test_mail_in_quiet_hours_is_seen_to_the_second(wall, quiet):
    message, line = sent_at(datetime.combine(date(2026, 11, 25), wall, UTC).timestamp())
    assert ("I3 sent in quiet hours of Etc/UTC" in told(message, ledger=(line,))) is quiet


def test_quiet_hours_are_those_of_the_zone_the_patient_was_in():
    tokyo = (act(journal.REZONE, -5, "Etc/UTC>Asia/Tokyo"),)  # where it is 21:00 then
    there = replace(PATIENT, zone="Asia/Tokyo")
    assert told(acts=tokyo, patient=there) == ["I3 sent in quiet hours of Asia/Tokyo"]
    later = (act(journal.REZONE, 5, "Etc/UTC>Asia/Tokyo"),)
    assert told(acts=later, patient=there) == []
    in_doubt = (act(journal.REZONE, -5, "", took=None),)
    assert told(acts=in_doubt, patient=there) == []


def test_mail_after_its_last_moment_is_seen():
    assert told(replace(MESSAGE, not_after=NOON)) == []
    late = replace(MESSAGE, not_after=NOON - 1)
    assert told(late) == ["I3 sent 1.00 s after its last moment"]


@pytest.mark.parametrize("kind", [journal.WITHDRAW, journal.UNSUBSCRIBE, journal.AWAY])
def test_an_intent_after_what_ended_it_is_seen(kind):
    assert told(acts=(act(kind, -1),)) == [f"I3 intent 1.00 s after: {kind}"]
    assert told(acts=(act(kind, 1),)) == [], "the mail was on its way already"
    assert told(acts=(act(kind, -1, took=None),)) == [], "nobody knows whether that was committed"


def test_answers_end_the_mail_of_their_own_follow_up_alone():
    assert told(acts=(act(journal.COMPLETE, -1, "f"),)) == ["I3 intent 1.00 s after: complete"]
    assert told(acts=(act(journal.COMPLETE, -1, "g"),)) == []


def test_what_was_moved_away_and_back_may_go():
    acts = (act(journal.AWAY, -9), act(journal.BACK, -2))
    assert told(acts=acts) == []
    assert told(acts=(*acts, act(journal.AWAY, -1))) == ["I3 intent 1.00 s after: away"]


def test_an_intent_may_wait_for_whoever_moves_the_follow_up_back():
    away = act(journal.AWAY, -9)
    assert told(acts=(away, act(journal.BACK, 1.9, took=0.1))) == []
    assert told(acts=(away, act(journal.BACK, 2.2, took=0.1))) == ["I3 intent 9.00 s after: away"]


def test_a_call_made_again_is_judged_by_when_it_was_made():
    """Intended at noon, in doubt, made again a minute later and taken then."""
    late = NOON + 60
    message = replace(MESSAGE, attempts=(replace(ATTEMPT, ended=late + 0.2, replays=1),))
    line = replace(LINE, at=late, arrived=late)
    assert told(message, ledger=(line,), acts=(act(journal.WITHDRAW, 55),)) == []
    gone = told(message, ledger=(line,), acts=(act(journal.WITHDRAW, 30),))
    assert gone == ["I3 intent 23.50 s after: withdraw"]


def test_a_call_that_was_never_made_breaks_nothing():
    quiet = outcome("cancelled", "not_sent")
    assert told(quiet, ledger=(), acts=(act(journal.WITHDRAW, -1),)) == []


# -- I4 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "ledger", "seen"),
    [
        (MESSAGE, (), "I4 recorded as accepted, not in the provider's log"),
        (outcome("failed", "failed"), (LINE,), "I4 recorded as not sent, taken by the provider"),
        (outcome("failed", "not_sent"), (LINE,), "I4 the provider has it, we recorded: not_sent"),
        (outcome("rejected", "rejected"), (LINE,), "I4 the provider has it, we recorded: rejected"),
        (outcome("cancelled"), (LINE,), "I4 the provider has it, we recorded: no attempt"),
        (outcome("unknown", "started"), (LINE,), "I4 an attempt that never ended"),
        (outcome("accepted", "unknown"), (LINE,), "I4 accepted without such an attempt"),
        (outcome("expired", "unknown"), (LINE,), "I4 an accepted or unknown attempt, but expired"),
    ],
)
def test_a_record_that_differs_from_the_providers_is_seen(message, ledger, seen):
    assert any(line.startswith(seen) for line in told(message, ledger=ledger))


def test_an_acceptance_must_name_the_mail_that_was_taken():
    seen = told(replace(MESSAGE, provider_id="y"))
    assert seen == ["I4 accepted under an id that is not the provider's"]


def test_a_mail_that_we_know_nothing_of_is_seen():
    line = replace(LINE, ref="stranger")
    assert told(ledger=(LINE, line)) == ["I4 accepted by the provider, unknown to us"]


def test_a_mail_in_doubt_may_have_been_taken_or_not():
    in_doubt = outcome("unknown", "unknown")
    assert told(in_doubt, ledger=(LINE,)) == []
    assert told(in_doubt, ledger=()) == []


def test_a_call_that_failed_before_the_one_that_was_taken_is_no_contradiction():
    failed = AttemptFacts(NOON - 60, NOON - 59, "not_sent")
    assert told(replace(MESSAGE, attempts=(failed, ATTEMPT))) == []


# -- I5 ---------------------------------------------------------------------------------------


def second(state: str, outcome: str, **changes) -> MessageFacts:
    attempt = replace(ATTEMPT, outcome=outcome)
    return replace(
        MESSAGE, id="n", follow_up="g", state=state, attempts=(attempt,), reason="why", **changes
    )


@pytest.mark.parametrize("outcome", ["accepted", "unknown"])
def test_two_messages_on_one_local_day_are_seen(outcome):
    lines = (LINE, replace(LINE, ref="n"))
    two = told(MESSAGE, second(outcome, outcome), ledger=lines)
    assert two == ["I5 2 messages to one patient on 2026-11-25"]


def test_mail_that_was_asked_for_is_outside_the_days_one():
    lines = (LINE, replace(LINE, ref="n"))
    assert told(MESSAGE, second("accepted", "accepted", asked_for=True), ledger=lines) == []


def test_the_day_is_the_patients_own():
    """Twelve hours apart: one day in London, two in Auckland."""
    early, first = sent_at(datetime(2026, 11, 25, 9, tzinfo=UTC).timestamp())
    late, other = sent_at(datetime(2026, 11, 25, 20, tzinfo=UTC).timestamp())
    late = replace(late, id="n")
    lines = (first, replace(other, ref="n"))
    assert "I5" in told(early, late, ledger=lines)[0]
    there = replace(PATIENT, zone="Pacific/Auckland")
    awake = replace(there, quiet_from=time(23, 59), quiet_until=time(0))
    assert told(early, late, ledger=lines, patient=awake) == []


# -- The circuit ------------------------------------------------------------------------------


def spell(count: int, phase: int = 1) -> list[Line]:
    return [
        replace(LINE, kind=REFUSED, ref="z", mood="outage, taking nothing", phase=phase)
        for _ in range(count)
    ]


def test_an_outage_that_goes_on_being_called_is_seen():
    handful = 4 + 10
    assert told(ledger=(LINE, *spell(handful))) == []
    many = told(ledger=(LINE, *spell(handful + 1)))
    assert many == ["circuit 15 calls in one spell of 'outage, taking nothing', at most 14"]


def test_each_outage_is_counted_by_itself():
    assert told(ledger=(LINE, *spell(14, phase=1), *spell(14, phase=3))) == []


def test_a_violation_names_the_message_and_nobody():
    (violation,) = oracle.judge(evidence(acts=(act(journal.WITHDRAW, -1),)))
    assert str(violation) == "I3  m  intent 1.00 s after: withdraw"
    assert "mail.example" not in str(violation)
