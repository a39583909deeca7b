"""The fast way writes the same mail as the plain one, for anybody, or is not taken."""

from dataclasses import replace

import pytest

from reminders import emails, moulds
from reminders.letters import Letter, message_letter
from tests.builders import make_course
from tests.reminders.letters import make_message


@pytest.fixture(autouse=True)
def _fresh():
    moulds._mould.cache_clear()
    yield
    moulds._mould.cache_clear()


def letter_of(clinic, now, name="Ana Peña", language="en", **changes) -> Letter:
    clinic.greet_by_first_name, clinic.phone = True, "(432) 555-0199"
    clinic.save()
    course = make_course(clinic, now=now, name=name, language=language, mrn="")
    letter = message_letter(make_message(course, now=now), ("phq9",))
    return replace(letter, **changes)


def wire(mail) -> bytes:
    if isinstance(mail.email, moulds.Moulded):
        return mail.email.wire
    return mail.email.message().as_bytes(linesep="\r\n")


NAMES = [
    "Ana",
    "D'Arcy",
    "Ño",
    "李",
    "<b>x",
    "A&amp;B",
    '"quoted"',
    "a\u00a0b",
    ".dot",
    "%s",
    "{0}",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", ["en", "es"])
def test_it_is_the_same_mail_for_any_name(clinic, name, language, now):
    moulds.write(letter_of(clinic, now, "Other Body", language), "smtp")  # makes the mould
    letter = letter_of(clinic, now, f"{name} Surname", language)
    fast, plain = moulds.write(letter, "smtp"), emails.write(letter, "smtp")
    assert isinstance(fast.email, moulds.Moulded)
    assert moulds._read(wire(fast)) == moulds._read(wire(plain))


@pytest.mark.parametrize("lane", ["postmark", "resend"])
def test_a_provider_is_handed_the_same_to_the_letter(clinic, lane, now):
    moulds.write(letter_of(clinic, now, "Other Body"), lane)
    letter = letter_of(clinic, now, "D'Arcy<b> Byrne")
    fast, plain = moulds.write(letter, lane), emails.write(letter, lane)
    assert fast.sha256 == plain.sha256
    assert fast.email.metadata == plain.email.metadata
    assert fast.email.extra_headers == plain.email.extra_headers


@pytest.mark.parametrize(
    "to",
    ["ana@exa mple.com", "ana@example.com\r\nBcc: x@y.z", "señor@example.com", "<ana@example.com>"],
)
def test_an_address_out_of_the_ordinary_takes_the_plain_way(clinic, to, now):
    assert not moulds._fits(letter_of(clinic, now, to=to))


@pytest.mark.parametrize("name", ["x" * 61, "tab\there", "bell\x07"])
def test_a_name_out_of_the_ordinary_takes_the_plain_way(clinic, name, now):
    letter = letter_of(clinic, now)
    letter = replace(letter, context={**letter.context, "first_name": name})
    assert not moulds._fits(letter)


def test_a_notice_takes_the_plain_way(clinic, now):
    assert not moulds._fits(replace(letter_of(clinic, now), unsubscribe=""))


def test_nothing_of_one_patient_is_in_anothers_mail(clinic, now):
    first = letter_of(clinic, now, "Zebedee Quux", to="first@example.com")
    second = letter_of(clinic, now, "Ana Peña", to="second@example.com")
    moulds.write(first, "smtp")
    mail = wire(moulds.write(second, "smtp")).decode()
    for secret in ("Zebedee", "first@example.com", first.context["link"], first.unsubscribe):
        assert secret not in mail
    assert "MARK" not in mail


def test_a_mould_that_says_anything_else_is_never_used_again(clinic, now, monkeypatch, caplog):
    letter = letter_of(clinic, now)
    right = moulds._escaped
    monkeypatch.setattr(moulds, "_escaped", lambda value: right(value) + "!")
    mail = moulds.write(letter, "smtp")
    assert not isinstance(mail.email, moulds.Moulded)
    assert b"!" not in wire(mail).split(b"text/html")[1].split(b"Ana")[0][-3:]
    monkeypatch.setattr(moulds, "_escaped", right)
    assert not isinstance(moulds.write(letter, "smtp").email, moulds.Moulded)
    assert "broken" in caplog.text
    assert "Ana" not in caplog.text


def test_every_so_many_are_compared(clinic, now, monkeypatch):
    letter, compared = letter_of(clinic, now), []
    right = moulds._same
    monkeypatch.setattr(moulds, "_same", lambda *pair: compared.append(1) or right(*pair))
    for _ in range(moulds.COMPARED + 1):
        moulds.write(letter, "smtp")
    assert len(compared) == 2


def test_another_sender_phone_or_length_is_another_mould(clinic, now):
    letter = letter_of(clinic, now)
    key = moulds._key(letter, "smtp")
    for name in ("phone", "sender", "minutes", "nth"):
        other = replace(letter, context={**letter.context, name: "x"})
        assert moulds._key(other, "smtp") != key
