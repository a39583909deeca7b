"""Log, correct, cancel; and the number an infusion has by its time."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied

from clinic import enrolment, infusions
from clinic.actors import member_actor
from clinic.infusions import InfusionDetails
from clinic.models import AuditEntry, Course, Infusion
from clinic.refusals import Conflicting, Ended, Refused
from tests.builders import BY_TEST, make_course

PLANNED = Infusion.Status.PLANNED


def log(course, started_at, *, now, by=BY_TEST, **details):
    given = InfusionDetails(started_at=started_at, **details)
    return infusions.log(course, given, by=by, now=now)


def test_a_logged_infusion_keeps_its_details_and_has_the_course_planned_anew(course, now):
    infusion = log(
        course,
        now,
        now=now,
        route=Infusion.Route.INTRANASAL,
        dose_mg_per_kg=Decimal("0.5"),
        systolic_max=150,
        note="calm",
    )
    kept = Infusion.objects.get()
    assert kept == infusion
    assert (kept.route, kept.dose_mg_per_kg, kept.note) == ("intranasal", Decimal("0.50"), "calm")
    assert Course.objects.get().revision == course.revision + 1
    assert AuditEntry.objects.get(action="log infusion").fields == [
        "dose_mg_per_kg", "note", "route", "started_at", "status", "systolic_max",
    ]  # fmt: skip


def test_the_same_infusion_logged_twice_is_one(course, now):
    first = log(course, now, now=now, dose_mg_per_kg=Decimal("0.5"))
    again = log(course, now, now=now + timedelta(hours=1), dose_mg_per_kg=Decimal("0.50"))
    assert again == first
    assert Course.objects.get().revision == course.revision + 1


def test_another_infusion_at_the_same_time_is_refused_not_swallowed(course, now):
    log(course, now, now=now, dose_mg_per_kg=Decimal("0.5"))
    with pytest.raises(Conflicting):
        log(course, now, now=now, dose_mg_per_kg=Decimal("0.8"))


def test_given_when_planned_completes_the_plan(course, now):
    planned = log(course, now, now=now - timedelta(days=1), status=PLANNED)
    given = log(course, now, now=now, dose_mg_per_kg=Decimal("0.5"))
    assert given == planned
    assert Infusion.objects.get().status == Infusion.Status.COMPLETED


def test_given_later_than_planned_takes_the_place_of_the_plan(course, now):
    planned = log(course, now, now=now, status=PLANNED)
    actual = now + timedelta(minutes=25)
    details = InfusionDetails(started_at=actual)
    given = infusions.log(course, details, by=BY_TEST, now=actual, planned=planned)
    assert given == planned
    assert (Infusion.objects.get().started_at, given.status) == (actual, "completed")


def test_a_plan_of_another_course_is_left_alone(course, other_clinic, now):
    elsewhere = log(make_course(other_clinic, now=now), now, now=now, status=PLANNED)
    details = InfusionDetails(started_at=now)
    given = infusions.log(course, details, by=BY_TEST, now=now, planned=elsewhere)
    assert given.course == course
    assert Infusion.objects.get(pk=elsewhere.pk).status == PLANNED


@pytest.mark.parametrize(
    ("minutes", "details", "field"),
    [
        pytest.param(6, {}, "started_at", id="given in the future"),
        pytest.param(-24 * 60, {"status": PLANNED}, "started_at", id="planned for yesterday"),
        pytest.param(-367 * 24 * 60, {}, "started_at", id="a year too early"),
        pytest.param(732 * 24 * 60, {"status": PLANNED}, "started_at", id="two years ahead"),
        pytest.param(0, {"dose_mg_per_kg": Decimal("50")}, "dose_mg_per_kg", id="dose x 100"),
        pytest.param(0, {"oxygen_min": 101}, "oxygen_min", id="over 100 per cent"),
        pytest.param(0, {"duration_minutes": 0}, "duration_minutes", id="no duration"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(course, now, minutes, details, field):
    with pytest.raises(Refused) as refusal:
        log(course, now + timedelta(minutes=minutes), now=now, **details)
    assert refusal.value.field == field
    assert not Infusion.objects.exists()


@pytest.mark.parametrize(
    ("minutes", "details"),
    [
        pytest.param(5, {}, id="a form's clock five minutes ahead"),
        pytest.param(-8 * 60, {"status": PLANNED}, id="planned for earlier today"),
        pytest.param(-366 * 24 * 60, {}, id="a year before enrolment"),
        pytest.param(0, {"oxygen_min": 100, "duration_minutes": 1}, id="at the limits"),
    ],
)
def test_what_can_be_is_kept(course, now, minutes, details):
    assert log(course, now + timedelta(minutes=minutes), now=now, **details)


def test_a_closed_course_takes_only_what_happened_before_it_closed(course, now):
    enrolment.close_course(course, "finished", by=BY_TEST, now=now)
    later = now + timedelta(days=1)
    with pytest.raises(Ended):
        log(course, now, now=later)
    assert log(course, now - timedelta(minutes=1), now=later)


def test_after_a_patients_end_only_what_happened_before_is_taken(course, now):
    enrolment.withdraw(course.patient, by=BY_TEST, now=now)
    later = now + timedelta(days=1)
    with pytest.raises(Ended):
        log(course, later, now=later)
    assert log(course, now, now=later)


def test_a_correction_says_what_changed_and_is_made_once(course, now):
    infusion = log(course, now, now=now)
    earlier = now - timedelta(hours=2)
    for _ in range(2):
        corrected = infusions.correct(infusion, {"started_at": earlier}, by=BY_TEST, now=now)
    assert corrected.started_at == Infusion.objects.get().started_at == earlier
    assert AuditEntry.objects.get(action="correct infusion").fields == ["started_at"]
    assert Course.objects.get().revision == course.revision + 2


def test_a_plan_that_was_completed_meanwhile_is_not_written_over(course, now):
    planned = log(course, now, now=now, status=PLANNED)
    first = InfusionDetails(started_at=now, dose_mg_per_kg=Decimal("0.5"))
    infusions.log(course, first, by=BY_TEST, now=now, planned=planned)
    second = InfusionDetails(started_at=now, dose_mg_per_kg=Decimal("0.8"))
    with pytest.raises(Conflicting):
        infusions.log(course, second, by=BY_TEST, now=now, planned=planned)
    assert infusions.log(course, first, by=BY_TEST, now=now, planned=planned) == planned


def test_an_infusion_cannot_be_moved_onto_another(course, now):
    log(course, now - timedelta(days=1), now=now)
    second = log(course, now, now=now)
    with pytest.raises(Conflicting):
        infusions.correct(second, {"started_at": now - timedelta(days=1)}, by=BY_TEST, now=now)


def test_an_infusion_is_cancelled_once_and_can_be_logged_anew(course, now):
    infusion = log(course, now, now=now)
    for reason in ("entered in error", "again"):
        cancelled = infusions.cancel(infusion, reason, by=BY_TEST, now=now)
    assert (cancelled.status, cancelled.cancelled_reason) == ("cancelled", "entered in error")
    with pytest.raises(Ended):
        infusions.correct(infusion, {"stopped_early": True}, by=BY_TEST, now=now)
    assert log(course, now, now=now) != infusion


def test_cancelling_is_not_a_correction(course, now):
    infusion = log(course, now, now=now)
    with pytest.raises(ValueError, match="verb of its own"):
        infusions.correct(infusion, {"status": "cancelled"}, by=BY_TEST, now=now)


def test_numbers_follow_time_completed_first_then_planned(course, other_clinic, now):
    day = timedelta(days=1)
    log(make_course(other_clinic, now=now), now, now=now)
    third = log(course, now, now=now)
    first = log(course, now - 3 * day, now=now)
    void = log(course, now - 2 * day, now=now)
    second = log(course, now - day, now=now)
    infusions.cancel(void, "no-show", by=BY_TEST, now=now)
    fifth = log(course, now + 4 * day, now=now, status=PLANNED)
    fourth = log(course, now + day, now=now, status=PLANNED)
    numbers = {row.pk: row.number for row in course.infusions.numbered()}
    ordered = [first, second, third, fourth, fifth]
    assert [numbers[row.pk] for row in ordered] == [1, 2, 3, 4, 5]
    assert numbers[void.pk] is None
    assert Infusion.objects.filter(pk=fifth.pk).numbered().get().number == 5


def test_the_front_desk_logs_when_but_not_what_dose(course, coordinator, now):
    by = member_actor(coordinator)
    infusion = log(course, now, now=now, by=by, stopped_early=True)
    with pytest.raises(PermissionDenied):
        log(course, now - timedelta(days=1), now=now, by=by, dose_mg_per_kg=Decimal("0.5"))
    with pytest.raises(PermissionDenied):
        infusions.correct(infusion, {"note": "felt well"}, by=by, now=now)
    assert infusions.correct(infusion, {"stopped_early": False}, by=by, now=now)


@pytest.mark.parametrize("who", ["viewer", "other_clinic_admin"])
def test_others_may_not(course, now, request, who):
    by = member_actor(request.getfixturevalue(who))
    infusion = log(course, now, now=now)
    for attempt in (
        lambda: log(course, now - timedelta(days=1), now=now, by=by),
        lambda: infusions.correct(infusion, {"stopped_early": True}, by=by, now=now),
        lambda: infusions.cancel(infusion, "no", by=by, now=now),
    ):
        with pytest.raises(PermissionDenied):
            attempt()
