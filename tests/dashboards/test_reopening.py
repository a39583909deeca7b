"""Staff see that a patient's own trend is closed, and open it again."""

import pytest
from django.urls import reverse

from clinic.models import AuditEntry, Patient

pytestmark = pytest.mark.django_db
CLOSED = "the own trend is closed"


def page(client, patient) -> str:
    return client.get(reverse("dashboards:patient", args=[patient.pk])).content.decode()


def test_only_after_the_fifth_try(course, coordinator, desk_of):
    client = desk_of(coordinator)
    Patient.objects.update(wrong_birth_dates=4)
    assert CLOSED not in page(client, course.patient)
    Patient.objects.update(wrong_birth_dates=5)
    assert CLOSED in page(client, course.patient)


def test_the_front_desk_opens_it_again(course, coordinator, desk_of):
    Patient.objects.update(wrong_birth_dates=5)
    client = desk_of(coordinator)
    address = reverse("dashboards:reopen-trend", args=[course.patient_id])
    assert address in page(client, course.patient)
    answer = client.post(address, follow=True)
    assert "The patient can enter the birth date again, five times." in answer.content.decode()
    assert Patient.objects.get().wrong_birth_dates == 0
    entry = AuditEntry.objects.get(action="reopen birth date")
    assert (entry.member, entry.fields) == (coordinator, ["wrong_birth_dates"])


def test_a_viewer_sees_it_and_has_no_button(course, viewer, desk_of):
    Patient.objects.update(wrong_birth_dates=5)
    seen = page(desk_of(viewer), course.patient)
    assert CLOSED in seen
    assert "Open it again" not in seen


def test_the_clinic_switches_it_on(clinic, admin, desk_of):
    client = desk_of(admin)
    assert not clinic.shows_own_trend
    assert "Show patients their own trend after sending" in client.get("/clinic/").content.decode()
