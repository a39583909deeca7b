"""Enrolling: what it will send is shown before anything is kept."""

import html
import re
import uuid

import pytest
from django.urls import reverse

from clinic.models import Course, Patient
from dashboards.slips import meant
from reminders.models import Message
from surveys.models import FollowUp

pytestmark = pytest.mark.django_db
URL = "/patients/enrol/"


def typed(**changes: object) -> dict[str, object]:
    return {
        "patient_id": uuid.uuid4(),
        "course_id": uuid.uuid4(),
        "consent_version": "2026-11",
        "name": "Benita Ruiz",
        "birth_date": "1990-02-01",
        "email": "benita@example.com",
        "phone": "",
        "language": "en",
        "zone": "",
        "indication": "depression",
        "protocol": "depression-induction",
        "planned_infusions": "6",
        "consent": "on",
        "step": "enrol",
        **changes,
    }


def body(response) -> str:
    return html.unescape(response.content.decode())


@pytest.fixture
def client_at_desk(coordinator, desk_of):
    return desk_of(coordinator)


def test_at_most_nine_fields_are_in_sight(client_at_desk):
    page = body(client_at_desk.get(URL))
    form = page[page.index("<main") : page.index("</main>")]
    unfolded = re.sub(r"<details.*?</details>", "", form, flags=re.S)
    fields = re.findall(r'<(?:input|select|textarea)(?![^>]*type="hidden")[^>]*name="', unfolded)
    assert len(fields) == 9


def test_the_preview_keeps_nothing_and_tells_what_will_go(client_at_desk):
    page = body(client_at_desk.post(URL, typed(step="preview")))
    assert Patient.objects.count() == 0
    assert "PHQ-8" in page or "PHQ-9" in page
    assert "Baseline" in page
    assert 'value="Benita Ruiz"' in page


def test_enrolling_plans_what_the_preview_said(client_at_desk):
    given = typed()
    page = body(client_at_desk.post(URL, {**given, "step": "preview"}))
    client_at_desk.post(URL, given)
    follow_up = FollowUp.objects.get()
    assert Message.objects.get().kind == "invitation"
    local = follow_up.send_at.astimezone(follow_up.patient.tz)
    assert f"{local:%a} {local.day} {local:%b %Y, %H:%M}" in page


def test_without_an_address_nothing_will_be_mailed(client_at_desk):
    page = body(client_at_desk.post(URL, typed(step="preview", email="")))
    assert "in the clinic" in page


def test_the_same_form_sent_twice_enrols_once(client_at_desk):
    given = typed()
    client_at_desk.post(URL, given)
    client_at_desk.post(URL, given)
    assert (Patient.objects.count(), Course.objects.count()) == (1, 1)


def test_without_consent_nobody_is_enrolled(client_at_desk):
    given = typed()
    del given["consent"]
    page = body(client_at_desk.post(URL, given))
    assert "There is a problem" in page
    assert "Tick this when the patient has read and agreed." in page
    assert Patient.objects.count() == 0


@pytest.mark.parametrize(
    ("field", "wrong"),
    [("birth_date", "someday"), ("email", "no at sign"), ("name", ""), ("protocol", "mine")],
)
def test_what_was_typed_is_kept_when_something_is_wrong(client_at_desk, field, wrong):
    page = body(client_at_desk.post(URL, typed(**{field: wrong, "phone": "432 555 0142"})))
    assert Patient.objects.count() == 0
    assert "There is a problem" in page
    assert "432 555 0142" in page


def test_half_a_trusted_person_comes_back_as_typed(client_at_desk):
    page = body(client_at_desk.post(URL, typed(trusted_name="Lucía Peña")))
    assert "Enter the trusted person's telephone." in page
    assert 'value="Lucía Peña"' in page
    client_at_desk.post(URL, typed(trusted_name="Lucía Peña", trusted_phone="432 555 0188"))
    assert Patient.objects.get().trusted_phone == "432 555 0188"


def test_a_slip_in_the_address_is_asked_about_once(client_at_desk):
    given = typed(email="benita@gmial.com")
    page = body(client_at_desk.post(URL, given))
    assert "Did you mean benita@gmail.com?" in page
    assert Patient.objects.count() == 0
    client_at_desk.post(URL, {**given, "email_seen": "benita@gmial.com"})
    assert Patient.objects.get().email == "benita@gmial.com"


def test_somebody_who_may_be_enrolled_already_is_shown(course, client_at_desk):
    known = course.patient
    given = typed(name=known.name, birth_date="1984-03-05", email="")
    page = body(client_at_desk.post(URL, given))
    assert reverse("dashboards:patient", args=[known.pk]) in page
    assert Patient.objects.count() == 1
    client_at_desk.post(URL, {**given, "another_person": "on"})
    assert Patient.objects.count() == 2


def test_a_namesake_of_another_clinic_is_not_mentioned(course, other_clinic_admin, desk_of):
    given = typed(name=course.patient.name, birth_date="1984-03-05", step="preview")
    page = body(desk_of(other_clinic_admin).post(URL, given))
    assert str(course.patient.pk) not in page


def test_typing_refreshes_the_preview_alone(client_at_desk):
    page = body(client_at_desk.post(URL, typed(step=""), headers={"HX-Request": "true"}))
    assert "This will send" in page
    assert "<html" not in page


@pytest.mark.parametrize(
    ("address", "probably"),
    [
        ("ada@gmial.com", "ada@gmail.com"),
        ("ada@gmail.con", "ada@gmail.com"),
        ("ada@yahooo.com", "ada@yahoo.com"),
        ("ada@clinic.con", "ada@clinic.com"),
        ("ada@gmail.com", ""),
        ("ada@GMAIL.com", ""),
        ("ada@example.org", ""),
        ("ada@mail.com", ""),
        ("not an address", ""),
        ("", ""),
    ],
)
def test_slips_of_the_finger(address, probably):
    assert meant(address) == probably
