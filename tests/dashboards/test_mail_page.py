"""E-mails that need a person: seen by the front desk, decided once, never twice."""

import html
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinic import enrolment
from clinic.models import AuditEntry, Course, Patient
from dashboards.views.mail import PER_PAGE
from reminders import settling, suppression
from reminders.models import Attempt, Lane, Message, State, Suppression
from surveys.models import FollowUp, StepDue
from tests.builders import BY_TEST, course_details, patient_details
from tests.reminders.letters import HOUR, make_message
from tests.surveys.follow_ups import make_follow_up

Reason = Suppression.Reason
ACTS = ("It was sent", "Send again", "Correct the address", "Write to it again")


def body(response) -> str:
    return html.unescape(response.content.decode())


def make_unclear(course: Course, *, now, **changes) -> Message:
    follow_up = make_follow_up(course, ["phq8"], now=now)
    values = {"state": State.UNKNOWN, "follow_up": follow_up, **changes}
    message = make_message(course, now=now, **values)
    Attempt.objects.create(
        message=message, n=1, started_at=now, ended_at=now, outcome="unknown",
        error="AnymailRequestsAPIError from ReadTimeout", lane="postmark",
        idempotency_key=message.pk, template_version="1",
    )  # fmt: skip
    return message


def make_dead(course: Course, *, now, reason=Reason.HARD_BOUNCE) -> Suppression:
    digest = suppression.address_digest(course.patient.email)
    suppression.suppress(course.patient, digest, reason, now=now)
    return Suppression.objects.filter(patient=course.patient).latest("since")


def another(clinic, n: int, *, now, name: str = "") -> Course:
    details = patient_details(
        name=name or f"Bea Ruiz{chr(97 + n // 26)}{chr(97 + n % 26)}",
        email=f"bea{n}@example.com",
        mrn=f"MRN-2{n:03}",
        phone="",
    )
    return enrolment.enrol(clinic, details, course_details(), by=BY_TEST, now=now)


@pytest.fixture
def desk(desk_of, coordinator):
    return desk_of(coordinator)


@pytest.fixture
def unclear(course, later) -> Message:
    return make_unclear(course, now=later - HOUR)


def mail(client, **asked) -> str:
    return body(client.get(reverse("dashboards:mail"), asked))


def url(name: str, message: Message) -> str:
    return reverse(f"dashboards:{name}", args=[message.pk])


# -- What stands there ---------------------------------------------------------------------------


def test_an_empty_page_says_what_would_stand_there(desk):
    page = mail(desk)
    assert "No e-mail needs you." in page
    assert "Nothing was refused, impossible to send, or too late." in page


def test_an_unclear_message_says_who_what_when_and_what_happened(desk, unclear):
    page = mail(desk)
    assert "We do not know whether these arrived 1" in " ".join(
        page.replace('<span class="quiet number">', "").replace("</span>", "").split()
    )
    assert "Ana Lucía Peña" in page
    assert "The mail provider did not answer in time" in page
    assert "It was sent" in page
    assert url("send-again", unclear) in page


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"finished_at": True}, "The check-in was answered"),
        ({"started_at": True}, "The patient has begun to answer"),
        ({"closes_at": True}, "The check-in is closed"),
    ],
)
def test_what_nothing_hangs_on_stands_below_without_sending(desk, unclear, later, change, why):
    FollowUp.objects.update(**dict.fromkeys(change, later))
    page = mail(desk)
    assert "We do not know whether these arrived" not in page
    assert why in page
    assert url("send-again", unclear) not in page


def test_an_instant_before_it_closes_it_still_matters(desk, unclear, later):
    FollowUp.objects.update(closes_at=later + timedelta(microseconds=1))
    assert "We do not know whether these arrived" in mail(desk)


def test_a_later_mail_with_the_same_link_makes_it_moot_unless_that_came_back(desk, unclear, later):
    reminder = make_message(
        unclear.patient.courses.get(), now=later, follow_up=unclear.follow_up, kind="reminder",
        nth=1, state=State.ACCEPTED, accepted_at=later,
    )  # fmt: skip
    assert "A later e-mail with the same link went out" in mail(desk)
    Message.objects.filter(pk=reminder.pk).update(delivery="bounced")
    assert "We do not know whether these arrived" in mail(desk)


def test_a_dead_address_stands_with_its_telephone_and_what_was_missed(desk, course, later):
    make_dead(course, now=later - timedelta(days=10))
    due = make_follow_up(course, ["phq8"], now=later - timedelta(days=5)).dues.get()
    StepDue.objects.filter(pk=due.pk).update(step="A4", state="expired")
    page = mail(desk)
    assert "Mail bounced: there is no such mailbox" in page
    assert "tel:(432)555-0100" in page
    assert "Primary outcome" in page
    assert reverse("dashboards:contact", args=[course.patient_id]) in page


def test_what_closed_before_the_address_died_is_not_missed_because_of_it(desk, course, later):
    due = make_follow_up(course, ["phq8"], now=later - timedelta(days=9)).dues.get()
    StepDue.objects.filter(pk=due.pk).update(state="expired")
    make_dead(course, now=later - timedelta(days=1))
    assert "nothing yet" in mail(desk)


def test_a_corrected_address_leaves_the_list(desk, course, later):
    make_dead(course, now=later)
    assert "Mail bounced" in mail(desk)
    enrolment.change_details(
        course.patient, {"email": "ana.new@example.com"}, by=BY_TEST, now=later
    )
    assert "Mail bounced" not in mail(desk)


def test_who_has_ended_follow_up_is_not_to_be_called(desk, course, later):
    make_dead(course, now=later)
    enrolment.withdraw(course.patient, by=BY_TEST, now=later)
    assert "No e-mail needs you." in mail(desk)


def test_two_reasons_are_one_row_since_the_first(desk, course, later):
    make_dead(course, now=later - timedelta(days=3))
    make_dead(course, now=later, reason=Reason.COMPLAINT)
    page = mail(desk)
    assert "Mail bounced" in page
    assert "Marked our mail as spam" not in page


def test_who_unsubscribed_stands_with_the_date(desk, course, later):
    make_dead(course, now=later, reason=Reason.UNSUBSCRIBED)
    page = mail(desk)
    assert "Want no more e-mail" in page
    assert "12 Apr 2026" in page


@pytest.mark.parametrize(
    ("state", "reason", "why"),
    [
        ("rejected", "SMTPRecipientsRefused 550", "The mail server refused this address"),
        ("failed", "AnymailRequestsAPIError 422", "The mail provider did not accept this mail"),
        ("expired", "missed", "Its time had passed"),
    ],
)
def test_what_was_not_sent_says_why_for_thirty_days(desk, course, later, state, reason, why):
    month = timedelta(days=30)
    message = make_message(course, now=later, state=state, reason=reason, ended_at=later - month)
    assert why not in mail(desk)
    Message.objects.filter(pk=message.pk).update(ended_at=later - month + HOUR)
    assert why in mail(desk)


def test_a_shut_way_out_is_said_first(desk, later):
    Lane.objects.create(
        name="postmark", paused_until=later + HOUR, reason="it asks us to wait: 429", opened=1,
        updated_at=later - HOUR,
    )  # fmt: skip
    page = mail(desk)
    assert "E-mail is waiting." in page
    assert "it asks us to wait: 429" in page


# -- Who sees and does what ----------------------------------------------------------------------


def test_a_viewer_sees_no_telephone_and_no_button(desk_of, viewer, unclear, course, later):
    make_dead(course, now=later)
    page = mail(desk_of(viewer))
    assert "Ana Lucía Peña" in page
    assert "555-0100" not in page
    assert [act for act in ACTS if f">{act}" in page] == []


def test_no_score_stands_on_it(desk_of, admin, treated, later):
    make_unclear(treated, now=later - HOUR)
    page = mail(desk_of(admin))
    assert "PHQ" not in page


def test_another_clinics_mail_is_not_there(desk_of, other_clinic_admin, unclear, course, later):
    make_dead(course, now=later)
    client = desk_of(other_clinic_admin)
    page = mail(client)
    assert "Ana" not in page
    assert "No e-mail needs you." in page
    assert client.get(url("message", unclear)).status_code == 404
    assert client.post(url("confirm-sent", unclear)).status_code == 404


def test_looking_is_on_record(desk, unclear):
    mail(desk)
    desk.get(url("message", unclear))
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"read mail", "read message"} <= actions


def test_the_head_of_every_page_counts_what_needs_somebody(desk, unclear, course, clinic, later):
    make_dead(another(clinic, 1, now=later), now=later)
    page = body(desk.get(reverse("dashboards:patients")))
    assert '<span class="tag tag-attention number">2' in page


def test_without_anything_waiting_there_is_no_number(desk, course):
    page = body(desk.get(reverse("dashboards:patients")))
    assert "need somebody" not in page


# -- Deciding ------------------------------------------------------------------------------------


def test_it_was_sent_leaves_the_list(desk, unclear):
    page = body(desk.post(url("confirm-sent", unclear), {"from": "mail"}, follow=True))
    assert "Noted: this e-mail was sent." in page
    assert "No e-mail needs you." in page
    unclear.refresh_from_db()
    assert unclear.state == "accepted"


def test_send_again_asks_first_and_then_waits_to_be_sent(desk, unclear, coordinator):
    page = body(desk.get(url("send-again", unclear)))
    assert "Send this e-mail again?" in page
    assert "By itself it would wait" not in page
    assert Message.objects.get().state == "unknown"
    page = body(desk.post(url("send-again", unclear), follow=True))
    assert "It is to be sent on" in page
    assert Message.objects.get().requested_by == coordinator


def test_at_night_it_says_what_is_in_the_way_and_offers_to_pass_it(desk, course, clock, later):
    night = later.replace(hour=3)  # ten in the evening, in Chicago
    clock.move_to(night)
    message = make_unclear(course, now=night - HOUR)
    page = body(desk.get(url("send-again", message)))
    assert "It is a quiet hour where the patient is, until 08:00" in page
    assert "It is 22:00 where the patient is (America/Chicago)" in page
    desk.post(url("send-again", message), {"at_once": "on"})
    assert Message.objects.get().asked_for


def test_of_two_who_press_the_second_is_told(desk, unclear):
    desk.post(url("send-again", unclear))
    page = body(desk.post(url("confirm-sent", unclear), follow=True))
    assert "a colleague has this e-mail sent again already" in page
    page = body(desk.get(url("send-again", unclear)))
    assert "Nothing is to be decided any more" in page


def test_the_providers_word_between_page_and_press_is_told(desk, unclear, later):
    settling.accept_on_evidence(unclear, provider_message_id="p-1", now=later)
    page = body(desk.post(url("send-again", unclear), follow=True))
    assert "it is known by now that this e-mail was sent" in page
    assert Attempt.objects.get().outcome == "accepted"


def test_what_would_do_nothing_is_said_instead_of_offered(desk, unclear, later):
    FollowUp.objects.update(started_at=later)
    page = body(desk.get(url("send-again", unclear)))
    assert "The patient has begun to answer, so the link has arrived." in page
    assert '<button class="button">Send again' not in page


def test_writing_again_asks_first_says_why_not_and_lifts_all_of_it(desk, course, later):
    make_dead(course, now=later)
    make_dead(course, now=later, reason=Reason.UNSUBSCRIBED)
    address = reverse("dashboards:write-again", args=[course.patient_id])
    page = body(desk.get(address))
    assert "Mail bounced: there is no such mailbox" in page
    assert "The patient wants no more e-mail" in page
    page = body(desk.post(address, follow=True))
    assert "E-mail goes to this address again." in page
    assert not Suppression.objects.in_force().exists()
    assert "Nothing keeps us from writing" in body(desk.get(address))


# -- Many, and strange ---------------------------------------------------------------------------


def fill(clinic, numbers: range, now) -> None:
    for n in numbers:
        course = another(clinic, n, now=now)
        make_unclear(course, now=now - HOUR)
        make_dead(course, now=now)
        make_message(
            course, now=now, state="expired", reason="missed", ended_at=now,
            follow_up=make_follow_up(course, ["phq8"], now=now - timedelta(days=4)),
        )  # fmt: skip


def queries_of(client) -> int:
    with CaptureQueriesContext(connection) as captured:
        client.get(reverse("dashboards:mail"))
    return len(captured)


def test_thirty_rows_take_as_many_queries_as_one(desk, clinic, later):
    fill(clinic, range(1), later)
    mail(desk)
    one = queries_of(desk)
    fill(clinic, range(1, 30), later)
    assert queries_of(desk) == one


def test_long_lists_come_in_pages(desk, course, later):
    follow_up = make_follow_up(course, ["phq8"], now=later)
    for n in range(PER_PAGE + 1):
        make_message(course, now=later, state="failed", reason="x", ended_at=later,
                     follow_up=follow_up, nth=n)  # fmt: skip
    first, second = mail(desk), mail(desk, missed=2)
    assert "Page 1 of 2" in first
    assert first.count("/messages/") == PER_PAGE
    assert second.count("/messages/") == 1
    assert "Page 2 of 2" in mail(desk, missed="99")


def test_strange_names_and_no_telephone(desk, clinic, later):
    for n, name in enumerate(["ليلى بنت عبد الرحمن", "<b>X</b> & Y", "W" * 80]):
        make_dead(another(clinic, n, now=later, name=name), now=later)
    response = desk.get(reverse("dashboards:mail"))
    assert "<bdi>ليلى بنت عبد الرحمن</bdi>" in response.content.decode()
    assert "<b>X</b>" not in response.content.decode()
    assert body(response).count("none on file") == 3
    assert Patient.objects.count() == 3


def test_patients_list_and_page_lead_to_it(desk, unclear):
    assert reverse("dashboards:mail") in body(desk.get(reverse("dashboards:patients")))
    patient = reverse("dashboards:patient", args=[unclear.patient_id])
    assert url("message", unclear) in body(desk.get(patient))
