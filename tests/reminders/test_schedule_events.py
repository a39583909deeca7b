"""What each event does to a schedule: one test for each cell that needs no screen of its own."""

from dataclasses import replace
from datetime import time, timedelta
from zoneinfo import ZoneInfo

import pytest

from reminders import protocols
from reminders.schedule.questionnaires import instrument_facts
from tests.reminders.schedules import Story, at, coming, course, due, infusion, local

INF1, INF2 = "2026-03-02 14:00", "2026-03-04 14:00"


def induction(*infusions, **fields):
    return Story(course("depression-induction", *infusions, planned_count=6, **fields))


def states(plan, step):
    return [str(each.state) for each in plan.dues if each.key.step == step]


# A new infusion before the previous schedule ended


def test_a_new_infusion_supersedes_an_unsent_day_after():
    story = induction(infusion(INF1))
    story.at("2026-03-02 15:00")
    story.give("2026-03-03 09:00")  # before the first one's check-in at ten
    plan = story.at("2026-03-03 09:00")
    assert due(plan, "A1", INF1).state == "superseded"
    assert due(plan, "A1", INF1).reason == "replaced after infusion 2"
    assert local(due(plan, "A1", "2026-03-03 09:00").target_at) == "03-04 10:00"


def test_a_new_infusion_supersedes_what_was_sent_and_not_begun():
    story = induction(infusion(INF1))
    story.at("2026-03-03 12:00")
    story.give(INF2)
    plan = story.at(INF2)
    assert due(plan, "A1", INF1).state == "superseded"
    assert story.follow_up("A1", INF1).withdrawn


def test_a_check_in_that_closed_before_the_new_infusion_stays_expired():
    story = induction(infusion(INF1))
    story.at("2026-03-04 22:00")  # 36 hours after ten o'clock
    story.give("2026-03-05 14:00")
    assert due(story.at("2026-03-05 14:00"), "A1", INF1).state == "expired"


def test_a_window_that_closes_at_the_very_start_of_the_new_infusion_is_not_superseded():
    story = induction(infusion(INF1))
    story.at("2026-03-03 12:00")
    story.give("2026-03-04 22:00")
    assert due(story.at("2026-03-04 22:00"), "A1", INF1).state == "expired"


def test_what_was_begun_stays_open_and_is_tagged():
    story = induction(infusion(INF1))
    story.at("2026-03-03 12:00")
    story.begin("A1", "2026-03-03 12:05")
    story.give(INF2)
    plan = story.at(INF2)
    assert due(plan, "A1", INF1).state == "asked"
    assert due(plan, "A1", INF1).reason == "begun before: replaced after infusion 2"


def test_what_was_answered_is_unchanged():
    story = induction(infusion(INF1))
    story.at("2026-03-03 12:00")
    story.answer("A1", "2026-03-03 12:30")
    story.give(INF2)
    plan = story.at(INF2)
    assert (due(plan, "A1", INF1).state, due(plan, "A1", INF1).reason) == ("satisfied", "")


def test_steps_after_the_last_infusion_are_counted_from_the_new_one():
    story = Story(course("depression-induction", infusion(INF1)))
    assert local(due(story.at("2026-03-02 15:00"), "A4").target_at) == "03-23 09:00"
    story.give(INF2)
    plan = story.at(INF2)
    assert due(plan, "A4", INF1).state == "superseded"
    assert local(due(plan, "A4", INF2).target_at) == "03-25 09:00"


def test_a_series_end_that_was_sent_is_withdrawn_and_counted_anew():
    story = Story(course("depression-induction", infusion(INF1)))
    story.at("2026-03-05 12:00")
    story.give("2026-03-05 14:00")
    plan = story.at("2026-03-05 14:00")
    assert due(plan, "A3", INF1).state == "superseded"
    assert story.follow_up("A3", INF1).withdrawn
    assert local(due(plan, "A3", "2026-03-05 14:00").target_at) == "03-08 09:00"


def test_a_merely_planned_infusion_does_not_take_back_what_was_sent():
    story = Story(course("depression-induction", infusion(INF1)))
    story.at("2026-03-05 12:00")
    story.give("2026-03-09 14:00", "planned")
    plan = story.at("2026-03-05 13:00")
    assert states(plan, "A3") == ["asked"]
    assert due(plan, "A4").reason == "another infusion is expected"


# A new course


def test_a_newer_course_ends_what_comes_after_the_primary_step():
    story = Story(course("depression-induction", infusion(INF1)))
    story.at("2026-04-01")
    maintenance = course("maintenance", enrolled="2026-04-01", name="second")
    story.change(courses=(*story.facts.courses, maintenance))
    plan = story.at("2026-04-01")
    assert due(plan, "A5").state == "superseded"
    assert due(plan, "A5").reason == "a newer course began"


def test_the_older_course_runs_to_its_primary_step():
    story = Story(course("depression-induction", infusion(INF1)))
    story.at("2026-03-10")
    maintenance = course("maintenance", enrolled="2026-03-10", name="second")
    story.change(courses=(*story.facts.courses, maintenance))
    assert local(due(story.at("2026-03-10"), "A4").send_at) == "03-23 09:00"


# Late, corrected and cancelled infusions


def test_an_infusion_entered_a_day_late_asks_at_once_if_half_of_the_window_is_left():
    story = induction()
    story.give(INF1, recorded="2026-03-03 17:00")
    plan = story.down_until("2026-03-03 17:00")
    assert due(plan, "A1").state == "asked"
    assert story.facts.sent[-1].on.isoformat() == "2026-03-03"


def test_an_infusion_entered_after_its_window_is_never_asked_about():
    story = induction()
    story.give(INF1, recorded="2026-03-05 12:00")
    plan = story.down_until("2026-03-05 12:00")
    assert due(plan, "A1").state == "expired"
    assert due(plan, "A1").reason == "late entry: its window was over"


@pytest.mark.parametrize(
    ("now", "state"),
    [
        pytest.param("2026-02-26 21:00", "asked", id="exactly half left"),
        pytest.param("2026-02-26 21:01", "expired", id="a minute less than half left"),
    ],
)
def test_a_late_invitation_goes_while_half_of_its_window_is_left(now, state):
    """C2 is open for 72 hours, from the 25th at nine; this clinic keeps no quiet hours."""
    loud = {"quiet_from": time(0), "quiet_until": time(0)}
    story = Story(course("crps-fibromyalgia", infusion("2026-02-22 14:00")), **loud)
    assert due(story.down_until(now), "C2").state == state


def test_a_correction_of_less_than_a_day_keeps_what_was_sent():
    story = induction(infusion("2026-03-02 23:30"))
    story.at("2026-03-03 12:00")
    story.correct("2026-03-02 23:30", started_at="2026-03-01 23:31")
    plan = story.at("2026-03-03 12:01")
    assert due(plan, "A1").state == "asked"
    assert local(due(plan, "A1").target_at) == "03-02 10:00"
    assert not story.follow_up("A1").withdrawn


def test_a_correction_of_a_day_or_more_withdraws_and_asks_again():
    story = induction(infusion("2026-03-02 14:00"))
    story.at("2026-03-03 12:00")
    before = story.follow_up("A1").id
    story.correct("2026-03-02 14:00", started_at="2026-03-03 14:00")
    plan = story.at("2026-03-03 14:30")
    assert local(due(plan, "A1").target_at) == "03-04 10:00"
    assert due(plan, "A1").state == "planned"
    assert story.facts.follow_ups[before].withdrawn
    assert "03-04 10:00 A1" in coming(plan)


def test_an_answer_stays_where_it_is_when_the_date_is_corrected():
    story = induction(infusion("2026-03-02 14:00"))
    story.at("2026-03-03 12:00")
    story.answer("A1", "2026-03-03 12:30")
    story.correct("2026-03-02 14:00", started_at="2026-03-01 10:00")
    found = due(story.at("2026-03-03 13:00"), "A1")
    assert found.state == "satisfied"
    assert local(found.anchor_at) == "03-01 10:00"


def test_a_cancelled_infusion_takes_its_steps_with_it():
    story = induction(infusion(INF1))
    story.at("2026-03-02 15:00")
    story.correct(INF1, status="cancelled")
    plan = story.at("2026-03-02 16:00")
    assert due(plan, "A1").state == "cancelled"
    assert due(plan, "A1").reason == "the infusion was cancelled"


def test_a_check_in_sent_for_a_cancelled_infusion_is_withdrawn():
    story = induction(infusion(INF1))
    story.at("2026-03-03 12:00")
    story.correct(INF1, status="cancelled")
    plan = story.at("2026-03-03 13:00")
    assert due(plan, "A1").state == "cancelled"
    assert story.follow_up("A1").withdrawn


def test_what_was_answered_for_a_cancelled_infusion_is_kept_and_tagged():
    story = induction(infusion(INF1))
    story.at("2026-03-03 12:00")
    story.answer("A1", "2026-03-03 12:30")
    story.at("2026-03-03 12:30")
    story.correct(INF1, status="cancelled")
    found = due(story.at("2026-03-03 13:00"), "A1")
    assert found.state == "satisfied"
    assert found.reason == "answered before: the infusion was cancelled"


def test_cancelling_the_last_infusion_counts_from_the_one_before():
    story = Story(course("depression-induction", infusion(INF1)))
    story.at("2026-03-02 15:00")
    story.give(INF2)
    story.at(INF2)
    story.correct(INF2, status="cancelled")
    plan = story.at("2026-03-04 15:00")
    assert local(due(plan, "A3", INF1).target_at) == "03-05 09:00"
    assert due(plan, "A3", INF1).state == "planned"
    assert due(plan, "A3", INF2).state == "cancelled"


# The patient


@pytest.mark.parametrize("status", ["withdrawn", "deceased"])
def test_whoever_is_gone_is_never_written_to(status):
    story = induction(infusion(INF1))
    story.at("2026-03-03 12:00")
    story.change(status=status)
    plan = story.at("2026-03-03 13:00")
    assert coming(plan) == []
    assert plan.replan_at is None
    assert due(plan, "A1").state == "cancelled"
    assert due(plan, "A1").reason == f"the patient is {status}"
    assert story.follow_up("A1").withdrawn


def test_what_a_withdrawn_patient_had_begun_is_closed_and_answers_are_kept():
    story = induction(infusion(INF1))
    story.at("2026-03-03 12:00")
    story.answer("A1", "2026-03-03 12:30")
    story.at("2026-03-03 12:30")
    story.change(status="withdrawn")
    assert due(story.at("2026-03-03 13:00"), "A1").state == "satisfied"


def test_an_unsubscribed_patient_gets_no_mail_and_stays_on_the_call_list():
    story = induction(infusion(INF1))
    story.at("2026-03-02 15:00")
    story.change(channel="unsubscribed")
    plan = story.at("2026-03-03 12:00")
    assert coming(plan) == []
    assert (due(plan, "A1").state, due(plan, "A1").reason) == (
        "planned",
        "no e-mail: call list and tablet",
    )
    assert due(story.at("2026-03-04 22:00"), "A1").state == "expired"


def test_a_patient_who_unsubscribes_after_the_invitation_gets_no_reminder():
    story = induction(infusion(INF1))
    story.at("2026-03-03 12:00")
    story.change(channel="unsubscribed")
    plan = story.at("2026-03-03 13:00")
    assert coming(plan) == []
    assert due(plan, "A1").state == "asked"


@pytest.mark.parametrize(
    ("now", "state"),
    [
        pytest.param("2026-03-08 08:59", "planned", id="waiting"),
        pytest.param("2026-03-08 10:00", "expired", id="72 hours after it was to go"),
    ],
)
def test_a_dead_address_is_waited_for_72_hours(now, state):
    """Spring: the third day after is an hour shorter, the 72 hours are not."""
    story = Story(course("depression-induction", infusion(INF1)))
    story.at("2026-03-04")
    story.change(channel="suspended", suspended_since=at("2026-03-04"))
    found = due(story.at(now), "A3")
    assert found.state == state
    assert found.reason == ("undeliverable" if state == "expired" else found.reason)


def test_a_pause_keeps_the_dates_and_sends_nothing():
    story = induction(infusion(INF1))
    story.at("2026-03-02 15:00")
    story.change(status="paused")
    plan = story.at("2026-03-03 12:00")
    assert coming(plan) == []
    assert (due(plan, "A1").state, due(plan, "A1").reason) == ("planned", "paused")
    assert local(due(plan, "A1").target_at) == "03-03 10:00"


def test_after_a_pause_the_window_decides():
    story = induction(infusion(INF1))
    story.at("2026-03-02 15:00")
    story.change(status="paused")
    story.at("2026-03-03 20:00")
    story.change(status="active")
    assert due(story.at("2026-03-03 20:00"), "A1").state == "asked"


def test_a_pause_with_an_end_lifts_itself():
    story = induction(infusion(INF1))
    story.change(status="paused", paused_until=at("2026-03-03 11:00"))
    assert due(story.at("2026-03-03 10:59"), "A1").state == "planned"
    assert due(story.at("2026-03-03 11:00"), "A1").state == "asked"


def test_reminders_stop_during_a_pause():
    story = induction(infusion(INF1))
    story.at("2026-03-03 12:00")
    story.change(status="paused")
    assert coming(story.at("2026-03-04 12:00")) == []


def test_an_open_alert_stops_reminders_and_lets_the_next_step_go():
    story = induction(infusion(INF1))
    story.at("2026-03-03 12:00")
    story.change(alert_open=True)
    story.give(INF2)
    assert coming(story.at(INF2)) == ["03-05 10:00 A1"]


def test_a_change_of_zone_moves_what_is_not_sent():
    story = induction(infusion(INF1))
    plan = story.at("2026-03-02 15:00")
    assert coming(plan) == ["03-03 10:00 A1"]
    story.change(zone=ZoneInfo("America/Denver"))
    assert coming(story.peek("2026-03-02 15:00")) == ["03-03 11:00 A1"]  # Chicago's clock


def test_a_change_of_language_changes_the_next_questions():
    story = induction(infusion(INF1))
    story.change(instruments=instrument_facts("xx"))
    assert due(story.at("2026-03-02 15:00"), "A1").state == "not_offered"


def test_weekly_pain_is_asked_in_spanish_where_it_has_its_words():
    story = Story(course("chronic-pain", infusion("2026-03-02 14:00")), language="es")
    plan = story.at("2026-03-20 12:00")
    asked = {step: due(plan, step).instruments for step in ("B0", "B2", "B3", "B4")}
    assert asked == {
        "B0": ("phq9",),
        "B2": ("nrs7:average", "checkin"),
        "B3": ("nrs7:average",),
        "B4": ("nrs7:average,worst", "phq9"),
    }


def test_a_protocol_keeps_the_version_its_course_began_with():
    old = replace(protocols.latest("chronic-pain"), version="2020-01")
    story = Story(course(old, infusion(INF1)))
    assert story.facts.courses[0].protocol.version == "2020-01"


# The system


def test_a_send_time_missed_by_less_than_half_the_window_is_made_up():
    story = induction(infusion(INF1))
    story.at("2026-03-02 15:00")
    story.down_until("2026-03-03 18:00")
    assert [sent.on.isoformat() for sent in story.facts.sent][-1] == "2026-03-03"


def test_after_three_days_down_nothing_floods():
    story = Story(course("maintenance", infusion(INF1), enrolled="2026-02-01"), start="2026-02-01")
    story.at("2026-03-01 08:00")
    plan = story.down_until("2026-03-05 08:30")
    today = [sent for sent in story.facts.sent if sent.on.isoformat() == "2026-03-05"]
    assert len(today) <= 1
    assert due(plan, "D2").reason == "missed"


def test_thirty_days_down_leave_one_message_and_reasons():
    story = Story(course("chronic-pain", infusion(INF1)))
    story.at("2026-03-02 15:00")
    plan = story.down_until("2026-04-01 12:00")
    assert [states(plan, step) for step in ("B1", "B2", "B3")] == [["expired"]] * 3
    assert states(plan, "B4") == ["asked"]
    assert len([s for s in story.facts.sent if s.on.isoformat() == "2026-04-01"]) == 1


def test_a_window_is_half_open():
    story = induction(infusion(INF1))
    story.at("2026-03-03 12:00")
    closes = due(story.peek("2026-03-03 12:00"), "A1").closes_at
    assert local(closes) == "03-04 22:00"
    story.answer("A1", "2026-03-04 21:59")
    assert due(story.at("2026-03-04 23:00"), "A1").state == "satisfied"
    late = induction(infusion(INF1))
    late.at("2026-03-03 12:00")
    late.answer("A1", "2026-03-04 22:00")
    assert due(late.at("2026-03-04 23:00"), "A1").state == "expired"
    assert closes - timedelta(hours=36) == at("2026-03-03 10:00")
