"""The patient list: who needs a person comes first, at a price that does not grow."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic import enrolment
from clinic.models import Clinic, Course, Patient
from dashboards import queries
from dashboards.rows import PatientRow, grouped, maybe_over, missed_in_a_row
from dashboards.rows.worklist import OpenAlert
from reminders import suppression
from reminders.models import Suppression
from surveys.models import Alert
from tests.builders import BY_TEST, make_course
from tests.dashboards.histories import make_answer, make_infusion, make_missed, phq9

AT = datetime.fromisoformat("2026-03-03T15:00+00:00")


def rows_of(member, now):
    return queries.worklist(member, Patient.objects.visible_to(member), now=now)


def make_alert(course: Course, now: datetime) -> Alert:
    return Alert.objects.create(
        clinic=course.patient.clinic,
        patient=course.patient,
        reference="7F3K-21",
        level="urgent",
        rule="suicide-item",
        trigger="9=1",
        raised_at=now,
    )


def make_others(clinic: Clinic, count: int, now: datetime) -> None:
    for number in range(count):
        course = make_course(clinic, now=now, name=f"Ben Ortiz{number}", mrn=f"M{number}")
        make_answer(course.patient, "phq9", phq9(9), now)
        make_infusion(course, now + timedelta(days=1))
        make_missed(course, "A4", ["phq9"], now + timedelta(days=3))
        make_alert(course, now)


def test_a_row_says_what_is_known(treated, clinician, later):
    (row,) = rows_of(clinician, later)
    assert (row.name, row.infusions, row.planned) == ("Ana Lucía Peña", 4, 6)
    assert row.days_since == 28
    assert row.score is not None
    assert (row.score.title, row.score.value, row.score.band) == ("PHQ-9", 9, "mild")
    assert row.missed == 1
    assert row.maybe_over
    assert row.indications == ("depression",)


def test_the_list_costs_the_same_for_many_as_for_few(clinic, clinician, now, later):
    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            rows_of(clinician, later)
        return len(captured)

    make_others(clinic, 1, now)
    few = cost()
    make_others_again(clinic, now)
    assert cost() == few == 9


def make_others_again(clinic, now):
    for number in range(10, 14):
        course = make_course(clinic, now=now, name=f"Cleo Ray{number}", mrn=f"N{number}")
        make_answer(course.patient, "phq9", phq9(12), now)
        make_alert(course, now)


def test_an_open_alert_comes_before_silence(treated, clinician, later):
    make_alert(treated, later)
    (row,) = rows_of(clinician, later)
    assert row.group == "alerting"


def test_a_taken_alert_names_its_owner(treated, clinician, later):
    Alert.objects.filter(pk=make_alert(treated, later).pk).update(owner=clinician, taken_at=later)
    (row,) = rows_of(clinician, later)
    assert row.alerts[0].owner == "Clinician"


def test_the_front_desk_gets_neither_scores_nor_alerts(treated, coordinator, later):
    make_alert(treated, later)
    (row,) = rows_of(coordinator, later)
    assert row.score is None
    assert row.alerts == ()


def test_a_viewer_gets_scores_but_no_alerts(treated, viewer, later):
    make_alert(treated, later)
    (row,) = rows_of(viewer, later)
    assert row.score is not None
    assert row.alerts == ()


def test_another_clinics_patients_are_not_on_it(treated, other_clinic_admin, later):
    assert rows_of(other_clinic_admin, later) == []


def test_a_bounced_address_makes_silent_until_it_is_changed(course, clinician, now):
    digest = suppression.address_digest(course.patient.email)
    suppression.suppress(course.patient, digest, Suppression.Reason.HARD_BOUNCE, now=now)
    assert rows_of(clinician, now)[0].unreachable == "bounced"
    enrolment.change_details(course.patient, {"email": "new@example.com"}, by=BY_TEST, now=now)
    assert rows_of(clinician, now)[0].unreachable == ""


def test_without_an_address_a_patient_is_silent(clinic, clinician, now):
    make_course(clinic, now=now, email="")
    (row,) = rows_of(clinician, now)
    assert (row.unreachable, row.group) == ("no_email", "silent")


def test_a_planned_infusion_is_what_comes_next(course, clinician, now):
    make_infusion(course, now + timedelta(days=3), now=now)
    (row,) = rows_of(clinician, now)
    assert row.next_infusion == now + timedelta(days=3)


def test_a_planned_infusion_nobody_logged_is_asked_about(course, clinician, now):
    make_infusion(course, now + timedelta(hours=1), now=now)
    (row,) = rows_of(clinician, now + timedelta(hours=3))
    assert row.unlogged == now + timedelta(hours=1)
    assert row.next_infusion is None


# -- Rules without a database ------------------------------------------------------------------


def row(name: str, **more) -> PatientRow:
    return PatientRow(id=None, name=name, status="active", **more)


def alert(level: str, minutes_ago: int) -> OpenAlert:
    return OpenAlert(None, level, AT - timedelta(minutes=minutes_ago))


def test_the_most_urgent_then_the_longest_waiting_is_on_top():
    rows = [
        row("Ada", alerts=(alert("review", 600),)),
        row("Ben", alerts=(alert("urgent", 5),)),
        row("Cleo", alerts=(alert("urgent", 50),)),
        row("Dan", alerts=(alert("critical", 1),)),
    ]
    first = grouped(rows)[0]
    assert [each.name for each in first.rows] == ["Dan", "Cleo", "Ben", "Ada"]


def test_of_two_as_urgent_the_one_that_nobody_has_is_on_top():
    taken = replace(alert("urgent", 600), owner="Tobias")
    rows = [row("Ada", alerts=(taken,)), row("Ben", alerts=(alert("urgent", 5),))]
    assert [each.name for each in grouped(rows)[0].rows] == ["Ben", "Ada"]


def test_everybody_stands_in_exactly_one_group():
    rows = [
        row("Ada", alerts=(alert("review", 1),), missed=3),
        row("Ben", missed=1, due_until=AT),
        row("Cleo", due_until=AT),
        row("Dan"),
    ]
    groups = {group.key: [each.name for each in group.rows] for group in grouped(rows)}
    assert groups == {"alerting": ["Ada"], "silent": ["Ben"], "due": ["Cleo"], "others": ["Dan"]}


def test_an_unclear_message_makes_silent():
    assert row("Ada", unknown=1).group == "silent"


def test_names_are_sorted_without_regard_to_case():
    rows = [row("ben"), row("Ada"), row("Cleo")]
    assert [each.name for each in grouped(rows)[3].rows] == ["Ada", "ben", "Cleo"]


@pytest.mark.parametrize(
    ("answered", "missed"),
    [([], 0), ([False], 1), ([True, False, False], 2), ([False, True], 0), ([True], 0)],
)
def test_only_silence_since_the_last_answer_counts(answered, missed):
    closed = [(AT + timedelta(days=n), said) for n, said in enumerate(answered)]
    assert missed_in_a_row(reversed(closed)) == missed


@pytest.mark.parametrize(
    ("days_ago", "planned", "ahead", "asks"),
    [
        pytest.param(1, 6, False, False, id="the day after"),
        pytest.param(2, 6, False, True, id="from the second day"),
        pytest.param(2, 6, True, False, id="the next one is planned"),
        pytest.param(9, 1, False, False, id="the planned number is reached"),
        pytest.param(9, None, False, False, id="no number was planned"),
    ],
)
def test_is_this_course_over(days_ago, planned, ahead, asks):
    today = date(2026, 3, 20)
    given = [today - timedelta(days=days_ago)]
    assert maybe_over(given, today=today, planned=planned, more_planned=ahead) is asks


def test_a_course_without_an_infusion_is_not_over():
    assert not maybe_over([], today=date(2026, 3, 20), planned=6, more_planned=False)
