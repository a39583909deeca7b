"""Numbers for Prometheus: behind a token, bounded, and about nobody."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from prometheus_client.parser import text_string_to_metric_families

from reminders import metrics, pulses
from reminders.models import Attempt, Lane, ProviderEvent, State
from tests.builders import make_course
from tests.reminders.letters import HOUR, make_alert, make_message

TOKEN = "a-token-of-the-operators-own"


def scrape(now) -> dict[tuple[str, str], float]:
    """Each sample by its name and the value of its one label."""
    text = metrics.exposition(now=now).decode()
    return {
        (sample.name.removeprefix("afterglow_"), "".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def attempts(message, now, count: int) -> None:
    for n in range(1, count + 1):
        outcome = Attempt.Outcome.ACCEPTED if n == count else Attempt.Outcome.NOT_SENT
        Attempt.objects.create(
            message=message, n=n, lane="smtp", outcome=outcome, started_at=now,
            ended_at=now, idempotency_key=message.pk, template_version="1",
        )  # fmt: skip


def test_ages_and_counts_are_those_of_the_rows(course, clinician, now):
    clinic = course.patient.clinic
    make_message(course, now=now, due_at=now - HOUR)
    other = make_course(clinic, now=now, mrn="M1", name="P 1")
    unknown = make_message(other, now=now, due_at=now - 2 * HOUR, state=State.UNKNOWN)
    attempts(unknown, now, 2)
    make_alert(clinic, now=now)
    make_alert(clinic, now=now, owner=clinician, taken_at=now)
    pulses.beat(pulses.TICK, now=now - timedelta(seconds=7))
    Lane.objects.create(name="smtp", opened=2, paused_until=now + HOUR, updated_at=now)
    ProviderEvent.objects.create(
        provider="postmark", dedupe_key="1", kind="sent", received_at=now, try_after=now - HOUR
    )
    read = scrape(now)
    assert read["waiting", "messages_due"] == 1
    assert read["oldest_age_seconds", "messages_due"] == 3600
    assert (read["waiting", "unknown"], read["oldest_age_seconds", "unknown"]) == (1, 7200)
    assert (read["untaken_alerts", "urgent"], read["untaken_alerts", "critical"]) == (1, 0)
    assert read["pulse_age_seconds", "tick"] == 7
    assert (read["lane_opened", "smtp"], read["lane_paused_seconds", "smtp"]) == (2, 3600)
    assert (read["waiting", "reports"], read["oldest_age_seconds", "reports"]) == (1, 3600)
    assert (read["check", "tick"], read["check", "messages"]) == (0, 2)
    assert read["accepted_last_hour", ""] == 1
    assert read["calls_total", ""] == Attempt.objects.latest("pk").pk


def test_what_was_accepted_an_hour_ago_is_not_counted(message, now):
    attempts(message, now, 1)
    moment = timedelta(microseconds=1)
    assert scrape(now + HOUR - moment)["accepted_last_hour", ""] == 1
    assert scrape(now + HOUR)["accepted_last_hour", ""] == 0


def test_an_empty_service_has_numbers_too(db, now):
    read = scrape(now)
    assert read["calls_total", ""] == 0
    assert read["waiting", "messages_due"] == 0


def test_a_scrape_asks_a_fixed_number_of_questions_however_much_there_is(course, now):
    def asked() -> list[str]:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            metrics.exposition(now=now)
        return [query["sql"] for query in captured.captured_queries]

    empty = asked()
    for n in range(5):
        made = make_course(course.patient.clinic, now=now, mrn=f"M{n}", name=f"P {n}")
        attempts(make_message(made, now=now), now, 3)
        make_alert(course.patient.clinic, now=now, trigger=f"9={n}")
    full = asked()
    assert len(full) == len(empty) == 22
    unbounded = [sql for sql in full if "COUNT(" in sql and "LIMIT" not in sql]
    assert [
        table for sql in unbounded for table in ("message", "notice", "event") if table in sql
    ] == []


def test_no_label_names_a_clinic_or_a_patient(course, now):
    make_message(course, now=now, due_at=now - HOUR)
    written = metrics.exposition(now=now).decode()
    patient = course.patient
    for said in (patient.name, patient.clinic.name, str(patient.pk), str(patient.clinic_id)):
        assert said not in written


def test_without_a_token_there_is_no_such_address(db, client):
    assert client.get(reverse("metrics"), headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize("given", ["", TOKEN, f"Basic {TOKEN}", "Bearer wrong", f"bearer {TOKEN}é"])
def test_a_wrong_token_gets_nothing(db, client, settings, given):
    settings.METRICS_TOKEN = TOKEN
    response = client.get(reverse("metrics"), headers={"Authorization": given} if given else {})
    assert (response.status_code, response.content) == (401, b"")


def test_the_right_token_gets_the_numbers_and_nobody_keeps_them(db, client, settings):
    settings.METRICS_TOKEN = TOKEN
    response = client.get(reverse("metrics"), headers={"Authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 200
    assert b"afterglow_oldest_age_seconds" in response.content
    assert "no-store" in response.headers["Cache-Control"]
