"""The patient list as a page: what is on it, how it is filtered, what no address ever holds."""

import html
from datetime import timedelta

import pytest
from django.urls import reverse

from clinic import enrolment
from clinic.models import AuditEntry, Patient
from dashboards.views import patients as view
from surveys.models import Alert
from tests.builders import BY_TEST, make_course

pytestmark = pytest.mark.django_db


def body(response) -> str:
    return html.unescape(response.content.decode())


def alert_about(patient: Patient, now) -> Alert:
    return Alert.objects.create(
        clinic=patient.clinic,
        patient=patient,
        reference="7F3K-21",
        level="urgent",
        rule="suicide-item",
        trigger="9=1",
        raised_at=now - timedelta(minutes=12),
    )


def test_a_new_clinic_is_told_how_to_begin(coordinator, desk_of):
    page = body(desk_of(coordinator).get("/"))
    assert "Enrol your first patient" in page
    assert "PHQ-9 goes out as PHQ-8" in page


def test_groups_say_who_needs_a_person(treated, clinician, desk_of, later):
    make_course(clinician.clinic, now=later, name="Ben Ortiz", mrn="M2")
    alert_about(treated.patient, later)
    page = body(desk_of(clinician).get("/"))
    assert page.index("Ana Lucía Peña") < page.index("Ben Ortiz")
    assert "12\xa0minutes" in page
    assert "nobody has it" in page


def test_the_front_desk_is_told_to_call_the_clinician(treated, coordinator, desk_of, later):
    alert_about(treated.patient, later)
    page = body(desk_of(coordinator).get("/"))
    assert "1 open alert. Call the clinician." in page
    assert "Urgent" not in page
    assert "Last score" not in page
    assert "PHQ-9 <strong>" not in page


def test_a_group_can_be_linked_to(treated, clinician, desk_of, later):
    make_course(clinician.clinic, now=later, name="Ben Ortiz", mrn="M2")
    page = body(desk_of(clinician).get("/?show=silent"))
    assert "Ana Lucía Peña" in page
    assert "Ben Ortiz" not in page


def test_those_whose_follow_up_ended_stand_apart(course, clinician, desk_of, later):
    enrolment.withdraw(course.patient, by=BY_TEST, now=later)
    client = desk_of(clinician)
    assert "Ana Lucía Peña" not in body(client.get("/"))
    assert "Ana Lucía Peña" in body(client.get("/?ended=1"))


def test_by_what_they_are_treated_for(course, clinician, desk_of):
    client = desk_of(clinician)
    assert "Ana Lucía Peña" in body(client.get("/?indication=depression"))
    assert "Nobody matches" in body(client.get("/?indication=crps"))
    assert "Ana Lucía Peña" in body(client.get("/?indication=nonsense"))


def test_a_long_list_comes_in_pages(clinician, desk_of, now, monkeypatch):
    monkeypatch.setattr(view, "PER_PAGE", 2)
    for number, name in enumerate(["Ada Reed", "Ben Ortiz", "Cleo Ray"]):
        make_course(clinician.clinic, now=now, name=name, mrn=f"M{number}")
    client = desk_of(clinician)
    first, second = body(client.get("/")), body(client.get("/?page=2"))
    assert "Page 1 of 2" in first
    assert "Cleo Ray" not in first
    assert "Cleo Ray" in second
    assert "Ada Reed" not in second


def test_finding_one_patient_opens_their_page(course, coordinator, desk_of):
    response = desk_of(coordinator).post("/", {"q": "peña"})
    assert response.status_code == 302
    assert response.url == reverse("dashboards:patient", args=[course.patient.pk])


@pytest.mark.parametrize("words", ["Peña Ana", "1984-03-05", "MRN-1001", "(432) 555-0100"])
def test_what_a_patient_is_found_by(course, coordinator, desk_of, words):
    assert desk_of(coordinator).post("/", {"q": words}).status_code == 302


def test_several_who_fit_are_listed(course, coordinator, desk_of, now):
    make_course(coordinator.clinic, now=now, name="Ana Reed", mrn="M2")
    page = body(desk_of(coordinator).post("/", {"q": "Ana"}))
    assert "2 patients fit." in page
    assert "Ana Reed" in page


def test_nobody_fits(course, coordinator, desk_of):
    assert "Nobody fits." in body(desk_of(coordinator).post("/", {"q": "Zoe"}))


def test_words_searched_for_stand_in_no_address(course, coordinator, desk_of):
    client = desk_of(coordinator)
    page = body(client.post("/", {"q": "Ana Zoe"}))
    assert "q=" not in page
    assert 'method="post"' in page
    assert "Nobody fits." not in body(client.get("/?q=Ana"))


def test_looking_and_searching_are_written_down(course, coordinator, desk_of):
    client = desk_of(coordinator)
    client.get("/")
    client.post("/", {"q": "Zoe"})
    actions = AuditEntry.objects.filter(member=coordinator).values_list("action", flat=True)
    assert set(actions) == {"read patient list", "read search"}
