"""The patient's page: what each role may see of it, and what it costs."""

import html
import json
import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinic import enrolment
from clinic.models import AuditEntry, Patient
from reminders.models import Message, State
from surveys.models import Alert, FollowUp
from tests.builders import BY_TEST
from tests.dashboards.histories import make_answer, make_missed, phq9, planned

pytestmark = pytest.mark.django_db

NUMBERS = re.compile(r"PHQ-9 9|baseline 18|mild|moderately severe|better off dead")


def page(client, patient) -> str:
    response = client.get(reverse("dashboards:patient", args=[patient.pk]))
    assert response.status_code == 200
    return html.unescape(response.content.decode())


def figures_of(text: str) -> list[dict]:
    found = re.findall(r'<script id="chart-\w+" type="application/json">(.*?)</script>', text, re.S)
    return [json.loads(figure) for figure in found]


def test_the_sentence_says_how_it_stands(treated, clinician, desk_of):
    text = page(desk_of(clinician), treated.patient)
    assert (
        "PHQ-9 9 (mild) on 18 Mar 2026, down 9 from baseline 18: response, not remission." in text
    )
    assert "4 of 6 infusions." in text


def test_every_figure_has_its_sentence_its_name_and_its_table(treated, clinician, desk_of, later):
    make_answer(treated.patient, "mood", {"1": 7}, later - timedelta(days=9))
    text = page(desk_of(clinician), treated.patient)
    charts = re.findall(r'<figure class="figure chart">(.*?)</figure>', text, re.S)
    assert len(charts) == len(figures_of(text)) == 2
    for chart in charts:
        assert 'role="img"' in chart
        for name in re.search(r'aria-labelledby="([^"]+)"', chart).group(1).split():
            assert f'id="{name}"' in chart
        assert "<table" in chart
        assert re.search(r'-says">[^<]+</p>', chart)


def test_the_chart_the_table_and_the_sentence_agree(treated, clinician, desk_of):
    text = page(desk_of(clinician), treated.patient)
    (figure,) = figures_of(text)
    assert [value for value in figure["data"][0]["y"] if value is not None] == [18, 9]
    table = text[text.index("as a table") :]
    assert re.search(r">\s*18\s*</td>", table)
    assert re.search(r">\s*9\s*</td>", table)
    assert re.search(r">\s*-9\s*</td>", table)


def test_the_question_about_suicide_comes_first(treated, clinician, desk_of):
    text = page(desk_of(clinician), treated.patient)
    items = text[text.index("question by question") :]
    assert items.index("better off dead") < items.index("Little interest")


def test_the_front_desk_sees_completion_and_nothing_else(treated, coordinator, desk_of, later):
    Alert.objects.create(
        clinic=coordinator.clinic,
        patient=treated.patient,
        reference="7F3K-21",
        level="critical",
        rule="suicide-item",
        trigger="9=1",
        raised_at=later,
    )
    text = page(desk_of(coordinator), treated.patient)
    assert not NUMBERS.search(text)
    assert "plotly" not in text
    assert "7F3K-21" not in text
    assert "0 of 1 check-ins answered" in text
    assert "missed" in text


def test_a_viewer_sees_scores_but_not_what_is_about_safety(treated, viewer, desk_of, later):
    text = page(desk_of(viewer), treated.patient)
    assert "PHQ-9 9 (mild)" in text
    assert "better off dead" not in text
    assert "Little interest" not in text, "a total and eight answers tell the ninth"
    assert not re.search(r"<button(?!.*(Find|Sign out))", text[text.index("<main") :])


def test_the_title_names_nobody(treated, clinician, desk_of):
    text = page(desk_of(clinician), treated.patient)
    assert "<title>Patient ·" in " ".join(text.split())
    assert treated.patient.name in text


def test_another_clinics_patient_is_no_page_at_all(treated, other_clinic_admin, desk_of):
    client = desk_of(other_clinic_admin)
    theirs = client.get(reverse("dashboards:patient", args=[treated.patient.pk]))
    nobody = client.get(reverse("dashboards:patient", args=[uuid4()]))
    assert theirs.status_code == nobody.status_code == 404
    assert theirs.content == nobody.content


def test_looking_is_written_down(treated, clinician, desk_of):
    page(desk_of(clinician), treated.patient)
    entry = AuditEntry.objects.filter(action="read patient").get()
    assert (entry.patient, entry.member) == (treated.patient, clinician)


def test_the_page_costs_the_same_for_a_long_history(treated, clinician, desk_of, later):
    client = desk_of(clinician)
    planned(treated.patient, later)

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            page(client, treated.patient)
        return len(captured)

    page(client, treated.patient)
    few = cost()
    for days in range(1, 15):
        make_answer(treated.patient, "phq9", phq9(8), later - timedelta(days=days))
        make_missed(treated, "A5", ["gad7"], later - timedelta(days=days, hours=3))
    assert cost() == few <= 45


def test_a_new_patients_page_says_what_will_come(course, clinician, desk_of, later):
    planned(course.patient, later)
    text = page(desk_of(clinician), course.patient)
    assert "No score yet." in text
    assert "No infusion yet." in text
    assert "Depression induction, depression" in text


def test_charts_come_with_their_own_policy_and_no_other_page_does(treated, clinician, desk_of):
    client = desk_of(clinician)
    chart = client.get(reverse("dashboards:patient", args=[treated.patient.pk]))
    others = client.get(reverse("dashboards:patients"))
    assert "sha256-47DEQ" in chart.headers["Content-Security-Policy"]
    assert "sha256-47DEQ" not in others.headers["Content-Security-Policy"]
    assert "unsafe" not in chart.headers["Content-Security-Policy"]


def test_messages_stand_with_their_state(treated, clinician, desk_of, later):
    follow_up = FollowUp.objects.get(patient=treated.patient)
    Message.objects.create(
        clinic=clinician.clinic,
        patient=treated.patient,
        follow_up=follow_up,
        kind=Message.Kind.INVITATION,
        state=State.UNKNOWN,
        due_at=later,
        not_after=later,
        created_at=later,
    )
    text = page(desk_of(clinician), treated.patient)
    assert "1 message unclear" in text
    assert "nobody knows whether they went out" in text


# -- What can be done from it -------------------------------------------------------------------


def test_pausing_and_resuming(course, coordinator, desk_of, later):
    client, patient = desk_of(coordinator), course.patient
    client.post(reverse("dashboards:pause", args=[patient.pk]), {"until": "2026-05-01"})
    patient.refresh_from_db()
    assert patient.status == "paused"
    assert patient.paused_until is not None
    client.post(reverse("dashboards:resume", args=[patient.pk]))
    patient.refresh_from_db()
    assert patient.status == "active"


def test_a_day_that_cannot_be_read_pauses_nothing(course, coordinator, desk_of):
    url = reverse("dashboards:pause", args=[course.patient.pk])
    response = desk_of(coordinator).post(url, {"until": "next week"}, follow=True)
    assert "Nothing was paused" in response.content.decode()
    course.patient.refresh_from_db()
    assert course.patient.status == "active"


def test_a_pause_ends_on_the_patients_own_calendar(course, coordinator, desk_of):
    Patient.objects.filter(pk=course.patient.pk).update(zone="America/New_York")
    client = desk_of(coordinator)
    client.post(reverse("dashboards:pause", args=[course.patient.pk]), {"until": "2026-05-01"})
    assert "paused until 1 May" in page(client, course.patient)


def test_a_pause_into_the_past_is_refused_in_words(course, coordinator, desk_of):
    url = reverse("dashboards:pause", args=[course.patient.pk])
    response = desk_of(coordinator).post(url, {"until": "2026-01-01"}, follow=True)
    assert "Choose a day in the future" in response.content.decode()


def test_withdrawing_asks_first(course, coordinator, desk_of):
    client, url = desk_of(coordinator), reverse("dashboards:withdraw", args=[course.patient.pk])
    client.get(url)
    course.patient.refresh_from_db()
    assert course.patient.status == "active"
    client.post(url)
    course.patient.refresh_from_db()
    assert course.patient.status == "withdrawn"


def test_an_end_entered_in_error_can_be_taken_back(course, clinician, desk_of, later):
    enrolment.mark_deceased(course.patient, by=BY_TEST, now=later)
    client = desk_of(clinician)
    assert "entered in error" in page(client, course.patient)
    client.post(reverse("dashboards:reinstate", args=[course.patient.pk]))
    course.patient.refresh_from_db()
    assert course.patient.status == "active"


def test_closing_a_course_keeps_what_follows_it(treated, coordinator, desk_of):
    client = desk_of(coordinator)
    assert "Is this course over?" in page(client, treated.patient)
    client.post(reverse("dashboards:close-course", args=[treated.pk]), {"reason": "done"})
    treated.refresh_from_db()
    assert treated.closed_at is not None
    assert treated.closed_reason == "done"
    assert "Is this course over?" not in page(client, treated.patient)


def test_details_are_changed_and_a_slip_is_asked_about_once(course, coordinator, desk_of):
    client, url = desk_of(coordinator), reverse("dashboards:contact", args=[course.patient.pk])
    given = {
        "name": course.patient.name,
        "birth_date": "1984-03-05",
        "email": "ana@gmial.com",
        "language": "es",
        "email_seen": "ana@example.com",
    }
    asked = client.post(url, given)
    assert "Did you mean ana@gmail.com?" in html.unescape(asked.content.decode())
    assert client.post(url, {**given, "email_seen": "ana@gmial.com"}).status_code == 302
    course.patient.refresh_from_db()
    assert (course.patient.email, course.patient.language) == ("ana@gmial.com", "es")


def test_symptoms_that_were_named_are_listed_and_the_others_are_not(course, viewer, desk_of, later):
    given = {"flag-fall": 1, "flag-seizure": 0, "had-1": 1, "1": 2, "had-4": 0, "4": 0}
    make_answer(course.patient, "checkin", given, later - timedelta(days=1))
    text = page(desk_of(viewer), course.patient)
    assert "An injury from a fall" in text
    assert "Nausea or vomiting" in text
    assert "A seizure" not in text
    assert "Headache" not in text


def test_a_pause_that_has_run_out_is_over_here_and_on_the_list(treated, clinician, desk_of, later):
    day = timedelta(days=1)
    client = desk_of(clinician)
    for until, is_paused in ((later + day, True), (later - day, False)):
        enrolment.pause(treated.patient, by=BY_TEST, now=later - 9 * day, until=until)
        text = page(client, treated.patient)
        assert ("paused until" in text) is is_paused
        assert ("Pause e-mails until" in text) is not is_paused
        listed = client.get(reverse("dashboards:patients")).content.decode()
        assert (">paused<" in listed) is is_paused
