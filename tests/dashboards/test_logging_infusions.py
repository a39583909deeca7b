"""Logging an infusion: one short form that says what it will send."""

import html
from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from clinic.infusions import InfusionDetails
from clinic.infusions import log as log_verb
from clinic.models import AuditEntry, Infusion
from reminders.models import Message
from surveys.models import StepDue
from tests.builders import BY_TEST
from tests.dashboards.histories import make_infusion

pytestmark = pytest.mark.django_db


def body(response) -> str:
    return html.unescape(response.content.decode())


def url(course, name="log-infusion") -> str:
    return reverse(f"dashboards:{name}", args=[course.pk])


def typed(**changes: object) -> dict[str, object]:
    return {"started_at": "2026-04-12T08:30", "route": "iv", **changes}


def test_the_form_knows_now_the_number_and_the_last_dose(treated, clinician, desk_of, later):
    details = InfusionDetails(
        started_at=later - timedelta(days=3), dose_mg_per_kg=Decimal("0.50"), duration_minutes=40
    )
    log_verb(treated, details, by=BY_TEST, now=later)
    page = body(desk_of(clinician).get(url(treated)))
    assert "Log infusion 6" in page
    assert 'value="2026-04-12T10:00"' in page
    assert 'value="0.50"' in page
    assert 'value="40"' in page


def test_the_page_shows_what_it_will_send_before_saving(treated, clinician, desk_of):
    page = body(desk_of(clinician).get(url(treated)))
    assert "This will send" in page
    assert "Day after" in page
    assert Infusion.objects.count() == 4


def test_logging_plans_at_once_and_can_be_undone(treated, clinician, desk_of):
    client = desk_of(clinician)
    response = client.post(url(treated), typed(dose_mg_per_kg="0.5"), follow=True)
    logged = Infusion.objects.completed().latest("started_at")
    assert StepDue.objects.filter(infusion=logged, step="A1").exists()
    assert Message.objects.filter(state="scheduled").exists()
    page = body(response)
    assert "Infusion 5" in page
    assert reverse("dashboards:cancel-infusion", args=[logged.pk]) in page
    client.post(reverse("dashboards:cancel-infusion", args=[logged.pk]), {"reason": "in error"})
    logged.refresh_from_db()
    assert logged.status == "cancelled"
    assert set(logged.dues.values_list("state", flat=True)) == {"cancelled"}


def test_a_second_one_on_the_same_day_is_asked_about(treated, clinician, desk_of, later):
    make_infusion(treated, later - timedelta(hours=5))
    client = desk_of(clinician)
    page = body(client.post(url(treated), typed()))
    assert "on this day is recorded already" in page
    assert Infusion.objects.count() == 5
    client.post(url(treated), typed(same_day="on"))
    assert Infusion.objects.count() == 6


def test_the_same_form_twice_logs_once(treated, clinician, desk_of):
    client = desk_of(clinician)
    client.post(url(treated), typed())
    client.post(url(treated), typed(same_day="on"))
    assert Infusion.objects.count() == 5


def test_the_front_desk_logs_without_the_dose(treated, coordinator, desk_of):
    client = desk_of(coordinator)
    page = body(client.get(url(treated)))
    assert "mg/kg" not in page
    client.post(url(treated), typed(dose_mg_per_kg="9.0"))
    assert Infusion.objects.completed().latest("started_at").dose_mg_per_kg is None


def test_a_time_in_the_future_is_refused_in_words(treated, clinician, desk_of):
    page = body(desk_of(clinician).post(url(treated), typed(started_at="2026-04-13T08:30")))
    assert "This time is in the future" in page
    assert 'value="2026-04-13T08:30"' in page


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"dose_mg_per_kg": "55"}, "Dose, mg/kg: at most 20."),
        ({"oxygen_min": "5"}, "Lowest SpO2, %: at least"),
        ({"started_at": ""}, "When: must be filled in."),
    ],
)
def test_what_is_wrong_is_named_with_its_field(treated, clinician, desk_of, wrong, said):
    page = body(desk_of(clinician).post(url(treated), typed(**wrong)))
    assert page.count(said) == 2  # in the summary and at the field


def test_the_next_one_is_planned_with_it_or_not_at_all(treated, clinician, desk_of):
    client = desk_of(clinician)
    client.post(url(treated), typed(next_at="2026-04-01T08:00"))
    assert Infusion.objects.count() == 4
    client.post(url(treated), typed(next_at="2026-04-15T08:00"))
    assert Infusion.objects.planned().count() == 1


def test_a_planned_one_took_place(treated, clinician, desk_of, later):
    planned = make_infusion(treated, later + timedelta(days=1), now=later)
    client = desk_of(clinician)
    target = f"{url(treated)}?planned={planned.pk}"
    assert "This was the one planned for" in body(client.get(target))
    client.post(target, typed())
    planned.refresh_from_db()
    assert (planned.status, Infusion.objects.count()) == ("completed", 5)


def test_the_one_planned_for_that_day_is_the_one_that_took_place(treated, clinician, desk_of):
    client = desk_of(clinician)
    client.post(url(treated, "plan-infusion"), {"started_at": "2026-04-12T11:00"})
    assert "This was the one planned for" in body(client.get(url(treated)))
    page = body(client.post(url(treated), typed(), follow=True))
    assert (Infusion.objects.planned().count(), Infusion.objects.count()) == (0, 5)
    assert "Infusion 5" in page
    assert "Undo" not in page, "it would cancel the plan"


def test_of_two_planned_for_one_day_none_is_guessed(treated, clinician, desk_of):
    client = desk_of(clinician)
    for time in ("11:00", "15:00"):
        client.post(url(treated, "plan-infusion"), {"started_at": f"2026-04-12T{time}"})
    client.post(url(treated), typed())
    assert Infusion.objects.planned().count() == 2


def test_planning_one(treated, coordinator, desk_of):
    desk_of(coordinator).post(url(treated, "plan-infusion"), {"started_at": "2026-04-20T09:00"})
    assert Infusion.objects.planned().get().course == treated


def test_a_reason_that_cannot_be_kept_cancels_nothing(treated, clinician, desk_of):
    given = treated.infusions.first()
    path = reverse("dashboards:cancel-infusion", args=[given.pk])
    page = body(desk_of(clinician).post(path, {"reason": "x" * 201}, follow=True))
    assert "Nothing was cancelled" in page
    given.refresh_from_db()
    assert given.status == "completed"


def test_correcting_the_time_moves_what_follows(treated, clinician, desk_of, later):
    client = desk_of(clinician)
    client.post(url(treated), typed())
    logged = Infusion.objects.completed().latest("started_at")
    due = StepDue.objects.get(infusion=logged, step="A1")
    form = typed(started_at="2026-04-11T08:30")
    client.post(reverse("dashboards:infusion", args=[logged.pk]), form)
    moved = StepDue.objects.get(pk=due.pk)
    assert moved.target_at == due.target_at - timedelta(days=1)


def test_the_preview_alone_follows_the_typing(treated, clinician, desk_of):
    page = body(desk_of(clinician).post(url(treated, "preview-infusion"), typed()))
    assert "This will send" in page
    assert "<html" not in page
    assert Infusion.objects.count() == 4


@pytest.mark.parametrize("name", ["log-infusion", "preview-infusion", "plan-infusion"])
@pytest.mark.parametrize("year", ["0001", "1989", "2100", "9999"])
def test_a_year_that_cannot_be_meant_is_refused(treated, clinician, desk_of, name, year):
    given = typed(started_at=f"{year}-12-31T23:59")
    response = desk_of(clinician).post(url(treated, name), given)
    assert response.status_code == 200
    assert name == "preview-infusion" or "Check the year" in body(response)
    assert Infusion.objects.count() == 4


def test_looking_at_a_preview_is_written_down(treated, clinician, desk_of):
    desk_of(clinician).post(url(treated, "preview-infusion"), typed())
    entry = AuditEntry.objects.filter(member=clinician).get()
    assert (entry.action, entry.patient) == ("read course", treated.patient)


def test_a_time_that_cannot_be_read_previews_nothing(treated, clinician, desk_of):
    page = body(desk_of(clinician).post(url(treated, "preview-infusion"), typed(started_at="x")))
    assert "Enter when it took place" in page
