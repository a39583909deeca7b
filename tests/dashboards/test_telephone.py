"""A member asks a patient on the telephone."""

import html
import re
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from clinic import enrolment
from clinic.actors import member_actor, patient_link
from clinic.models import AuditEntry
from dashboards import queries
from reminders.models import Message, State
from surveys import answering
from surveys.answering import by_phone
from surveys.models import Alert, FollowUp, Response
from surveys.questions import paper
from tests.builders import BY_TEST, make_course
from tests.dashboards.histories import planned
from tests.surveys.follow_ups import HOURS, answer, answer_all, make_follow_up, the_response

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(course, later) -> FollowUp:
    return make_follow_up(course, ("phq9",), now=later)


@pytest.fixture
def desk(desk_of, clinician):
    return desk_of(clinician)


def url(page: str, follow_up: FollowUp, *args: object) -> str:
    return reverse(f"dashboards:by-phone{page}", args=[follow_up.pk, *args])


def body(response) -> str:
    return html.unescape(response.content.decode())


def drawn(text: str) -> dict[str, str]:
    """What the form of a question carries besides the answer."""
    inside = text[text.index('id="answers"') :].partition("</form>")[0]
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', inside))


def say(desk, follow_up: FollowUp, place: int, **given: str):
    """Open the page of a question, and post what the patient says."""
    text = body(desk.get(url("-question", follow_up, place)))
    return desk.post(url("-question", follow_up, place), {**drawn(text), **given}, follow=True)


def say_all(desk, follow_up: FollowUp, **given: str) -> None:
    while (asked := paper(follow_up, now=follow_up.opens_at + HOURS).first_open()) is not None:
        usual = "none" if asked.screen.kind == "ticks" else "1"
        say(desk, follow_up, asked.place, answer=given.get(f"i{asked.screen.key}", usual))


def test_the_whole_check_in_is_asked_and_sent_and_says_so_everywhere(
    waiting, desk, clinician, later
):
    patient_page = reverse("dashboards:patient", args=[waiting.patient_id])
    assert url("", waiting) in body(desk.get(patient_page))
    say_all(desk, waiting, i9="0")
    done = desk.post(url("-check", waiting), follow=True)
    assert done.redirect_chain[-1][0] == patient_page
    kept = the_response(waiting, "phq9")
    assert (kept.mode, kept.entered_by, kept.finished_at) == ("phone", clinician, later)
    assert kept.scores.get().value == 8
    text = body(done)
    assert re.search(r"12 Apr 2026 <span[^>]*>by telephone<", text)  # question by question
    assert re.search(r"<td>\s*by telephone\s*</td>", text)  # the table below the chart
    assert '"square"' in text
    assert ", by telephone" in text[text.index("application/json") :]
    assert url("", waiting) not in text


def test_what_was_planned_is_answered_and_its_e_mails_stop(desk, clinician, later):
    course = make_course(clinician.clinic, now=later, mrn="MRN-2002")
    planned(course.patient, later)
    message = Message.objects.get()
    say_all(desk, message.follow_up)
    page = body(desk.post(url("-check", message.follow_up), follow=True))
    assert re.search(r"answered 12 Apr, \d\d:\d\d, by telephone \(Clinician\)", page)
    assert {due.state for due in message.follow_up.dues.all()} == {"satisfied"}
    message.refresh_from_db()
    assert message.state == State.CANCELLED


def test_each_answer_is_on_record_as_the_members(waiting, desk, clinician):
    say(desk, waiting, 1, answer="2")
    entry = AuditEntry.objects.get(action="answer")
    assert (entry.member, entry.fields) == (clinician, ["item_1"])


def test_a_thought_of_suicide_raises_its_alert_before_the_next_question(waiting, desk):
    last = next(q.place for q in paper(waiting, now=waiting.opens_at).shown if q.name == "phq9/9")
    page = say(desk, waiting, last, answer="1")
    assert page.redirect_chain[-1][0].startswith(url("-help", waiting))
    alert = Alert.objects.get()
    assert alert.trigger == "9=1"
    text = body(page)
    assert "Call or text 988" in text
    assert "Are you able to keep yourself safe right now?" in text
    assert "Stay on the line." in text
    assert alert.reference in text


def test_a_red_flag_says_to_call_the_emergency_number(course, desk, later):
    follow_up = make_follow_up(course, ("checkin",), now=later)
    asked = paper(follow_up, now=later).first_open()
    flag = next(
        item.key
        for item in asked.part.instrument.items
        if item.safety and item.safety.kind == "emergency"
    )
    assert "This can be an emergency." in body(say(desk, follow_up, asked.place, answer=flag))
    assert Alert.objects.exists()


@pytest.mark.parametrize("safe", ["no", "unsure"])
def test_who_is_not_safe_makes_the_alert_critical(waiting, desk, later, safe):
    answer(waiting, "phq9/9", 1, now=later)
    page = desk.post(url("-help", waiting), {"safe": safe, "phone": "555 0100"}, follow=True)
    alert = Alert.objects.get()
    assert (alert.level, alert.best_phone) == ("critical", "555 0100")
    assert "Do not end the call" in body(page)


def test_help_is_called_once_however_often_it_is_pressed(waiting, desk):
    for _ in range(2):
        desk.post(url("-help", waiting), {"now": "1"})
    assert Alert.objects.get().level == "critical"


def test_an_answer_posted_twice_is_one_answer_and_one_alert(waiting, desk, later):
    place = next(q.place for q in paper(waiting, now=later).shown if q.name == "phq9/9")
    posted = {**drawn(body(desk.get(url("-question", waiting, place)))), "answer": "2"}
    for _ in range(2):
        desk.post(url("-question", waiting, place), posted)
    assert Alert.objects.count() == 1
    assert the_response(waiting, "phq9").replaced == []


def test_sent_twice_is_sent_once(waiting, desk):
    say_all(desk, waiting, i9="0")
    desk.post(url("-check", waiting))
    again = body(desk.post(url("-check", waiting), follow=True))
    assert "sent already" in again
    assert AuditEntry.objects.filter(action="send answers").count() == 1


def test_a_page_that_was_open_while_the_patient_sent_keeps_only_what_needs_a_person(
    waiting, desk, later
):
    place = next(q.place for q in paper(waiting, now=later).shown if q.name == "phq9/9")
    posted = drawn(body(desk.get(url("-question", waiting, place))))
    answer_all(waiting, now=later)
    desk.post(url("-question", waiting, 1), {**posted, "question": "phq9/1", "answer": "3"})
    heard = desk.post(url("-question", waiting, place), {**posted, "answer": "3"})
    assert heard.url.startswith(url("-help", waiting))
    assert Alert.objects.get().trigger == "9=3"
    kept = the_response(waiting, "phq9")
    assert (kept.mode, set(kept.answers.values())) == ("link", {0})


def test_patient_and_member_answer_side_by_side_and_nothing_is_lost(waiting, desk, later):
    posted = drawn(body(desk.get(url("-question", waiting, 1))))
    answer(waiting, "phq9/1", 2, now=later)
    desk.post(url("-question", waiting, 1), {**posted, "answer": "1"})
    answer(waiting, "phq9/2", 3, now=later)
    kept = the_response(waiting, "phq9")
    assert kept.answers == {"1": 1, "2": 3}
    assert [value for _, value, _ in kept.replaced] == [2]
    assert kept.mode == "phone"  # one answer taken down by staff marks the response


def test_a_question_can_be_skipped_and_changed_before_sending(waiting, desk):
    say(desk, waiting, 1, skip="1")
    assert the_response(waiting, "phq9").answers == {"1": None}
    say_all(desk, waiting, i9="0")
    assert "Skipped" in body(desk.get(url("-check", waiting)))
    changed = say(desk, waiting, 1, answer="3", change="1")
    assert changed.redirect_chain[-1][0].startswith(url("-check", waiting))


def test_without_an_answer_nothing_is_kept_and_the_page_says_so(waiting, desk):
    assert "Please choose an answer" in body(say(desk, waiting, 1))
    assert not Response.objects.exists()


def test_the_words_are_the_patients_language_and_the_frame_is_not(waiting, desk):
    page = body(desk.get(url("-question", waiting, 1), {"language": "es"}))
    assert "Varios días" in page
    assert "Save and continue" in page
    help_page = body(desk.get(url("-help", waiting), {"language": "es"}))
    assert "Gracias por decírnoslo." in help_page
    assert "Stay on the line." in help_page


def test_words_that_changed_since_they_were_read_aloud_are_asked_again(waiting, desk):
    posted = {**drawn(body(desk.get(url("-question", waiting, 1)))), "words": "0" * 12}
    desk.post(url("-question", waiting, 1), {**posted, "answer": "1"})
    assert not Response.objects.exists()


def test_a_follow_up_of_a_patient_who_left_takes_nothing(waiting, desk, later):
    posted = drawn(body(desk.get(url("-question", waiting, 1))))
    enrolment.withdraw(waiting.patient, by=BY_TEST, now=later)
    page = desk.post(url("-question", waiting, 1), {**posted, "answer": "1"}, follow=True)
    assert "takes no answers now" in body(page)
    assert not Response.objects.exists()


def test_no_other_role_takes_answers_down_whatever_the_page(waiting, coordinator, viewer, later):
    asked = paper(waiting, now=later).first_open()
    for member in (coordinator, viewer):
        by = member_actor(member)
        with pytest.raises(PermissionDenied):
            by_phone.enter(waiting, asked, {"1": 1}, by=by, now=later)
        with pytest.raises(PermissionDenied):
            by_phone.send(waiting, by=by, now=later)
        with pytest.raises(PermissionDenied):
            by_phone.hear_how_safe(waiting, "no", "", by=by, now=later)
        with pytest.raises(PermissionDenied):
            by_phone.call_for_help(waiting, by=by, now=later)
    with pytest.raises(PermissionDenied):
        by_phone.enter(waiting, asked, {"1": 1}, by=patient_link(waiting.pk), now=later)


def test_the_patients_link_goes_on_where_the_call_stopped(waiting, desk, later):
    say(desk, waiting, 1, answer="2")
    assert paper(waiting, now=later).first_open().name == "phq9/2"
    answer_all(waiting, now=later)
    assert the_response(waiting, "phq9").mode == "phone"


def test_the_page_offers_what_is_open_else_the_latest_that_was_missed(course, later):
    def offered():
        return [(row.id, row.is_late) for row in queries.answerable(course.patient, now=later)]

    early = {"now": later, "opens": -90 * HOURS}
    missed = [make_follow_up(course, ("phq9",), **early, closes=-n * HOURS) for n in (2,)]
    make_follow_up(
        course, ("phq9",), now=later - timedelta(days=12), opens=-HOURS, closes=-HOURS / 2
    )
    assert offered() == [(missed[0].pk, True)]
    open_one = make_follow_up(course, ("phq9",), now=later)
    assert offered() == [(open_one.pk, False)]
    answering.finish(answered(open_one, later), by=BY_TEST, now=later)
    assert offered() == [(missed[0].pk, True)]
    enrolment.withdraw(course.patient, by=BY_TEST, now=later)
    course.patient.refresh_from_db()
    assert offered() == []


def answered(follow_up: FollowUp, now) -> FollowUp:
    answer_all(follow_up, now=now, send=False)
    return follow_up
