"""The rules that settle the protocols, each with a case exactly at its boundary."""

from dataclasses import replace
from datetime import date, time, timedelta
from decimal import Decimal

import pytest

from reminders import protocols
from reminders.protocols.reading import ARGUMENTS
from reminders.schedule import AnswerFacts, State, plan
from reminders.schedule.conditions import CONDITIONS, REASONS
from reminders.schedule.plan import once
from tests.reminders.schedules import (
    Story,
    at,
    coming,
    course,
    due,
    infusion,
    lived,
    local,
    messages,
    patient,
)

MONDAY, WEDNESDAY = "2026-03-02 14:00", "2026-03-04 14:00"


def answered(story, key, text, **scores):
    """A finished response outside of any follow-up."""
    given = {scale: Decimal(value) for scale, value in scores.items()}
    one = AnswerFacts(key, at(text), None, given)
    story.change(answers=(*story.facts.answers, one))


# 1. The last infusion


def test_below_the_planned_number_no_infusion_is_the_last():
    story = Story(course("depression-induction", infusion(MONDAY), planned_count=2))
    assert [d for d in story.at("2026-03-02 15:00").dues if d.key.step == "A4"] == []


@pytest.mark.parametrize(
    ("now", "known"),
    [
        pytest.param("2026-03-08 14:59", False, id="a minute before six days"),
        pytest.param("2026-03-08 15:00", True, id="six days of 24 hours: an hour late in spring"),
    ],
)
def test_six_days_without_an_infusion_lift_the_planned_number(now, known):
    story = Story(course("depression-induction", infusion(MONDAY), planned_count=6))
    plan = story.at(now)
    assert any(d.key.step == "A4" for d in plan.dues) is known


def test_a_planned_infusion_keeps_the_series_open_until_its_day_is_over():
    ahead = infusion("2026-03-05 14:00", "planned")
    story = Story(course("depression-induction", infusion(MONDAY), ahead))
    assert not any(d.key.step == "A4" for d in story.at("2026-03-05 23:59").dues)
    assert any(d.key.step == "A4" for d in story.at("2026-03-06 00:00").dues)


def test_closing_a_course_sends_the_series_end_in_time():
    story = Story(course("depression-induction", infusion(MONDAY), planned_count=6))
    story.at("2026-03-04 12:00")
    story.course(closed_at=at("2026-03-04 12:00"))
    assert "03-05 09:00 A3" in coming(story.at("2026-03-04 12:00"))


def test_a_closed_course_is_not_asked_for_a_baseline():
    story = Story(course("depression-induction"), start="2026-03-01 22:00")
    story.at("2026-03-01 22:00")
    story.course(closed_at=at("2026-03-01 22:30"))
    assert due(story.at("2026-03-01 22:30"), "A0").reason == "the course was closed"


# 2. Merging


def both_on_one_day():
    """D3 at nine and D2 at ten, both on 29 March."""
    return Story(course("maintenance", infusion("2026-03-28 14:00")))


def test_dues_of_one_local_day_make_one_follow_up_at_the_later_hour():
    story = both_on_one_day()
    plan = story.at("2026-03-28 15:00")
    assert coming(plan)[0] == "03-29 10:00 D3 D2"
    assert plan.follow_ups[0].messages[0].reason == "due"
    together = plan.follow_ups[0]
    assert local(together.opens_at) == "03-29 09:00"
    assert local(together.closes_at) == "04-03 09:00"
    assert together.instruments == ("phq9", "gad7", "checkin")


def test_a_merged_due_is_satisfied_only_inside_its_own_window():
    story = both_on_one_day()
    story.at("2026-03-31 12:00")  # D2 closed on the 30th at ten in the evening
    story.answer("D2", "2026-03-31 12:30")  # and D3, on the same follow-up
    plan = story.at("2026-03-31 13:00")
    assert due(plan, "D2").state == "expired"
    assert next(d.state for d in plan.dues if d.key.step == "D3") == "satisfied"


def test_dues_merge_across_courses():
    first = course("chronic-pain", infusion(MONDAY))
    second = course("depression-induction", infusion("2026-03-08 14:00"), name="second")
    plan = Story(first, second).at("2026-03-08 15:00")
    assert coming(plan)[0] == "03-09 10:00 B2 A1"


def test_instruments_are_asked_once_and_their_items_joined():
    assert once(["nrs7:average", "peg", "nrs7:average,worst"]) == ("nrs7:average,worst", "peg")
    assert once(["nrs7:average", "nrs7"]) == ("nrs7",)


def test_a_due_that_cannot_wait_goes_alone_and_the_other_on_the_next_day():
    """A baseline an hour and a half before the infusion at noon does not wait for ten o'clock."""
    soon = infusion("2026-03-30 11:45", "planned")
    old = course("maintenance", infusion("2026-03-29 10:00"), enrolled="2026-03-04", name="old")
    new = course("depression-induction", soon, enrolled="2026-03-30 08:30", name="new")
    story = Story(old, new, start="2026-03-30 08:30")
    assert coming(story.peek("2026-03-30 08:30"))[0] == "03-30 08:30 A0"


# 3. Reminders


def test_a_reminder_counts_local_days_from_the_day_the_invitation_went():
    story = Story(course("crps-fibromyalgia", infusion("2026-03-04 14:00")))
    story.at("2026-03-07 20:00")  # C2 went at nine
    assert coming(story.at("2026-03-07 20:30"))[0] == "03-08 09:00 C2 +1"  # 23 hours later


def test_a_late_invitation_moves_its_reminders():
    story = Story(course("chronic-pain", infusion(MONDAY)))
    story.at("2026-03-08 12:00")
    story.down_until("2026-03-10 08:30")
    assert coming(story.peek("2026-03-10 08:30"))[0] == "03-11 09:00 B2 +1"


def test_no_reminder_at_or_after_the_close():
    run = lived(patient(course("depression-induction", infusion("2026-03-02 08:00"))), "2026-03-02")
    assert messages(run) == ["03-01 08:00 A0"]
    later = patient(course("depression-induction", infusion("2026-03-02 08:01")))
    assert messages(lived(later, "2026-03-02 08:01")) == ["03-01 08:00 A0", "03-02 08:00 A0 +1"]


def test_after_an_answer_there_is_no_reminder():
    story = Story(course("chronic-pain", infusion(MONDAY)))
    story.at("2026-03-09 12:00")
    story.answer("B2", "2026-03-09 12:30")
    assert not any("B2" in line for line in coming(story.at("2026-03-09 13:00")))


def test_an_answer_begun_and_not_finished_is_reminded():
    story = Story(course("chronic-pain", infusion(MONDAY)))
    story.at("2026-03-09 12:00")
    story.begin("B2", "2026-03-09 12:30")
    assert coming(story.at("2026-03-09 13:00"))[0] == "03-10 09:00 B2 +1"


def test_a_reminder_whose_day_has_passed_is_left_out():
    story = Story(course("chronic-pain", infusion(MONDAY)))
    story.at("2026-03-09 12:00")
    story.down_until("2026-03-11 08:30")
    assert coming(story.peek("2026-03-11 08:30"))[0] == "03-11 09:00 B2 +2"


def test_a_reminder_late_on_its_own_day_still_goes():
    story = Story(course("chronic-pain", infusion(MONDAY)))
    story.at("2026-03-09 12:00")
    story.down_until("2026-03-10 20:59")
    assert story.facts.sent[-1].nth == 1


def test_the_last_reminder_of_the_drop_out_guard_is_on_day_two():
    story = Story(course("maintenance", infusion(MONDAY)))
    story.at("2026-05-01 12:00")
    assert "05-03 10:00 D5 +2" in coming(story.at("2026-05-01 12:00"))


# 5. One message per patient and local day


def test_a_reminder_gives_way_to_an_invitation_of_the_same_day():
    story = Story(course("depression-induction", *map(infusion, (MONDAY, WEDNESDAY)),
                         infusion("2026-03-06 14:00"), planned_count=6))  # fmt: skip
    story.at("2026-03-07 12:00")
    assert coming(story.at("2026-03-07 12:00")) == ["03-08 09:00 A2"]


def test_what_comes_up_on_a_day_already_used_goes_on_the_next():
    story = Story(course("maintenance", enrolled="2026-03-01"))
    story.at("2026-03-29 12:00")
    second = course("depression-induction", enrolled="2026-03-29 12:00", name="second")
    story.change(courses=(*story.facts.courses, second))
    assert "03-30 08:00 A0" in coming(story.at("2026-03-29 12:00"))


def test_a_day_already_used_moves_a_late_invitation_to_the_same_hour_whenever_one_looks():
    """A3 was held back by an infusion that was called off at noon, after a reminder had gone."""
    given = [infusion(f"2026-03-{day} 14:00") for day in ("08", "15", "17")]
    planned = infusion("2026-03-20 12:00", "planned")
    story = Story(course("depression-induction", *given, planned))
    story.at("2026-03-20 11:00")
    story.give("2026-03-20 12:00", "cancelled")
    story.at("2026-03-20 12:00")
    for later in ("2026-03-20 12:00", "2026-03-20 23:00", "2026-03-21 07:00"):
        assert coming(story.peek(later))[0] == "03-21 08:00 A3"


# 6. Quiet hours, and the night after an infusion


@pytest.mark.parametrize(
    ("enrolled", "sent"),
    [
        pytest.param("2026-03-01 20:59", "03-01 20:59", id="a minute before nine"),
        pytest.param("2026-03-01 21:00", "03-02 08:00", id="nine: quiet"),
        pytest.param("2026-03-07 23:00", "03-08 08:00", id="the night that loses an hour"),
    ],
)
def test_at_once_means_now_or_eight_o_clock(enrolled, sent):
    story = Story(course("depression-induction", enrolled=enrolled), start=enrolled)
    assert local(due(story.at(enrolled), "A0").send_at) == sent


def test_a_clinic_may_keep_longer_quiet_hours():
    story = Story(course("depression-induction", infusion(MONDAY)), quiet_until=time(11))
    assert coming(story.at("2026-03-02 15:00"))[0] == "03-03 11:00 A1"


def test_nothing_goes_from_an_infusion_until_eight_the_next_day():
    """D3 falls due at nine on the day of an infusion that began at half past eight."""
    story = Story(course("maintenance", infusion("2026-03-29 08:30")))
    assert coming(story.at("2026-03-29 08:45"))[0] == "03-30 10:00 D3 D2"


def test_a_planned_infusion_holds_mail_from_its_hour_on():
    story = Story(course("maintenance", infusion("2026-03-29 08:30", "planned")))
    assert "03-30 08:00 D3" in coming(story.at("2026-03-28 12:00"))


def test_the_patients_own_hour_moves_the_mail_and_not_the_window():
    story = Story(course("chronic-pain", infusion(MONDAY)), send_hour=18)
    plan = story.at("2026-03-02 15:00")
    assert coming(plan)[0] == "03-03 18:00 B1"
    assert local(due(plan, "B1").closes_at) == "03-04 22:00"


def test_the_days_a_patient_allows_are_kept():
    story = Story(course("chronic-pain", infusion(MONDAY)), allowed_days=frozenset({2, 3}))
    plan = story.at("2026-03-02 15:00")
    assert coming(plan)[0] == "03-04 10:00 B1"  # Wednesday, not Tuesday


# 7. Safety days


def weekdays(*infusions, **fields):
    return Story(course("chronic-pain", *infusions), cover="weekdays", **fields)


def test_item_nine_waits_for_a_day_on_which_it_is_read():
    """B4 falls on Friday, 27 March and is open until Friday, 3 April."""
    plan = weekdays(infusion("2026-02-27 14:00")).at("2026-03-20 12:00")
    assert local(due(plan, "B4").send_at) == "03-30 09:00"
    assert due(plan, "B4").reason == "moved to the next day on which answers are read"


def test_steps_without_item_nine_keep_their_day():
    plan = weekdays(infusion("2026-02-27 14:00")).at("2026-03-05 12:00")
    assert local(due(plan, "B2").send_at) == "03-06 09:00"  # a Friday


def test_without_a_safety_day_in_the_window_phq8_takes_phq9s_place():
    """A2 two days after an infusion on Wednesday: Friday to Sunday."""
    given = [infusion(f"2026-03-{day} 14:00") for day in ("09", "10", "11")]
    story = Story(course("depression-induction", *given, planned_count=6), cover="weekdays")
    found = due(story.at("2026-03-11 15:00"), "A2")
    assert found.instruments == ("phq8",)
    assert local(found.send_at) == "03-13 09:00"
    assert "PHQ-8 for PHQ-9" in found.reason


def test_without_anybody_to_answer_phq8_stands_everywhere():
    story = Story(course("chronic-pain", infusion(MONDAY)), cover="none")
    plan = story.at("2026-03-02 15:00")
    assert due(plan, "B4").instruments == ("peg", "nrs7:average,worst", "phq8", "pgic")


@pytest.mark.parametrize(
    ("closed", "sent"),
    [
        pytest.param("2026-03-30", "03-31 09:00", id="closed on the Monday"),
        pytest.param("2026-03-31", "04-01 09:00", id="closed the day after it"),
        pytest.param("2026-04-01", "03-30 09:00", id="closed two days after it"),
    ],
)
def test_item_nine_waits_until_no_closed_day_is_near(closed, sent):
    """B4 falls on Friday, 27 March and is open until Friday, 3 April."""
    away = frozenset({date.fromisoformat(closed)})
    plan = weekdays(infusion("2026-02-27 14:00"), closed_on=away).at("2026-03-20 12:00")
    assert local(due(plan, "B4").send_at) == sent


def test_item_nine_is_not_reminded_on_the_day_before_a_closed_one():
    away = frozenset({date(2026, 4, 1)})
    story = weekdays(infusion("2026-02-27 14:00"), closed_on=away)
    story.at("2026-03-30 12:00")
    reminded = [line for line in coming(story.at("2026-03-30 12:00")) if "B4" in line]
    assert not any(line.startswith(("03-31", "04-01")) for line in reminded)


def test_with_somebody_there_at_all_hours_a_closed_day_changes_nothing():
    away = frozenset({date(2026, 3, 27)})
    story = Story(course("chronic-pain", infusion("2026-02-27 14:00")), closed_on=away)
    assert local(due(story.at("2026-03-20 12:00"), "B4").send_at) == "03-27 09:00"


def test_the_patients_own_hour_yields_to_the_safety_days():
    plan = weekdays(infusion(MONDAY), send_hour=18).at("2026-03-20 12:00")
    assert local(due(plan, "B4").send_at) == "03-30 09:00"
    assert local(due(plan, "B2").send_at) == "03-09 18:00"


def test_beside_item_nine_the_patients_own_hour_yields_for_the_whole_message():
    """D3 with PHQ-9 and D2 without it, both on Monday, 30 March."""
    given = infusion("2026-03-29 14:00")
    facts = patient(course("maintenance", given, enrolled="2026-03-02"), send_hour=18)
    assert messages(lived(facts, "2026-04-04"))[0] == "03-30 18:00 D3 D2"
    assert messages(lived(replace(facts, cover="weekdays"), "2026-04-04")) == [
        "03-30 10:00 D3 D2",
        "03-31 10:00 D3 D2 +1",
        "04-01 09:00 D3 +2",
    ]


def test_item_nine_is_not_reminded_on_a_friday():
    story = weekdays(infusion("2026-03-05 14:00"))  # B4 on Thursday, 2 April
    story.at("2026-04-02 12:00")
    assert not any("B4" in line for line in coming(story.at("2026-04-02 12:00")))


def test_a_message_missed_on_thursday_waits_for_monday():
    """A4 on Thursday, 26 March, open until 5 April: on Monday half of that is left."""
    story = Story(course("depression-induction", infusion("2026-03-05 14:00")), cover="weekdays")
    story.at("2026-03-25 12:00")
    story.down_until("2026-03-27 08:00")
    assert coming(story.peek("2026-03-27 08:00"))[0] == "03-30 08:00 A4"


def test_where_monday_would_be_too_late_phq8_goes_on_friday():
    """B4 on Thursday, 2 April, open until the 9th: on Monday less than half is left."""
    story = weekdays(infusion("2026-03-05 14:00"))
    story.at("2026-04-01 12:00")
    found = due(story.down_until("2026-04-03 08:00"), "B4")
    assert (found.state, found.instruments[2]) == ("asked", "phq8")


# 8. Minimum intervals


def test_an_answer_too_recent_moves_the_due_inside_its_window():
    story = Story(course("chronic-pain", infusion(MONDAY)))
    answered(story, "peg", "2026-03-04 08:30")
    found = due(story.at("2026-03-05 12:00"), "B2")  # the 9th; six days end on the 10th
    assert local(found.send_at) == "03-11 09:00"  # 08:30 became 09:30 in spring
    assert found.reason == "moved past the minimum interval"


def test_an_interval_that_ends_exactly_at_the_send_time_is_over():
    story = Story(course("chronic-pain", infusion("2026-03-10 14:00")))
    answered(story, "peg", "2026-03-11 09:00")
    assert local(due(story.at("2026-03-12 12:00"), "B2").send_at) == "03-17 09:00"


def test_what_no_day_in_the_window_can_take_is_left_out_with_the_reason():
    story = Story(course("chronic-pain", infusion("2026-03-10 14:00")))
    answered(story, "peg", "2026-03-16 12:00")
    found = due(story.at("2026-03-16 13:00"), "B2")
    assert found.instruments == ("nrs7:average", "checkin")
    assert found.reason == "peg was answered too recently"


def test_a_due_left_with_nothing_is_skipped():
    story = Story(course("chronic-pain", infusion("2026-03-10 14:00")))
    for key in ("peg", "nrs7"):
        answered(story, key, "2026-03-23 12:00")
    found = due(story.at("2026-03-23 13:00"), "B3")
    assert found.state == State.SKIPPED
    assert found.reason == "peg was answered too recently, nrs7 was answered too recently"


def test_phq8_and_phq9_count_as_the_same_questions():
    story = Story(course("chronic-pain", infusion("2026-03-10 14:00")))
    answered(story, "phq8", "2026-04-05 12:00")
    found = due(story.at("2026-04-05 13:00"), "B4")  # the 7th
    assert local(found.send_at) == "04-13 09:00"


@pytest.mark.parametrize(
    ("answer", "asked"),
    [
        pytest.param("2026-03-06 08:00", "phq9", id="exactly seven days, one of 23 hours"),
        pytest.param("2026-03-06 08:01", "phq2", id="a minute less"),
    ],
)
def test_the_early_read_asks_phq2_when_phq9_is_too_recent(answer, asked):
    given = [infusion(f"2026-03-{day} 14:00") for day in ("09", "10", "11")]
    story = Story(course("depression-induction", *given, planned_count=6))
    answered(story, "phq9", answer)
    assert due(story.down_until("2026-03-12 12:00"), "A2").instruments == (asked,)


def test_an_accepted_overlap_ignores_the_interval():
    pain = protocols.latest("chronic-pain")
    steps = tuple(
        replace(step, overlap_accepted="weekly in the studies") if step.id == "B2" else step
        for step in pain.steps
    )
    story = Story(course(replace(pain, steps=steps), infusion(MONDAY)))
    answered(story, "peg", "2026-03-08 12:00")
    assert local(due(story.at("2026-03-08 13:00"), "B2").send_at) == "03-09 09:00"


# 9. The baseline


@pytest.mark.parametrize(
    ("first", "mailed"),
    [
        pytest.param("2026-03-01 10:00", True, id="exactly two hours left"),
        pytest.param("2026-03-01 09:59", False, id="a minute less"),
    ],
)
def test_a_baseline_less_than_two_hours_before_the_infusion_is_not_mailed(first, mailed):
    story = Story(course("depression-induction", infusion(first, "planned")))
    plan = story.peek("2026-03-01 08:00")
    assert bool(coming(plan)) is mailed
    assert due(plan, "A0").reason == ("" if mailed else "baseline now on the tablet")


def test_a_baseline_nobody_took_is_said_to_be_missing():
    story = Story(course("depression-induction", infusion("2026-03-01 09:30", "planned")))
    story.at("2026-03-01 08:00")
    found = due(story.at("2026-03-01 09:30"), "A0")
    assert (found.state, found.reason) == ("expired", "no baseline")


def test_the_baseline_closes_when_the_first_infusion_starts():
    story = Story(course("depression-induction"))
    assert local(due(story.at("2026-03-01 09:00"), "A0").closes_at) == "03-15 09:00"
    story.give("2026-03-03 14:00", "planned")
    assert local(due(story.at("2026-03-01 09:00"), "A0").closes_at) == "03-03 14:00"


def test_an_old_baseline_is_refreshed_before_the_first_infusion():
    story = Story(course("depression-induction", infusion("2026-03-20 14:00", "planned")))
    story.at("2026-03-01 09:00")
    story.answer("A0", "2026-03-01 09:30")
    assert "03-18 09:00 A0b" in coming(story.at("2026-03-10 09:00"))


@pytest.mark.parametrize(
    ("first", "state"),
    [
        pytest.param("2026-03-17 14:00", "skipped", id="answered 14 days before"),
        pytest.param("2026-03-18 14:00", "planned", id="answered 15 days before"),
    ],
)
def test_a_baseline_up_to_fourteen_days_old_is_not_refreshed(first, state):
    story = Story(course("depression-induction", infusion(first, "planned")))
    story.at("2026-03-01 09:00")
    story.answer("A0", "2026-03-01 09:00")
    assert due(story.at("2026-03-05 09:00"), "A0b").state == state


# 10. Conditions


def test_only_the_first_infusion_of_a_course_refreshes_the_baseline():
    """Planned as the first; then others were given before it."""
    planned = infusion("2026-03-31 14:00", "planned")
    story = Story(course("depression-induction", planned))
    assert due(story.at("2026-03-05 12:00"), "A0b").state == "planned"
    story.give("2026-03-06 14:00")
    plan = story.at("2026-03-30 12:00")
    assert due(plan, "A0b").state == "cancelled"
    assert due(plan, "A0b").reason == "the infusions are numbered anew"


def test_every_condition_has_a_function_an_argument_and_a_reason():
    assert set(CONDITIONS) == set(ARGUMENTS) == set(REASONS)


def test_the_monthly_step_is_skipped_after_a_visit_was_prepared():
    story = Story(course("maintenance", infusion("2026-03-24 14:00", "planned")))
    story.at("2026-03-21 12:00")
    story.answer("D1", "2026-03-21 12:30")
    plan = story.at("2026-03-21 13:00")
    skipped = next(d for d in plan.dues if d.key.step == "D3")
    assert (skipped.state, skipped.reason) == ("skipped", "D1 was answered in the last 10 days")


@pytest.mark.parametrize(
    ("total", "asked"),
    [
        pytest.param(3, ("pgic", "pcl5"), id="exactly three"),
        pytest.param(2, ("pgic",), id="two"),
    ],
)
def test_pcl5_is_asked_from_a_positive_screen_on(total, asked):
    story = Story(course("maintenance"))
    answered(story, "pcptsd5", "2026-02-01 12:00", total=total)
    assert due(story.at("2026-05-01 12:00"), "D4").instruments == asked


def test_pain_is_asked_about_by_indication():
    story = Story(course("maintenance", indication="crps"))
    assert next(iter(story.at("2026-03-10").dues)).instruments == (
        "phq9", "gad7", "checkin", "peg",
    )  # fmt: skip


def test_the_drop_out_guard_is_silent_while_an_infusion_is_planned():
    story = Story(course("maintenance", infusion(MONDAY)))
    story.give("2026-05-20 14:00", "planned")
    found = due(story.at("2026-04-20 12:00"), "D5")
    assert (found.state, found.reason) == ("skipped", "an infusion is planned")


def test_daily_infusions_known_ahead_are_asked_about_once_they_pause():
    given = [infusion(f"2026-03-0{day} 14:00") for day in (2, 3, 4)]
    ahead = [infusion(f"2026-03-0{day} 14:00", "planned") for day in (5, 6)]
    plan = Story(course("crps-fibromyalgia", *given, *ahead)).at("2026-03-04 15:00")
    assert local(due(plan, "C1", "2026-03-04 14:00").target_at) == "03-07 10:00"


# 11. The end of a course


def test_a_year_without_an_infusion_ends_maintenance_with_a_last_quarterly():
    story = Story(course("maintenance", enrolled="2026-03-01"))
    run = lived(story.facts, "2027-06-01", "all")
    assert messages(run)[-2:] == ["02-28 09:00 D3", "03-01 09:00 D4"]


def test_closing_maintenance_asks_the_last_quarterly():
    story = Story(course("maintenance", infusion(MONDAY)))
    story.at("2026-03-20 12:00")
    story.course(closed_at=at("2026-03-20 12:00"))
    plan = story.at("2026-03-20 12:00")
    assert coming(plan)[0] == "03-21 09:00 D4"
    assert all(d.state != "planned" for d in plan.dues if d.key.step == "D3")


def test_the_drop_out_guard_ends_maintenance_only_when_nobody_answers():
    quiet = Story(course("maintenance", infusion(MONDAY)))
    assert any("D4" in line for line in messages(lived(quiet.facts, "2026-05-12")))
    answering = lived(quiet.facts, "2026-06-22", "all")
    assert messages(answering)[-1] == "06-21 09:00 D3"


# D4. The horizon


@pytest.mark.parametrize(
    ("now", "stored"),
    [
        pytest.param("2026-03-23 08:59", False, id="a minute more than 35 days"),
        pytest.param("2026-03-23 09:00", True, id="exactly 35 days"),
    ],
)
def test_a_plan_is_stored_35_days_ahead(now, stored):
    story = Story(course("chronic-pain", infusion(MONDAY)))  # B5 on 27 April
    assert any(d.key.step == "B5" for d in story.at(now).dues) is stored


def test_the_plan_says_when_the_next_due_comes_into_reach():
    story = Story(course("chronic-pain", infusion(MONDAY)))
    story.at("2026-03-20 12:00")
    assert story.peek("2026-03-22 12:00").replan_at <= at("2026-03-23 09:00")


def test_a_longer_horizon_shows_everything():
    story = Story(course("chronic-pain", infusion(MONDAY)))
    shown = plan(story.facts, at("2026-03-02 15:00"), timedelta(days=400))
    assert {d.key.step for d in shown.dues} == {"B0", "B1", "B2", "B3", "B4", "B5", "B6"}


# Boundaries found by breaking the code on purpose


def test_the_early_read_closes_when_the_next_infusion_is_planned():
    given = [infusion(f"2026-03-0{day} 14:00") for day in (2, 4, 6)]
    ahead = infusion("2026-03-09 13:00", "planned")
    story = Story(course("depression-induction", *given, ahead, planned_count=6))
    assert local(due(story.at("2026-03-06 15:00"), "A2").closes_at) == "03-09 13:00"


def test_an_early_read_whose_infusion_has_none_after_it_keeps_its_hours():
    given = [infusion(f"2026-03-0{day} 14:00") for day in (2, 4, 6)]
    story = Story(course("depression-induction", *given, planned_count=6))
    assert local(due(story.at("2026-03-06 15:00"), "A2").closes_at) == "03-10 09:00"


@pytest.mark.parametrize(
    ("prepared", "state"),
    [
        pytest.param("2026-03-19 09:00", "skipped", id="exactly ten days before"),
        pytest.param("2026-03-19 08:59", "planned", id="a minute longer ago"),
    ],
)
def test_the_monthly_step_looks_back_ten_days(prepared, state):
    story = Story(course("maintenance", infusion("2026-03-21 14:00", "planned")))
    story.at("2026-03-18 12:00")
    story.answer("D1", prepared)
    assert due_once(story.at("2026-03-20 12:00"), "D3").state == state


def due_once(plan, step):
    return next(each for each in plan.dues if each.key.step == step)


def test_a_due_with_a_questionnaire_missing_is_not_satisfied():
    story = Story(course("depression-induction", infusion(MONDAY)))
    story.at("2026-03-03 12:00")
    one = AnswerFacts("mood", at("2026-03-03 12:05"), story.follow_up("A1").id)
    story.change(answers=(one,))
    assert due(story.at("2026-03-03 12:06"), "A1").state == "asked"


def test_of_two_reminders_on_one_day_the_one_that_closes_first_goes():
    """D3 of 29 March is open for five days, B1 of the 30th for a day and a half."""
    first = course("maintenance", enrolled="2026-03-01", name="first")
    second = course("chronic-pain", infusion("2026-03-29 14:00"), enrolled="2026-03-27",
                    name="second")  # fmt: skip
    story = Story(first, second)
    plan = story.at("2026-03-30 12:00")
    assert "03-31 10:00 B1 +1" in coming(plan)
    assert not any(line.startswith("03-31") and "D3" in line for line in coming(plan))


def test_an_infusion_at_the_very_target_takes_the_check_in_over():
    story = Story(course("depression-induction", infusion(MONDAY), planned_count=6))
    story.at("2026-03-02 15:00")
    story.give("2026-03-03 10:00")
    assert due(story.at("2026-03-03 10:00"), "A1", MONDAY).state == "superseded"


def test_what_was_begun_ends_when_its_window_does():
    story = Story(course("depression-induction", infusion(MONDAY), planned_count=6))
    story.at("2026-03-03 12:00")
    story.begin("A1", "2026-03-03 12:05")
    assert due(story.at("2026-03-04 21:59"), "A1").state == "asked"
    assert due(story.at("2026-03-04 22:00"), "A1").state == "expired"


def test_a_repeating_step_due_at_the_moment_of_closing_is_the_last_one_only():
    story = Story(course("maintenance", enrolled="2026-03-01"))
    story.at("2026-05-20 12:00")
    story.course(closed_at=at("2026-05-24 09:00"))
    plan = story.at("2026-05-24 09:00")
    assert [d.key.occurrence for d in plan.dues if d.key.step == "D4" and d.state == "asked"] == [0]


def test_a_tablet_baseline_finds_a_day_of_its_own():
    """The day's message is sent already; the follow-up for the tablet stands on the next."""
    story = Story(course("maintenance", enrolled="2026-03-01"))
    story.at("2026-03-29 12:00")
    soon = infusion("2026-03-29 13:30", "planned")
    second = course("depression-induction", soon, enrolled="2026-03-29 12:00", name="second")
    story.change(courses=(*story.facts.courses, second))
    plan = story.at("2026-03-29 12:00")
    assert due(plan, "A0").state == "planned"
    standing = next(f for f in plan.follow_ups if f.id == story.follow_up("A0").id)
    assert (standing.local_date.isoformat(), standing.messages) == ("2026-03-30", ())
    assert story.at("2026-03-29 12:01").follow_ups == story.peek("2026-03-29 12:01").follow_ups


def test_a_due_waits_for_the_last_of_its_questionnaires():
    story = Story(course("chronic-pain", infusion(MONDAY)))
    answered(story, "peg", "2026-03-04 08:00")
    answered(story, "nrs7", "2026-03-05 08:00")
    assert local(due(story.at("2026-03-05 12:00"), "B2").send_at) == "03-11 09:00"


def test_a_safety_day_that_begins_as_the_window_closes_does_not_fit():
    """A2 on Saturday, 14 March, closes on Monday at nine."""
    given = [infusion(f"2026-03-{day} 14:00") for day in ("10", "11", "12")]
    story = Story(course("depression-induction", *given, planned_count=6), cover="weekdays")
    found = due(story.at("2026-03-12 15:00"), "A2")
    assert (local(found.send_at), found.instruments) == ("03-14 09:00", ("phq8",))


def test_a_reminder_may_go_until_its_day_or_its_window_ends():
    story = Story(course("depression-induction", infusion(MONDAY), planned_count=6))
    plan = story.at("2026-03-03 12:00")
    assert local(plan.follow_ups[-1].messages[0].not_after) == "03-04 22:00"
    longer = Story(course("chronic-pain", infusion(MONDAY)))
    week = longer.at("2026-03-09 12:00")
    first = next(m for f in week.follow_ups for m in f.messages if m.steps == ("B2",))
    assert local(first.not_after) == "03-11 00:00"


ONE_MAILED_ONE_ON_THE_TABLET = """
id = "two"
version = "1"
title = "Two"
source = "a test"
[[steps]]
id = "S1"
title = "Mailed"
anchor = "each_infusion"
offset_days = 3
send_at = "10:00"
closes_after_hours = 168
reminder_days = [1]
instruments = ["peg"]
[[steps]]
id = "S2"
title = "No allowed day in its window"
anchor = "each_infusion"
offset_days = 3
send_at = "11:00"
closes_after_hours = 48
reminder_days = []
instruments = ["pgic"]
"""


def test_what_waits_for_the_tablet_does_not_hurry_the_message_it_is_asked_with():
    """Two of Thursday. Mail goes on Saturdays: at ten for the first, too late for the second."""
    two = protocols.parse(ONE_MAILED_ONE_ON_THE_TABLET)
    story = Story(course(two, infusion(MONDAY)), allowed_days=frozenset({5}))
    planned = story.peek("2026-03-07 09:00")
    (message,) = [m for follow_up in planned.follow_ups for m in follow_up.messages]
    assert local(message.send_at) == "03-07 10:00"
    assert message.send_at <= message.not_after
    assert message.steps == ("S1", "S2")
