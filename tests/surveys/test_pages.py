"""The patient's way through the pages, as a phone without a script goes it."""

from datetime import UTC, datetime, timedelta

import pytest

from clinic.actors import member_actor
from surveys import alerts, cover
from surveys.models import Alert, Response
from tests.builders import make_course
from tests.surveys.follow_ups import answer, make_follow_up, the_response

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def nine(handset, *, last: str = "0"):
    """Answer PHQ-9 with 0 up to its ninth item."""
    for _ in range(8):
        handset.choose("0")
    return handset.choose(last)


# -- The whole way ----------------------------------------------------------------------------


def test_the_whole_way(handset, follow_up, now):
    page = handset.open(follow_up)
    assert "about 2 minutes" in page.text
    assert "There are 9 questions." in page.text
    assert "This is not watched around the clock." in page.text
    page = handset.press("Start")
    assert page.path == "/check-in/1/"
    assert "Over the last 2 weeks" in page.text
    assert "Question 1 of 9" in page.text
    page = nine(handset)
    assert page.path == "/check-in/review/"
    page = handset.press("Send my answers")
    assert page.path == "/check-in/sent/"
    assert "Sent Tuesday, March 3." in page.text
    assert Response.objects.get().finished_at == now


def test_each_answer_is_kept_before_the_next_page(handset, follow_up):
    handset.start(follow_up)
    handset.choose("2")
    assert the_response(follow_up, "phq9").answers == {"1": 2}


def test_every_kind_of_screen(handset, course, now):
    follow_up = make_follow_up(course, ["checkin", "mood", "pcptsd5"], now=now)
    page = handset.start(follow_up)
    assert "None of these" in page.text
    handset.choose("none")
    page = handset.choose("had-1", "had-6")
    assert "How bad was this at its worst" in page.text
    handset.choose("1")
    handset.choose("2")
    page = handset.choose("decline")
    assert "How is your mood right now?" in page.text
    page = handset.choose("10")
    assert "unusually or especially frightening" in page.text
    page = handset.choose("0")
    assert page.path == "/check-in/review/"
    handset.press("Send my answers")
    assert the_response(follow_up, "checkin").answers["13"] is None
    assert the_response(follow_up, "mood").answers == {"1": 10}
    assert the_response(follow_up, "pcptsd5").scores.get().value == 0


def test_the_scale_is_eleven_choices_with_words_at_its_ends(handset, course, now):
    page = handset.start(make_follow_up(course, ["nrs24:worst"], now=now))
    radios = [field for field in page.inputs if field.get("type") == "radio"]
    assert [radio["value"] for radio in radios] == [str(n) for n in range(11)]
    assert {radio["aria-describedby"] for radio in radios} == {"scale-low scale-high"}
    assert "No pain" in page.text
    assert "Worst pain imaginable" in page.text


def test_nothing_is_chosen_beforehand(handset, follow_up):
    page = handset.start(follow_up)
    assert not [field for field in page.inputs if "checked" in field]


def test_the_last_question_of_phq9_comes_only_after_a_problem(handset, follow_up):
    handset.start(follow_up)
    handset.choose("1")
    assert "of 10" in handset.page.text
    for _ in range(7):
        handset.choose("0")
    page = handset.choose("0")
    assert "how difficult have these problems made it" in page.text
    assert "bothered by any of the following" not in page.text


# -- Errors and skips -------------------------------------------------------------------------


def test_an_empty_try_says_so_and_offers_to_skip(handset, follow_up):
    page = handset.start(follow_up)
    assert "Skip this question" not in page.text
    page = handset.press("Save and continue")
    assert page.title == "Error: Check-in"
    assert "There is a problem" in page.text
    assert page.links["Please choose an answer, or skip this question."] == "#answer-0"
    handset.press("Skip this question")
    assert the_response(follow_up, "phq9").answers == {"1": None}
    assert "Question 2 of 9" in handset.page.text


def test_none_of_these_stands_alone(handset, check_in):
    handset.start(check_in)
    page = handset.choose("flag-fall", "none")
    assert "Not both." in page.text
    assert {f["value"] for f in page.inputs if "checked" in f} == {"flag-fall", "none"}
    assert not Response.objects.exists()


def test_a_value_nobody_offers_is_an_error_page(handset, follow_up):
    handset.start(follow_up)
    page = handset.press("Save and continue", answer="7")
    assert page.title == "Error: Check-in"
    assert not Response.objects.exists()


def test_what_is_not_asked_is_not_taken(handset, follow_up):
    handset.start(follow_up)
    page = handset.press("Save and continue", question="gad7/1", answer="1")
    assert page.path == "/check-in/1/"
    assert not Response.objects.exists()


def test_an_answer_to_words_of_no_version_is_asked_again(handset, follow_up):
    """A new version came out while the page was open."""
    handset.start(follow_up)
    page = handset.press("Save and continue", answer="3", words="0" * 12)
    assert "Little interest or pleasure in doing things" in page.text
    assert not Response.objects.exists()


# -- Back, change, resume ---------------------------------------------------------------------


def test_back_shows_ones_own_answer_and_on_again(handset, follow_up):
    handset.start(follow_up)
    handset.choose("2")
    handset.choose("1")
    page = handset.follow("Back")
    assert page.path == "/check-in/2/"
    assert [f["value"] for f in page.inputs if "checked" in f] == ["1"]
    assert handset.choose("3").path == "/check-in/3/"
    assert the_response(follow_up, "phq9").answers["2"] == 3


def test_change_comes_back_to_the_check(handset, follow_up):
    handset.start(follow_up)
    nine(handset)
    change = next(to for text, to in handset.page.links.items() if text.startswith("Change Little"))
    handset.get(change)
    page = handset.choose("1")
    assert "how difficult" in page.text  # a first problem: one more question, then the check
    page = handset.choose("0")
    assert page.path == "/check-in/review/"


def test_a_change_that_opens_a_question_comes_back_right_after_it(handset, check_in):
    handset.start(check_in)
    handset.choose("none")
    handset.choose("none")
    handset.choose("decline")
    assert handset.choose("5").path == "/check-in/review/"
    change = next(to for to in handset.page.links.values() if to.startswith("/check-in/2/"))
    handset.get(change)
    assert "How bad was this" in handset.choose("had-2").text
    assert handset.choose("1").path == "/check-in/review/"


def test_another_browser_goes_on_and_sees_nothing_earlier(handset, other_handset, follow_up):
    handset.start(follow_up)
    handset.choose("3")
    page = other_handset.open(follow_up)
    assert "You have answered 1 of 10." in page.text
    page = other_handset.press("Continue")
    assert page.path == "/check-in/2/"
    page = other_handset.get("/check-in/1/")
    assert not [f for f in page.inputs if "checked" in f]
    for _ in range(9):
        if "/review/" not in other_handset.get("/check-in/").path:
            other_handset.choose("0")
    page = other_handset.get("/check-in/review/")
    assert "Answered earlier" in page.text
    assert "Nearly every day" not in page.text


def test_two_browsers_on_one_link_both_work(handset, other_handset, follow_up):
    handset.start(follow_up)
    other_handset.start(follow_up)
    handset.choose("1")
    other_handset.choose("2")
    response = Response.objects.get()
    assert response.answers == {"1": 2}
    assert response.replaced[0][:2] == ["1", 1]


def test_a_double_tap_is_one_answer_and_one_alert(handset, follow_up):
    handset.start(follow_up)
    for _ in range(8):
        handset.choose("0")
    again = handset.page
    handset.choose("1")
    handset.page = again
    page = handset.choose("1")
    assert page.path == "/check-in/help/"
    assert Response.objects.count() == Alert.objects.count() == 1


def test_sending_twice_shows_the_same_thanks(handset, follow_up):
    handset.start(follow_up)
    again = nine(handset)
    handset.press("Send my answers")
    handset.page = again
    page = handset.press("Send my answers")
    assert page.path == "/check-in/sent/"
    assert page.status == 200


def test_the_thanks_page_may_be_reloaded_and_questions_lead_to_it(handset, follow_up):
    handset.start(follow_up)
    nine(handset)
    handset.press("Send my answers")
    for path in ("/check-in/sent/", "/check-in/", "/check-in/3/", "/check-in/review/"):
        assert handset.get(path).path == "/check-in/sent/"


def test_thanks_says_when_the_next_one_comes(handset, follow_up, course, now):
    later = make_follow_up(course, ["phq2"], now=now, opens=7 * DAY, closes=9 * DAY)
    later.dues.update(state="planned")
    handset.start(follow_up)
    nine(handset)
    page = handset.press("Send my answers")
    assert "Your next check-in comes around Tuesday, March 10." in page.text


def test_another_browser_that_asks_for_help_learns_of_no_thoughts(
    handset, other_handset, follow_up
):
    handset.start(follow_up)
    assert "Many people have these thoughts" in nine(handset, last="1").text
    other_handset.open(follow_up)
    other_handset.press("Continue")
    page = other_handset.press("I need help now")
    assert "Help is available right now." in page.text
    assert "these thoughts, and" not in page.text


# -- The pass ---------------------------------------------------------------------------------


def test_after_an_hour_nothing_is_shown_until_the_link_is_opened_again(handset, follow_up, clock):
    handset.start(follow_up)
    handset.choose("1")
    clock.shift(60 * MINUTE)
    assert handset.get("/check-in/1/").status == 200
    clock.shift(1 * MINUTE)
    page = handset.get("/check-in/1/")
    assert page.status == 410
    assert "open the link in your e-mail again" in page.text
    assert "988" in page.text


def test_an_answer_on_a_page_that_was_open_for_two_hours_is_taken(handset, follow_up, clock):
    handset.start(follow_up)
    handset.choose("1")
    clock.shift(120 * MINUTE)
    page = handset.choose("2")
    assert the_response(follow_up, "phq9").answers == {"1": 1, "2": 2}
    assert page.path == "/check-in/3/"
    assert not [f for f in handset.get("/check-in/1/").inputs if "checked" in f]


def test_a_page_of_somebody_elses_check_in_answers_nothing(handset, follow_up, clinic, now):
    other = make_follow_up(
        make_course(clinic, now=now, name="Rosa Vale", email="", mrn="R-2"), ["phq9"], now=now
    )
    handset.start(follow_up)
    left_open = handset.page
    handset.start(other)
    handset.page = left_open
    page = handset.choose("3")
    assert page.status == 410
    assert not Response.objects.exists()


def test_a_forged_pass_opens_nothing(handset, follow_up):
    handset.client.cookies["check-in"] = "e30:1abc:forged"
    assert handset.get("/check-in/").status == 410


# -- Help -------------------------------------------------------------------------------------


def test_a_worrying_answer_interrupts_at_once(handset, follow_up):
    handset.start(follow_up)
    page = nine(handset, last="1")
    assert page.path == "/check-in/help/"
    assert Alert.objects.get().trigger == "9=1"
    assert "Thank you for telling us. Many people have these thoughts" in page.text
    assert page.links["Call 988"] == "tel:988"
    assert page.links["Text 988"] == "sms:988"
    assert page.links["Call 911"] == "tel:911"
    assert "llame al 988 y oprima 2, o envíe AYUDA por texto al 988" in page.text
    assert "Veterans: call 988 and press 1, or text 838255." in page.text
    for word in ("score", "flagged", "risk", "severe"):
        assert word not in page.text.lower()


def test_the_browser_may_be_closed_right_after_it(handset, follow_up):
    handset.start(follow_up)
    for _ in range(8):
        handset.choose("0")
    handset.client.post(  # and nothing more is ever loaded
        handset.page.path,
        {**handset.hidden(), "answer": "1"},
    )
    assert Alert.objects.get().level == "urgent"


@pytest.mark.parametrize("safe", ["no", "unsure"])
def test_not_being_safe_is_critical_and_leaves_only_numbers(handset, follow_up, clinic, safe):
    clinic.phone = "(312) 555-0134"
    clinic.save()
    handset.start(follow_up)
    nine(handset, last="1")
    page = handset.press("Tell my clinic", safe=safe, phone="312 555 0199")
    assert page.path == "/check-in/help/numbers/"
    assert page.links["Call your clinic (312) 555-0134"] == "tel:3125550134"
    assert "Are you able" not in page.text
    assert not [f for f in page.inputs if f.get("type") in ("radio", "text", "tel")]
    alert = Alert.objects.get()
    assert (alert.level, alert.best_phone) == ("critical", "312 555 0199")


@pytest.mark.parametrize("safe", ["yes", "declined", ""])
def test_any_other_answer_goes_on_if_the_patient_wants_to(handset, follow_up, safe):
    handset.start(follow_up)
    nine(handset, last="1")
    page = handset.press("Tell my clinic", safe=safe)
    assert page.path == "/check-in/help/noted/"
    assert Alert.objects.get().level == "urgent"
    page = handset.follow("Continue the check-in")
    assert "how difficult" in page.text


def test_help_is_one_press_from_every_page(handset, follow_up):
    handset.start(follow_up)
    page = handset.press("I need help now")
    assert page.path == "/check-in/help/"
    assert "Help is available right now." in page.text
    assert "Many people have these thoughts" not in page.text
    assert "Your clinic has been notified." in page.text
    assert Alert.objects.get().level == "critical"
    handset.follow("Continue the check-in")
    assert handset.page.path == "/check-in/1/"


def test_help_on_the_first_page_is_not_pressed_by_a_mail_scanner(handset, follow_up):
    handset.open(follow_up)
    page = handset.follow("I need help now")
    assert page.links["Call 988"] == "tel:988"
    assert not Alert.objects.exists()
    page = handset.press("Tell my clinic that I need help")
    assert page.path == "/check-in/help/"
    assert Alert.objects.get().level == "critical"


def test_a_red_flag_leads_to_the_emergency_page(handset, check_in):
    handset.start(check_in)
    page = handset.choose("flag-chest-pain", "flag-breathing")
    assert "This can be an emergency. Call 911" in page.text
    assert page.path == "/check-in/emergency/"
    assert Alert.objects.count() == 2
    handset.follow("Continue the check-in")
    assert handset.page.path == "/check-in/2/"


def test_after_a_worrying_answer_the_thanks_page_has_the_numbers_again(handset, follow_up):
    handset.start(follow_up)
    nine(handset, last="1")
    handset.follow("Continue the check-in")
    handset.choose("0")
    page = handset.press("Send my answers")
    assert page.links["Call 988"] == "tel:988"


@pytest.mark.parametrize(
    ("at", "sentence"),
    [
        pytest.param(
            datetime(2026, 3, 3, 15, tzinfo=UTC),
            "A member of the team will contact you, usually within 45 minutes"
            " during 8:00 AM to 5:00 PM.",
            id="Tuesday at nine",
        ),
        pytest.param(
            datetime(2026, 3, 7, 3, tzinfo=UTC),
            "The clinic is closed until Monday, March 9 at 8:00 AM. Nobody may see this before"
            " then.",
            id="Friday night before the clock goes forward",
        ),
        pytest.param(
            datetime(2026, 10, 31, 2, tzinfo=UTC),
            "The clinic is closed until Tuesday, November 3 at 8:00 AM. Nobody may see this before"
            " then.",
            id="Friday night before the clock goes back and a holiday",
        ),
    ],
)
def test_what_is_promised_is_true(handset, course, clinic, clinician, clock, at, sentence):
    clinic.staffed_days, clinic.reply_within_minutes = [0, 1, 2, 3, 4], 45
    clinic.closed_dates = ["2026-11-02"]
    clinic.save()
    clinician.is_responder = True
    clinician.save()
    prove(clinic, clinician, now=at - DAY)
    clock.move_to(at)
    handset.start(make_follow_up(course, ["phq9"], now=at))
    page = nine(handset, last="1")
    assert sentence in page.text


def prove(clinic, clinician, *, now):
    test = alerts.send_test(clinic, clinician, by=member_actor(clinician), now=now)
    alerts.take(test, by=member_actor(clinician), now=now)
    assert cover.cover_of(clinic, now=now) == clinic.cover


@pytest.mark.parametrize("hours", ["always", "weekdays"])
def test_who_reads_follows_the_clinics_cover(handset, follow_up, clinic, clinician, hours, now):
    clinic.cover, clinician.is_responder = hours, True
    clinic.save()
    clinician.save()
    prove(clinic, clinician, now=now)
    assert ("working days" in handset.open(follow_up).text) == (hours == "weekdays")
    handset.press("Start")
    nine(handset)
    page = handset.press("Send my answers")
    assert ("on working days" in page.text) == (hours == "weekdays")
    assert "Your care team reads your answers" in page.text


def test_the_hour_is_the_patients_own(handset, course, clinic, clock):
    clinic.staffed_days = [0, 1, 2, 3, 4]
    clinic.save()
    course.patient.zone = "America/Denver"
    course.patient.save()
    at = datetime(2026, 3, 7, 3, tzinfo=UTC)
    clock.move_to(at)
    handset.start(make_follow_up(course, ["phq9"], now=at))
    page = nine(handset, last="1")
    assert "closed until Monday, March 9 at 7:00 AM" in page.text


def test_without_a_responder_the_page_never_promises_a_call(handset, follow_up):
    handset.start(follow_up)
    page = nine(handset, last="1")
    assert "will contact you" not in page.text
    assert "Nobody may see this" in page.text


def test_item_nine_two_without_a_total(handset, follow_up):
    handset.start(follow_up)
    for _ in range(3):
        handset.press("Save and continue")
        handset.press("Skip this question")
    for _ in range(5):
        handset.choose("0")
    handset.choose("2")
    assert Alert.objects.get().level == "urgent"


def test_a_language_keeps_the_place_and_the_choice(handset, follow_up):
    handset.start(follow_up)
    handset.choose("1")
    page = handset.press("Español", answer="2")
    assert page.path == "/check-in/2/"
    assert "Se ha sentido decaído(a)" in page.text
    assert [f["value"] for f in page.inputs if "checked" in f] == ["2"]
    assert the_response(follow_up, "phq9").answers == {"1": 1}
    handset.press("Guardar y continuar")
    assert the_response(follow_up, "phq9").language == "es"
    follow_up.refresh_from_db()
    assert follow_up.language == "es"


def test_a_click_on_a_language_alone_is_not_remembered(handset, other_handset, follow_up):
    handset.open(follow_up, "?lang=es")
    handset.press("Empezar")
    assert "Start" in other_handset.open(follow_up).text


def test_what_has_no_translation_is_not_asked_in_it(handset, course, now):
    handset.start(make_follow_up(course, ["nrs24:now"], now=now))
    page = handset.press("Español")
    assert "todavía no están disponibles en este idioma" in page.text
    page = handset.press("English")
    assert page.path == "/check-in/1/"


def test_before_sending_it_says_what_is_not_asked_in_this_language(handset, course, now):
    handset.start(make_follow_up(course, ["mood", "nrs24:now"], now=now))
    handset.choose("5")
    page = handset.press("Español")
    assert page.path == "/check-in/review/"
    assert "Algunas preguntas no están disponibles en este idioma" in page.text
    handset.press("English")
    page = handset.choose("4")
    assert "not available in this language" not in page.text


def test_late_answers_go_behind_send_it_anyway(handset, course, now):
    follow_up = make_follow_up(course, ["phq2"], now=now, opens=-3 * DAY, closes=-1 * DAY)
    page = handset.open(follow_up)
    assert "This check-in has closed" in page.text
    handset.press("Send it anyway")
    handset.choose("0")
    handset.choose("0")
    handset.press("Send my answers")
    assert Response.objects.get().late


def test_answers_given_in_time_and_sent_late_are_late(handset, course, now, clock):
    follow_up = make_follow_up(course, ["phq2"], now=now, closes=30 * MINUTE)
    handset.start(follow_up)
    handset.choose("0")
    handset.choose("0")
    clock.shift(31 * MINUTE)
    handset.press("Send my answers")
    assert Response.objects.get().late


def test_answer_through_the_verb_shows_on_the_landing_page(handset, follow_up, now):
    answer(follow_up, "phq9/1", 0, now=now)
    assert "You have answered 1 of 9." in handset.open(follow_up).text
