"""Clocks that change, and people who move: what the plan and the gate say of the same moment."""

import random
import struct
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest

from clinic import enrolment
from reminders import gate, planning
from reminders.gate import Go, Later, MessageFacts
from reminders.models import Message, State
from reminders.schedule import plan
from reminders.schedule.clock import EVERY_DAY, Hours, allowed_days, local_date
from reminders.schedule.plan import hours_of
from tests.builders import BY_TEST
from tests.reminders.letters import drain_at, prepared_at, send_prepared
from tests.reminders.random_histories import ZONES
from tests.reminders.schedules import Story, course, due, infusion, local, patient

HOUR = timedelta(hours=1)


def verdict(facts, now):
    """Of the gate, for an invitation that is due now and has all the time it needs."""
    later = now + 200 * HOUR
    message = MessageFacts(
        kind="invitation", due_at=now, not_after=later, asked_for=False,
        hours=hours_of(facts, now), status="active", paused_until=None, has_email=True,
        suppressed="", alert_open=False, send_at=now, closes_at=later, answered=False,
        withdrawn=False, days_taken=frozenset(),
    )  # fmt: skip
    return gate.message_verdict(message, now)


@pytest.mark.parametrize(
    ("zone", "quiet", "moment", "expected"),
    [
        pytest.param("America/Chicago", "21:00-08:00", "2026-03-04 04:30", "03-04 14:00",
                     id="wraps"),
        pytest.param("America/Chicago", "12:00-14:00", "2026-03-03 19:00", "03-03 20:00",
                     id="does not wrap"),
        pytest.param("America/Chicago", "00:00-07:00", "2026-03-04 06:00", "03-04 13:00",
                     id="from midnight"),
        pytest.param("America/Chicago", "22:00-00:00", "2026-03-04 05:00", "03-04 06:00",
                     id="until midnight"),
        pytest.param("America/Chicago", "21:00-21:00", "2026-03-04 09:00", "03-04 09:00",
                     id="equal ends: none"),
        pytest.param("America/Chicago", "21:00-08:00", "2026-03-08 05:00", "03-08 13:00",
                     id="spring night"),
        pytest.param("America/Chicago", "21:00-08:00", "2026-11-01 04:00", "11-01 14:00",
                     id="autumn night"),
        pytest.param("America/Chicago", "21:00-02:30", "2026-03-08 05:00", "03-08 08:00",
                     id="end is skipped"),
        pytest.param("America/Chicago", "02:30-05:00", "2026-03-08 08:00", "03-08 10:00",
                     id="beginning is skipped"),
        pytest.param("America/Chicago", "02:00-03:00", "2026-03-08 07:59", "03-08 07:59",
                     id="skipped altogether"),
        pytest.param("America/Chicago", "21:00-01:30", "2026-11-01 04:00", "11-01 07:30",
                     id="end is repeated: the second"),
        pytest.param("America/Chicago", "21:00-01:30", "2026-11-01 06:45", "11-01 07:30",
                     id="between the two ends"),
        pytest.param("America/Chicago", "01:30-08:00", "2026-11-01 07:10", "11-01 14:00",
                     id="beginning is repeated: the first"),
        pytest.param("America/Chicago", "01:30-08:00", "2026-11-01 06:29", "11-01 06:29",
                     id="just before the first"),
        pytest.param("America/Santiago", "22:00-00:00", "2026-09-06 03:00", "09-06 04:00",
                     id="Santiago has no midnight"),
        pytest.param("America/Santiago", "21:00-08:00", "2026-04-05 03:30", "04-05 12:00",
                     id="Santiago repeats 23:30"),
        pytest.param("Africa/Cairo", "21:00-00:30", "2026-04-23 21:30", "04-23 22:00",
                     id="Cairo has no midnight"),
        pytest.param("Africa/Cairo", "12:00-23:45", "2026-10-29 21:30", "10-29 21:45",
                     id="Cairo repeats 23:30"),
        pytest.param("Australia/Lord_Howe", "23:00-02:15", "2026-10-03 14:30", "10-03 15:30",
                     id="half an hour skipped"),
        pytest.param("Australia/Lord_Howe", "23:00-01:45", "2026-04-04 14:35", "04-04 15:15",
                     id="half an hour repeated"),
        pytest.param("Pacific/Apia", "21:00-08:00", "2011-12-30 09:00", "12-30 18:00",
                     id="the night before the day left out"),
        pytest.param("Pacific/Apia", "21:00-08:00", "2011-12-30 13:00", "12-30 18:00",
                     id="after its midnight"),
        pytest.param("Asia/Kathmandu", "21:00-08:00", "2026-03-04 02:14", "03-04 02:15",
                     id="three quarters"),
    ],
)  # fmt: skip
def test_the_plan_and_the_gate_wait_for_the_same_instant(zone, quiet, moment, expected):
    """What is asked at once goes when it is asked, or when the quiet hours end. All in UTC."""
    moment = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    begins, ends = map(time.fromisoformat, quiet.split("-"))
    begun = replace(course(), enrolled_at=moment)
    facts = patient(begun, zone=ZoneInfo(zone), quiet_from=begins, quiet_until=ends)
    (follow_up,) = plan(facts, moment).follow_ups
    goes = follow_up.messages[0].send_at
    assert f"{goes:%m-%d %H:%M}" == expected
    day = local_date(moment, facts.zone)
    assert verdict(facts, moment) == (Go(day) if goes == moment else Later(goes, "quiet hours"))
    assert verdict(facts, goes) == Go(local_date(goes, facts.zone))


@pytest.mark.parametrize("zone", [*ZONES, "Pacific/Apia"])
def test_what_the_clock_shows_as_quiet_is_never_clear(zone):
    rng, zone = random.Random(zone), ZoneInfo(zone)
    for _ in range(400):
        begins, ends = time(rng.randint(0, 23), 15 * rng.randint(0, 3)), time(rng.randint(0, 23))
        hours = Hours(zone, begins, ends, (), EVERY_DAY)
        year = datetime(rng.choice([2011, 2026]), rng.randint(1, 12), 1, tzinfo=UTC)
        moment = year + timedelta(minutes=rng.randint(0, 31 * 24 * 60))
        for found in (moment, hours.clear(moment)):
            clock = found.astimezone(zone).time()
            quiet = begins <= clock < ends if begins <= ends else clock >= begins or clock < ends
            assert not (quiet and hours.clear(found) == found), (found, begins, ends)
        assert hours.clear(hours.clear(moment)) == hours.clear(moment)


@pytest.mark.parametrize(
    ("zone", "start", "clinic", "patient_days", "expected"),
    [
        pytest.param("UTC", "2026-03-06 09:00", [0, 1, 2], [], "03-09 08:00", id="the clinic's"),
        pytest.param("UTC", "2026-03-06 09:00", [0, 1, 2], [2, 3], "03-11 08:00", id="both"),
        pytest.param("UTC", "2026-03-06 09:00", [0, 1], [5], "03-07 08:00", id="none in common"),
        pytest.param("Pacific/Apia", "2011-12-29 22:00", [4, 5], [], "12-30 18:00",
                     id="a Friday left out: Saturday"),
    ],
)  # fmt: skip
def test_mail_waits_for_an_allowed_day_in_the_plan_and_at_the_gate(
    zone, start, clinic, patient_days, expected
):
    moment = datetime.fromisoformat(start).replace(tzinfo=UTC)
    facts = patient(
        replace(course(), enrolled_at=moment), zone=ZoneInfo(zone), quiet_from=time(0),
        quiet_until=time(0), allowed_days=allowed_days(clinic, patient_days),
    )  # fmt: skip
    (follow_up,) = plan(facts, moment).follow_ups
    goes = follow_up.messages[0].send_at
    assert f"{goes:%m-%d %H:%M}" == expected
    waits = verdict(facts, moment)
    assert local_date(waits.due_at, facts.zone) == local_date(goes, facts.zone)
    assert isinstance(verdict(facts, goes), Go)


def waiting(course, now) -> Message:
    planning.reconcile(course.patient, now=now, by=BY_TEST)
    return Message.objects.get(state=State.SCHEDULED)


def accepted_at(now) -> Message | None:
    """What goes when everything is looked at again and sent at this moment."""
    planning.reconcile_lagging(now=now)
    drain_at(now)
    return Message.objects.filter(state=State.ACCEPTED, accepted_at=now).first()


@pytest.mark.parametrize(
    ("zone", "morning"),
    [
        pytest.param("Pacific/Auckland", 4, id="nineteen zones east: four at night"),
        pytest.param("Asia/Kolkata", 12 - 0.5, id="half past eight in the evening: goes at once"),
        pytest.param("Pacific/Honolulu", 3, id="west: five in the morning"),
    ],
)
def test_a_patient_who_moves_while_a_message_is_claimed_is_not_woken(course, now, zone, morning):
    """Claimed and read at nine in Chicago; before its turn comes, the patient is elsewhere."""
    waiting(course, now)
    batch = prepared_at(now)
    enrolment.change_details(course.patient, {"zone": zone}, by=BY_TEST, now=now)
    send_prepared(batch, now=now)
    there = now.astimezone(ZoneInfo(zone))
    awake = time(8) <= there.time() < time(21)
    message = Message.objects.get(kind="invitation")
    assert (message.state == State.ACCEPTED) is awake
    if not awake:
        assert message.due_at == now + morning * HOUR
        assert message.due_at.astimezone(ZoneInfo(zone)).time() == time(8)
        assert accepted_at(message.due_at) is not None
    message.refresh_from_db()
    assert message.capped_on == message.accepted_at.astimezone(ZoneInfo(zone)).date()


@pytest.mark.parametrize("to", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kolkata"])
def test_no_local_day_gets_two_messages_however_far_a_patient_moves(course, now, to):
    waiting(course, now)
    assert accepted_at(now)
    enrolment.change_details(course.patient, {"zone": to}, by=BY_TEST, now=now + HOUR)
    went = [m for n in range(1, 96) if (m := accepted_at(now + n * HOUR))]
    assert went
    days = [message.capped_on for message in Message.objects.filter(state=State.ACCEPTED)]
    assert len(days) == len(set(days))
    for message in went:
        assert 8 <= message.accepted_at.astimezone(ZoneInfo(to)).hour < 21


def test_a_day_stays_used_up_when_the_patient_has_moved():
    """What went on Tuesday at ten in Chicago leaves no second message for Tuesday in Honolulu."""
    story = Story(course("depression-induction", infusion("2026-03-02 14:00")))
    story.at("2026-03-03 10:30")
    assert story.facts.sent[-1].on == date(2026, 3, 3)
    story.change(zone=ZoneInfo("Pacific/Honolulu"))
    planned = plan(story.facts, story.now)
    days = [local_date(m.send_at, story.facts.zone) for f in planned.follow_ups for m in f.messages]
    assert min(days) == date(2026, 3, 4)
    assert len(days) == len(set(days))


def rules(*changes: tuple[datetime, float]) -> ZoneInfo:
    """A zone by its rules alone: six hours behind, then from each moment on as many ahead.

    A hand-made TZif file of version 1 (RFC 9636), as another release of the zones would bring.
    """
    kinds = [-6.0, *dict.fromkeys(hours for _, hours in changes)]
    header = struct.pack(">4sc15x6l", b"TZif", b"\0", 0, 0, 0, len(changes), len(kinds), 4)
    times = b"".join(struct.pack(">l", int(moment.timestamp())) for moment, _ in changes)
    indexes = bytes(kinds.index(hours) for _, hours in changes)
    types = b"".join(struct.pack(">lbb", int(hours * 3600), 0, 0) for hours in kinds)
    return ZoneInfo.from_file(
        BytesIO(header + times + indexes + types + b"LMT\0"), key="Some/Where"
    )


def test_new_rules_of_a_zone_move_what_is_planned_to_the_hour_meant():
    """A government gives up summer time: ten o'clock stays ten o'clock, an hour later in UTC."""
    summer = rules((datetime(2026, 3, 8, 8, tzinfo=UTC), -5.0))
    given = infusion("2026-03-10 14:00", zone=summer)
    story = Story(course("depression-induction", given, zone=summer), zone=summer)
    before = story.at("2026-03-10 15:00")
    assert due(before, "A1").target_at == datetime(2026, 3, 11, 15, tzinfo=UTC)
    story.change(zone=rules(), clinic_zone=rules())
    after = plan(story.facts, story.now)
    assert due(after, "A1").target_at == datetime(2026, 3, 11, 16, tzinfo=UTC)
    (message,) = [m for f in after.follow_ups for m in f.messages if "A1" in m.steps]
    assert local(message.send_at, rules()) == "03-11 10:00"


def test_new_rules_of_a_zone_leave_what_was_sent_where_it_is():
    summer = rules((datetime(2026, 3, 8, 8, tzinfo=UTC), -5.0))
    given = infusion("2026-03-10 14:00", zone=summer)
    story = Story(course("depression-induction", given, zone=summer), zone=summer)
    asked = due(story.at("2026-03-11 12:00"), "A1")
    story.change(zone=rules(), clinic_zone=rules())
    assert due(plan(story.facts, story.now), "A1").closes_at == asked.closes_at
