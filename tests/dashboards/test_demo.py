"""The demo's clinic: believable people, lived through by production's own functions."""

import json
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.conf import settings
from django.core import mail
from django.core.management import CommandError, call_command
from django.db.models import Q

from clinic.actors import system
from clinic.models import Clinic, Patient
from dashboards.demo import Sitting, due_life, lives
from dashboards.living import history
from dashboards.management.commands.seed_demo import DAYTIME, daytime_zone
from reminders import dispatch, planning, ticking
from reminders.models import Message, State
from surveys import instruments
from surveys.models import Alert, Response, StepDue
from surveys.scoring import score

TODAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 23, 19, 5, tzinfo=UTC)  # five past noon in the clinic


def total(life, key: str, on: date):
    instrument, answers = instruments.latest(key), {}
    for screen in instrument.screens:
        answers |= Sitting(life, on).answers(instrument, screen)
    return score(instrument, answers)[0].value


def test_the_same_seed_makes_the_same_people():
    assert lives(TODAY) == lives(TODAY)
    assert lives(TODAY, seed=1) != lives(TODAY)


def test_about_forty_people_who_cannot_be_anybody():
    people = [life.person for life in lives(TODAY)]
    assert 35 <= len(people) <= 45
    assert len({person.name for person in people}) == len(people)
    assert len({person.mrn for person in people}) == len(people)
    assert all(person.email.endswith("@patients.example") for person in people)
    assert {person.language for person in people} == {"en", "es"}


def test_all_four_protocols_over_half_a_year():
    everybody = lives(TODAY)
    assert len({life.protocol for life in everybody}) == 4
    assert min(life.enrolled_on for life in everybody) < TODAY - timedelta(days=150)
    assert any(life.silent_from for life in everybody)
    assert any(life.bounces_on for life in everybody)
    assert any(day > TODAY for life in everybody for day in life.planned)


def test_a_day_asked_about_twice_is_answered_alike():
    life = lives(TODAY)[0]
    assert total(life, "phq9", TODAY) == total(life, "phq9", TODAY)


@pytest.mark.parametrize(("fate", "improves"), [("lasting", True), ("none", False)])
def test_scores_tell_the_story(fate, improves):
    for life in lives(TODAY):
        if life.fate.word == fate and life.protocol == "depression-induction" and life.infusions:
            before = total(life, "phq9", life.enrolled_on)
            after = total(life, "phq9", life.infusions[-1] + timedelta(days=21))
            assert (after <= before / 2) is improves


@pytest.mark.parametrize("hour", range(24))
def test_it_is_daytime_somewhere_at_every_hour(hour):
    now = datetime(2026, 7, 1, hour, 30, tzinfo=UTC)
    assert now.astimezone(daytime_zone(now)).hour in DAYTIME


@pytest.mark.parametrize("hour", [0, 6, 12, 18])
def test_the_due_patients_main_outcome_is_due_today(hour):
    now = datetime(2026, 11, 23, hour, 30, tzinfo=UTC)
    today = now.astimezone(daytime_zone(now)).date()
    assert due_life(today, "Asia/Tokyo", 9).infusions[-1] == today - timedelta(days=21)


def seed(**options) -> dict[str, str]:
    out = StringIO()
    call_command("seed_demo", stdout=out, at=NOON, patients=3, **options)
    return json.loads(out.getvalue().splitlines()[-1])


@pytest.mark.slow
def test_history_is_lived_nothing_of_it_leaves_and_one_check_in_is_due(db):
    told = seed()
    assert mail.outbox == []
    assert Message.objects.filter(state=State.ACCEPTED).count() > 10
    assert StepDue.objects.filter(state=StepDue.State.SATISFIED).count() > 10
    assert Response.objects.for_outcomes().exists()
    assert not Message.objects.filter(Q(accepted_at__gt=NOON) | Q(ended_at__gt=NOON)).exists()
    # On the list: one that the clinician has taken, one that waits for a second person to agree to
    # its end, one that nobody has.
    still_open = Alert.objects.open().order_by("raised_at")
    assert [bool(alert.owner_id) for alert in still_open] == [True, True, False]
    assert [bool(alert.closing_by_id) for alert in still_open] == [False, True, False]
    for patient in Patient.objects.filter(send_hour=None):
        assert not planning.reconcile(patient, now=NOON, by=system("test")).any

    ticking.tick(now=NOON)
    dispatch.drain(clock=lambda: NOON)
    assert [sent.to for sent in mail.outbox] == [[told["due_email"]]]
    sent = Message.objects.get(accepted_at=NOON)
    assert sent.patient.name == told["due_patient"]
    assert "phq9" in [name for due in sent.follow_up.dues.all() for name in due.instruments]

    before = Patient.objects.count()
    again = seed()
    assert Patient.objects.count() == before + 1
    assert again["due_patient"] != told["due_patient"]
    assert again["password"] == told["password"]


def test_another_clinics_database_is_left_alone(db):
    Clinic.objects.create(name="Ours", zone="America/Denver", created_at=NOON)
    with pytest.raises(CommandError, match="nothing was changed"):
        seed()
    assert Clinic.objects.count() == 1


def test_a_server_gets_no_known_password(db, settings):
    settings.SECURE = True
    with pytest.raises(CommandError, match="not for a server"):
        seed()


def _fail() -> None:
    assert settings.EMAIL_BACKEND.endswith("dummy.EmailBackend")
    raise ZeroDivisionError


def test_the_way_out_is_given_back_even_after_a_failure():
    before = settings.EMAIL_BACKEND, settings.MAIL_MODE
    with pytest.raises(ZeroDivisionError), history():
        _fail()
    after = settings.EMAIL_BACKEND, settings.MAIL_MODE
    assert after == before
