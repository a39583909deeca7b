"""The own trend behind the birth date: the only page of a link that reads anything back."""

import logging
import re
from datetime import timedelta

import pytest

from clinic import birth_dates
from clinic.models import AuditEntry, Patient
from surveys.models import FollowUp
from tests.builders import BY_TEST, make_course
from tests.surveys.follow_ups import answer_all, make_follow_up
from tests.surveys.histories import DAY, allow_own_trend, begin
from tests.surveys.test_spanish import english_in

MINUTE = timedelta(minutes=1)
TREND = "/check-in/trend/"
RIGHT = {"month": "3", "day": "5", "year": "1984"}
WRONG = {"month": "5", "day": "3", "year": "1984"}
SHOW = "Show how my answers changed"
LOWER = "Your answers today are lower than at the start (lower is better)."
NO_MATCH = "This is not the date of birth that your clinic has."


@pytest.fixture
def begun(course, clinic, now, clock):
    allow_own_trend(clinic)
    begin(course, ["phq9"], at=now)
    clock.move_to(now + 21 * DAY)
    return course


@pytest.fixture
def asked(begun, clock) -> FollowUp:
    return make_follow_up(begun, ["phq9"], now=now_of(begun))


def now_of(course):
    return course.enrolled_at + 21 * DAY


def send(handset, follow_up, *, at, **given):
    """Start in this browser, answer, send; the thanks page."""
    handset.start(follow_up)
    answer_all(follow_up, now=at, value=1, send=False, **{"i9": 0, **given})
    handset.get("/check-in/review/")
    return handset.press("Send my answers")


@pytest.fixture
def sent(handset, begun, asked):
    send(handset, asked, at=now_of(begun))
    return handset


# -- Seen -------------------------------------------------------------------------------------


def test_words_first_then_the_line_then_the_numbers(sent):
    sent.follow("See how my answers changed")
    assert sent.page.path == TREND
    page = sent.press(SHOW, **RIGHT)
    assert page.status == 200
    assert page.html.index(LOWER) < page.html.index("<svg") < page.html.index("<table")
    assert "At the start, March 3, 2026: 16. Today: 8. The scale is 0 to 27." in page.text
    assert "March 24, 2026" in page.text
    assert "Talk to your clinic about what this means." in page.text
    assert page.title == "Check-in"


def test_nothing_names_a_severity_an_instrument_or_anybody(sent, patient):
    sent.get(TREND)
    page = sent.press(SHOW, **RIGHT)
    seen = (page.html + str(page.response.headers)).lower()
    words = ["severe", "moderate", "mild", "minimal", "phq", "depress", "remission", "you scored"]
    words += ["ana", "peña", "1984", "mrn", "north", "ketamin", "red flag", "baseline"]
    assert [word for word in words if re.search(rf"\b{word}", seen)] == []


def test_nothing_of_it_stays_behind(sent):
    sent.get(TREND)
    page = sent.press(SHOW, **RIGHT)
    assert (page.path, page.response.request["QUERY_STRING"]) == (TREND, "")
    assert "no-store" in page.response.headers["Cache-Control"]
    assert page.response.headers["Referrer-Policy"] == "no-referrer"
    assert "<script" not in page.html
    page = sent.get(TREND)
    assert "What is your date of birth?" in page.text
    assert "<svg" not in page.html
    assert [field["value"] for field in page.inputs if field.get("type") == "text"] == [""] * 3


def test_a_look_is_on_record_before_the_page_is_made(sent, asked, patient):
    sent.get(TREND)
    sent.press(SHOW, **RIGHT)
    proven, read = AuditEntry.objects.order_by("-pk")[:2][::-1]
    assert (proven.action, read.action) == ("prove birth date", "read own trend")
    assert read.actor == AuditEntry.Actor.PATIENT_LINK
    assert (read.patient, read.reason) == (patient, f"follow-up {asked.pk}")


def test_the_crisis_lines_stand_before_and_behind_the_date(sent):
    for page in (sent.get(TREND), sent.press(SHOW), sent.press(SHOW, **WRONG)):
        assert page.links["988"] == "tel:988"
        assert "I need help now" in page.text
    sent.press("I need help now")
    assert sent.page.path == "/check-in/help/"
    assert sent.get(TREND).path == "/check-in/sent/"  # and then there is no trend today


def test_reloading_the_answer_shows_it_again(sent):
    sent.get(TREND)
    sent.press(SHOW, **RIGHT)
    form = {"stamp": next(i["value"] for i in sent.page.inputs if i["name"] == "stamp"), **RIGHT}
    assert LOWER in sent._keep(sent.client.post(TREND, form)).text


def test_looking_at_the_question_writes_nothing(sent, assert_no_writes):
    with assert_no_writes():
        for path in (TREND, "/check-in/sent/"):
            sent.client.get(path)
            sent.client.head(path)


# -- Wrong dates ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({}, "Enter your date of birth: month, day and year."),
        ({**RIGHT, "day": ""}, "Enter your date of birth: month, day and year."),
        ({**RIGHT, "month": "March"}, "Enter your date of birth: month, day and year."),
        ({**RIGHT, "year": "84"}, "Write the year with four digits, like 1984."),
        ({**RIGHT, "year": "0000"}, "This date is not in the calendar."),
        ({**RIGHT, "day": "31", "month": "2"}, "This date is not in the calendar."),
        ({**RIGHT, "day": "9" * 40}, "This date is not in the calendar."),
        ({**RIGHT, "year": "2027"}, "This date is in the future. Please check the year."),
    ],
)
def test_what_is_no_date_is_no_try_and_stays_in_its_fields(sent, patient, typed, said):
    sent.get(TREND)
    page = sent.press(SHOW, **typed)
    assert page.title == "Error: Check-in"
    assert said in page.text
    assert next(to for text, to in page.links.items() if text.startswith(said)) == "#month"
    kept = {i["name"]: i["value"] for i in page.inputs if i.get("type") == "text"}
    assert kept == {"month": "", "day": "", "year": "", **typed}
    patient.refresh_from_db()
    assert patient.wrong_birth_dates == 0


def test_a_wrong_date_says_so_and_keeps_what_was_typed(sent, patient):
    sent.get(TREND)
    page = sent.press(SHOW, **WRONG)
    assert page.title == "Error: Check-in"
    assert NO_MATCH in page.text
    assert "<svg" not in page.html
    kept = {i["name"]: i["value"] for i in page.inputs if i.get("type") == "text"}
    assert kept == WRONG
    patient.refresh_from_db()
    assert patient.wrong_birth_dates == 1
    assert LOWER in sent.press(SHOW, **RIGHT).text


def test_every_wrong_date_gets_the_same_answer(sent):
    """One day off, or a century: nothing says how near it was."""
    sent.get(TREND)
    texts = {
        sent.press(SHOW, **{**RIGHT, **other}).text
        for other in ({"day": "6"}, {"year": "1884"}, {"month": "12", "day": "31"})
    }
    assert len(texts) == 1


def test_the_fifth_closes_it_for_every_device_until_the_clinic_opens_it(
    sent, other_handset, begun, patient, clock, now
):
    for _ in range(4):
        sent.get(TREND)
        assert NO_MATCH in sent.press(SHOW, **WRONG).text
    form = {"stamp": stamp(sent)}
    page = sent.press(SHOW, **WRONG)
    assert "This page is closed for now" in page.text
    assert "988" in page.text
    page = sent._keep(sent.client.post(TREND, {**form, **RIGHT}))
    assert "This page is closed for now" in page.text
    clock.shift(DAY)
    later = make_follow_up(begun, ["phq9"], now=now_of(begun) + DAY)
    send(other_handset, later, at=now_of(begun) + DAY)
    assert "This page is closed for now" in other_handset.get(TREND).text
    birth_dates.reopen(patient, by=BY_TEST, now=now)
    other_handset.get(TREND)
    assert LOWER in other_handset.press(SHOW, **RIGHT).text


def stamp(handset) -> str:
    return next(i["value"] for i in handset.page.inputs if i.get("name") == "stamp")


def test_deleting_the_cookie_gives_no_new_tries(sent, other_handset, begun, patient, clock):
    sent.get(TREND)
    sent.press(SHOW, **WRONG)
    sent.client.cookies.clear()
    sent.get(TREND)
    assert sent.page.status == 410
    clock.shift(DAY)
    later = make_follow_up(begun, ["phq9"], now=now_of(begun) + DAY)
    send(other_handset, later, at=now_of(begun) + DAY)
    other_handset.get(TREND)
    other_handset.press(SHOW, **WRONG)
    patient.refresh_from_db()
    assert patient.wrong_birth_dates == 2


def test_no_date_reaches_a_log(sent, caplog):
    caplog.set_level(logging.DEBUG)
    sent.get(TREND)
    sent.press(SHOW, **WRONG)
    sent.press(SHOW, **RIGHT)
    said = " ".join(record.getMessage() for record in caplog.records if record.name[:6] != "django")
    assert "1984" not in said


# -- Who and when -----------------------------------------------------------------------------


def test_nothing_leads_to_it_where_there_is_none(handset, begun, asked):
    page = send(handset, asked, at=now_of(begun), i9=1)
    assert "See how my answers changed" not in page.text
    assert handset.get(TREND).path == "/check-in/sent/"


def test_what_is_no_longer_shown_is_not_shown_for_a_right_date(sent, clinic):
    sent.get(TREND)
    clinic.refresh_from_db()
    clinic.shows_own_trend = False
    clinic.save()
    page = sent.press(SHOW, **RIGHT)
    assert page.path == "/check-in/sent/"
    assert not AuditEntry.objects.filter(action__contains="birth date").exists()


def test_before_sending_it_leads_to_the_questions(handset, asked):
    handset.start(asked)
    assert handset.get(TREND).path == "/check-in/1/"


def test_a_patient_who_left_finds_it_closed(sent):
    sent.get(TREND)
    Patient.objects.update(status=Patient.Status.WITHDRAWN)
    page = sent.press(SHOW, **RIGHT)
    assert page.status == 410
    assert "<svg" not in page.html


def test_an_hour_later_the_date_is_not_looked_at_and_the_pass_is_gone(sent, clock, patient):
    sent.get(TREND)
    clock.shift(61 * MINUTE)
    page = sent.press(SHOW, **RIGHT)
    assert page.status == 410
    assert "<svg" not in page.html
    assert sent.client.cookies["check-in"].value == ""
    assert not AuditEntry.objects.filter(action="prove birth date").exists()


def test_another_patients_pass_reads_nothing_with_this_ones_stamp(
    sent, other_handset, begun, clinic, now, course
):
    from_page = stamp_of(sent)
    other = make_other(clinic, now)
    other_handset.start(other)
    page = other_handset._keep(other_handset.client.post(TREND, {"stamp": from_page, **RIGHT}))
    assert page.status == 410


def stamp_of(handset) -> str:
    handset.get(TREND)
    return stamp(handset)


def make_other(clinic, now) -> FollowUp:
    course = make_course(clinic, now=now, name="Bea Ruiz", mrn="", email="")
    return make_follow_up(course, ["phq9"], now=now + 21 * DAY)


# -- Languages --------------------------------------------------------------------------------


def test_a_switch_of_language_keeps_what_was_typed(sent):
    sent.get(TREND)
    page = sent.press("Español", month="3", day="5")
    kept = [(i["name"], i["value"]) for i in page.inputs if i.get("type") == "text"]
    assert kept == [("day", "5"), ("month", "3"), ("year", "")]
    assert page.title == "Cuestionario breve"
    assert not AuditEntry.objects.filter(action__contains="birth date").exists()


def test_a_switch_of_language_keeps_the_trend_for_ten_minutes(sent, clock, patient):
    sent.get(TREND)
    sent.press(SHOW, **RIGHT)
    page = sent.press("Español")
    assert "Sus respuestas de hoy son más bajas que al principio (más bajo es mejor)." in page.text
    assert AuditEntry.objects.filter(action="read own trend").count() == 2
    clock.shift(6 * MINUTE)
    page = sent.press("English")
    assert LOWER in page.text
    clock.shift(5 * MINUTE)
    sent.press("Español")
    page = sent.press("English")
    assert "What is your date of birth?" in page.text
    assert "<svg" not in page.html


@pytest.mark.parametrize("proof", ["", "x", "stamp"])
def test_no_other_word_passes_for_a_proof(sent, proof):
    sent.get(TREND)
    proof = stamp(sent) if proof == "stamp" else proof
    page = sent.press("Español", proof=proof)
    assert "<svg" not in page.html


def test_in_spanish_it_is_spanish(sent):
    sent.get(TREND)
    pages = [sent.press("Español")]
    pages.append(sent.press("Mostrar cómo cambiaron mis respuestas"))
    pages.append(sent.press("Mostrar cómo cambiaron mis respuestas", **WRONG))
    pages.append(sent.press("Mostrar cómo cambiaron mis respuestas", **RIGHT))
    assert "Al principio, el 3 de marzo de 2026: 16. Hoy: 8. La escala va de 0 a 27." in (
        pages[-1].text
    )
    for _ in range(5):
        sent.get(TREND)
        pages.append(sent.press("Mostrar cómo cambiaron mis respuestas", **WRONG))
    for page in [*pages, sent.get("/check-in/sent/")]:
        assert '<html lang="es">' in page.html
        assert english_in(page.text) == []
