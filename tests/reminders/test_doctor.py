"""`manage.py doctor`: a line a check, an exit status, and nobody's data in it."""

import json
import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from redis import Redis

from clinic.models import Clinic
from reminders import pulses
from reminders.checks import mail_leads_back_here, reports_are_believed
from reminders.health import asking
from reminders.models import Lane, Message, State
from tests.reminders.letters import make_alert, make_message

NO_REDIS = "redis://127.0.0.1:1/0"


@pytest.fixture
def now():
    """The doctor reads the database's clock."""
    return timezone.now()


@pytest.fixture(autouse=True)
def _no_redis(settings):
    settings.REDIS_URL = NO_REDIS


def doctor(*arguments: str) -> tuple[int, str]:
    written = StringIO()
    try:
        call_command("doctor", *arguments, stdout=written)
    except SystemExit as ended:
        return int(str(ended.code)), written.getvalue()
    return 0, written.getvalue()


def findings() -> dict[str, tuple[str, str]]:
    _, written = doctor("--json")
    return {
        line["check"]: (line["state"], line["finding"]) for line in json.loads(written)["checks"]
    }


@pytest.mark.processes
def test_a_server_that_is_well_gets_nothing_but_ok(staffed, now, settings, redis_server):
    settings.REDIS_URL = redis_server.broker_url
    settings.SECURE_SSL_REDIRECT = settings.SECURE = True
    pulses.beat(pulses.TICK, now=now)
    states = findings()
    about_us = set(states) - {"settings", "durability"}  # the test run's own keys and database
    assert {check: states[check] for check in about_us if states[check][0] != "ok"} == {}


def test_the_exit_status_says_whether_something_failed(db, now, settings):
    assert doctor()[0] == 1
    assert json.loads(doctor("--json")[1])["ok"] is False


def test_each_line_that_is_not_ok_says_what_it_means_and_what_to_do(db):
    _, written = doctor()
    *lines, summary = written.strip().splitlines()
    for line in lines:
        assert line.startswith("ok ") or re.search(r"\. It means: .+\. Do: .+\.$", line), line
    assert re.fullmatch(r"\d+ ok, (\d+ warning, )?\d+ FAILED", summary)


def test_each_trouble_turns_its_own_line(course, now, settings):
    hours = timedelta(hours=25)
    message = make_message(course, now=now, due_at=now - hours)
    untold = make_alert(course.patient.clinic, now=now - hours)
    Lane.objects.create(name="postmark", opened=1, updated_at=now)
    states = findings()
    assert states["tick"] == ("failed", "no tick has ever ended")
    assert states["messages"][0] == "failed"
    assert states["alerts"] == ("failed", f"nobody was told: alert {untold.pk}")
    assert states["redis"] == ("failed", "does not answer (ConnectionError)")
    assert states["lane"][0] == "ok", "another lane's circuit holds nothing up"
    assert states["responders"] == ("warning", f"clinic {course.patient.clinic_id}")
    Message.objects.update(state=State.UNKNOWN)
    assert findings()["unknown"] == ("failed", f"older than a day: message {message.pk}")
    settings.MAIL_MODE = "hold"
    assert findings()["mail_mode"][0] == "failed"


def test_a_proven_responder_lifts_the_warning(staffed, now):
    assert findings()["responders"][0] == "ok"


def test_an_engine_without_redis_makes_its_absence_a_warning(db, now):
    pulses.beat(pulses.LOOP, now=now)
    assert findings()["redis"][0] == "warning"


@pytest.mark.processes
def test_a_redis_that_throws_keys_away_fails(own_valkey, settings):
    settings.REDIS_URL = own_valkey.broker_url
    assert asking.redis().error == ""
    Redis.from_url(own_valkey.client_url).config_set("maxmemory-policy", "allkeys-lru")
    assert asking.redis().policy == "allkeys-lru"


def test_nothing_of_a_patient_comes_out(course, clinician, now):
    patient = course.patient
    make_message(course, now=now, state=State.UNKNOWN, due_at=now - timedelta(days=2))
    make_alert(patient.clinic, patient=patient, now=now - timedelta(days=1))
    Clinic.objects.update(name="Ketamine Clinic of Ana Peña")
    written = doctor()[1] + doctor("--json")[1]
    for said in (patient.name, "Ana", patient.email, patient.phone, patient.mrn, "1984", "9=2",
                 "Ketamine", clinician.user.email, clinician.user.name):  # fmt: skip
        assert said not in written


def test_tables_that_are_not_there_are_named_and_nothing_else_is_asked(transactional_db):
    applied = MigrationRecorder(connection)
    (latest,) = MigrationLoader(connection).graph.leaf_nodes("reminders")
    applied.record_unapplied(*latest)
    try:
        states = findings()
    finally:
        applied.record_applied(*latest)
    assert states["migrations"] == ("failed", "not applied: " + ".".join(latest))
    assert set(states) == {"migrations", "mail_mode"}


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({}, set()),
        ({"MAIL_FROM": "updates@localhost"}, {"reminders.E002"}),
        ({"SECURE": False}, {"reminders.E003"}),
        ({"MAIL_MODE": "hold", "SECURE": False}, set()),
    ],
)
def test_a_server_that_writes_to_patients_needs_an_address_and_https(settings, changes, errors):
    good = {"MAIL_MODE": "send", "MAIL_FROM": "updates@clinic.example", "SECURE": True}
    for name, value in {**good, **changes}.items():
        setattr(settings, name, value)
    assert {message.id for message in mail_leads_back_here()} == errors


@pytest.mark.parametrize(
    ("provider", "given", "missing"),
    [
        ("postmark", {}, "ANYMAIL_WEBHOOK_SECRET"),
        ("postmark", {"WEBHOOK_SECRET": ["a:b"]}, ""),
        ("resend", {"WEBHOOK_SECRET": ["a:b"]}, "SIGNING_SECRET"),
        ("amazon_ses", {"WEBHOOK_SECRET": ["a:b"]}, "SNS_TOPICS"),
        ("mailgun", {"WEBHOOK_SECRET": ["a:b"], "MAILGUN_WEBHOOK_SIGNING_KEY": "k"}, ""),
    ],
)
def test_a_provider_whose_reports_would_be_refused_is_named(settings, provider, given, missing):
    settings.MAIL_MODE, settings.SNS_TOPICS = "send", []
    settings.EMAIL_BACKEND = f"anymail.backends.{provider}.EmailBackend"
    settings.ANYMAIL = given
    found = [message.msg for message in reports_are_believed()]
    assert len(found) == bool(missing)
    assert all(message.startswith(missing) for message in found)


def test_over_smtp_no_report_is_expected(settings):
    settings.MAIL_MODE = "send"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    assert reports_are_believed() == []
