"""A row that nothing can be made of: it waits or ends, holds up nobody behind it, never spins."""

import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, models

from clinic.models import Course, Patient
from reminders import emails, moulds, ticking
from reminders.intending import PUZZLE
from reminders.models import Message, State
from reminders.statements import stored
from surveys.models import StepDue
from tests.builders import make_course
from tests.reminders.letters import HOUR, drain_at, make_message

MEGABYTE = "A" * 1_000_000


@pytest.fixture
def rows(clinic, mail_server, now) -> list[Message]:
    """The first is due soonest. What is to be wrong is wrong with it."""
    made = []
    for n in range(4):
        course = make_course(clinic, now=now, mrn=f"M{n}", name=f"P {n}", email=f"{n}@example.com")
        made.append(make_message(course, now=now, due_at=now - (4 - n) * HOUR))
    type(clinic).objects.update(greet_by_first_name=True)
    return made


def nothing_to_ask(row: Message) -> None:
    StepDue.objects.filter(follow_up=row.follow_up_id).update(instruments=["no-such-thing"])


def an_address_of_another_alphabet(row: Message) -> None:
    _patient(row, email="añä@example.com")


def an_address_with_a_line_break(row: Message) -> None:
    _patient(row, email="a@example.com\nBcc: all@example.com")


def a_domain_that_cannot_be_written(row: Message) -> None:
    _patient(row, email="a@" + "x" * 70 + "\u2603.example")


def no_such_zone(row: Message) -> None:
    _patient(row, zone="Mars/Olympus")


def no_zone(row: Message) -> None:
    _patient(row, zone="")


def no_such_language(row: Message) -> None:
    _patient(row, language="tlh")


def a_name_of_a_megabyte(row: Message) -> None:
    _patient(row, name=MEGABYTE)


def a_key_that_was_thrown_away(row: Message) -> None:
    type(row.follow_up).objects.filter(pk=row.follow_up_id).update(link_key_id="gone")


def a_seal_that_is_torn(row: Message) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE clinic_patient SET name = %s WHERE id = %s",
            [b"torn", stored(Patient, "id", row.patient_id)],
        )


def _patient(row: Message, **columns) -> None:
    for name, value in columns.items():
        setattr(row.patient, name, value)
    row.patient.save(update_fields=list(columns))


POISON = [
    nothing_to_ask,
    an_address_of_another_alphabet,
    an_address_with_a_line_break,
    a_domain_that_cannot_be_written,
    no_such_zone,
    no_zone,
    no_such_language,
    a_name_of_a_megabyte,
    a_key_that_was_thrown_away,
    a_seal_that_is_torn,
]


@pytest.mark.parametrize("spoil", POISON)
def test_it_blocks_nobody_and_does_not_spin(rows, mail_server, spoil, now):
    bad = rows[0]
    spoil(bad)
    began = time.monotonic()
    ticking.tick(now=now)
    drain_at(now)
    assert time.monotonic() - began < 20
    to = [address for taken in mail_server.messages for address in taken.recipients]
    assert set(to) >= {f"{n}@example.com" for n in range(1, 4)}
    assert len(set(to)) == len(to)
    assert not any("all@" in address for address in to)
    mine = Message.objects.get(pk=bad.pk)
    ended_or_sent = mine.ended_at is not None or mine.state == State.UNKNOWN
    assert ended_or_sent or (mine.state, mine.due_at) == (State.SCHEDULED, now + PUZZLE)
    assert mine.reason or mine.state == State.ACCEPTED
    assert mine.claims <= 1

    for minutes in range(1, 15):  # until it is looked at again
        drain_at(now + timedelta(minutes=minutes))
    assert Message.objects.get(pk=bad.pk).claims == mine.claims
    assert len(mail_server.messages) == len(to)


def test_a_torn_template_sends_nothing_until_it_is_whole(
    rows, mail_server, settings, tmp_path: Path, now
):
    """It concerns everybody's mail: all wait, none is lost, and no attempt counts."""
    folder = tmp_path / "reminders" / "email"
    folder.mkdir(parents=True)
    whole = settings.TEMPLATES
    real = Path(whole[0]["DIRS"][0]) / "reminders" / "email" / "invitation.txt"
    (folder / "invitation.txt").write_text("{% if %}")
    emails_forget()
    settings.TEMPLATES = [{**whole[0], "DIRS": [tmp_path, *whole[0]["DIRS"]]}]
    drain_at(now)
    assert real.exists()
    assert not mail_server.messages
    waiting = Message.objects.values_list("state", "attempts", "due_at").distinct()
    assert list(waiting) == [(State.SCHEDULED, 0, now + PUZZLE)]
    settings.TEMPLATES = whole
    emails_forget()
    drain_at(now + PUZZLE)
    assert len(mail_server.messages) == len(rows)


def emails_forget() -> None:
    """As a new process would."""
    for known in (*vars(emails).values(), *vars(moulds).values()):
        if hasattr(known, "cache_clear"):
            known.cache_clear()


def test_a_patient_with_messages_cannot_be_deleted(rows):
    """So there is no message without a patient: the database refuses it."""
    with pytest.raises(models.ProtectedError):
        rows[0].patient.delete()
    with pytest.raises(models.ProtectedError):
        Course.objects.get(patient=rows[0].patient_id).delete()
    assert {f.remote_field.on_delete for f in Message._meta.fields if f.is_relation} == {
        models.PROTECT
    }
