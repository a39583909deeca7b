"""The patient's own page: what it changes, what it does not, and that no robot changes anything."""

from datetime import UTC, datetime, time, timedelta
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client

from clinic import enrolment
from clinic.models import AuditEntry, Course, Patient
from dashboards.queries import story, unreachable
from dashboards.queries.choices import chosen
from reminders import planning, preferences, suppression
from reminders.letters import message_letter
from reminders.models import Message, State, Suppression
from reminders.preference_form import hour_choices
from surveys import links
from surveys.models import Alert, FollowUp
from tests.builders import BY_TEST, make_course
from tests.reminders.letters import drain_at, make_message
from tests.surveys.handset import Handset, Page

LANGUAGES = ("en", "es")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def message(course, now) -> Message:
    return make_message(course, now=now)


@pytest.fixture
def patient(message) -> Patient:
    return message.patient


@pytest.fixture
def link(message) -> str:
    return f"/u/{links.token(message.follow_up, 'unsubscribe')}/"


@pytest.fixture
def own(handset, link) -> Handset:
    """The patient's phone, with their own page open."""
    handset.get(link)
    return handset


def save(own: Handset, **chosen: str) -> Page:
    return own.press("Save", **chosen)


def acts(patient) -> list[tuple[str, list[str]]]:
    mine = AuditEntry.objects.filter(patient=patient, actor="patient_link").order_by("pk")
    return [(act.action, act.fields) for act in mine]


def wish(follow_up, now, **wishes):
    return preferences.choose(follow_up, wishes, now=now)


# -- Choosing -----------------------------------------------------------------------------------


def test_it_is_drawn_as_it_stands(own, patient):
    checked = {i["name"]: i["value"] for i in own.page.inputs if "checked" in i}
    assert checked == {"mail": "on", "language": "en"}
    assert "Pause them for two weeks, until Tuesday, March 17" in own.page.text


def test_a_pause_of_two_weeks_sends_nothing_and_ends_by_itself(own, patient, mail_server, now):
    page = save(own, mail="pause")
    assert "The e-mails are paused. They start again on Tuesday, March 17." in page.text
    patient.refresh_from_db()
    assert (patient.status, patient.paused_until) == ("paused", at("2026-03-17 05:00"))
    assert acts(patient) == [("pause", ["paused_until", "status"])]
    drain_at(now)
    assert not mail_server.messages
    assert not patient.is_paused(at("2026-03-17 05:00"))


def test_a_pause_can_be_ended_early(own, patient, now):
    save(own, mail="pause")
    page = own.press("Continue the e-mails")
    assert "The e-mails continue." in page.text
    patient.refresh_from_db()
    assert (patient.status, patient.paused_until) == ("active", None)
    assert [action for action, _ in acts(patient)] == ["pause", "resume"]


def test_to_stop_can_be_undone(own, patient, message, now):
    page = save(own, mail="off")
    assert "We will not write to you again" in page.text
    assert unreachable(patient) == "unsubscribed"
    page = own.press("Continue the e-mails")
    assert "The e-mails continue." in page.text
    assert unreachable(patient) == ""
    assert [action for action, _ in acts(patient)] == ["unsubscribe", "resubscribe"]


def test_continuing_days_later_needs_a_choice_too(own, link, patient):
    save(own, mail="off")
    own.get(link)
    assert "Leave them stopped" in own.page.text
    assert "Nothing was changed" in save(own).text
    own.get(link)
    save(own, mail="on")
    assert unreachable(patient) == ""


def test_who_stopped_may_pause_instead(own, link, patient, now):
    save(own, mail="off")
    own.get(link)
    save(own, mail="pause")
    patient.refresh_from_db()
    assert unreachable(patient) == ""
    assert patient.is_paused(now)


def test_language_and_hour(own, patient):
    page = save(own, language="es", send_hour="13")
    assert '<html lang="es">' in page.html
    assert "Guardamos lo que eligió" in page.text
    assert "Hora aproximada de los correos: 1:00 p.m." in page.text
    patient.refresh_from_db()
    assert (patient.language, patient.send_hour) == ("es", 13)
    assert acts(patient) == [("change details", ["language", "send_hour"])]
    own.get(page.path)
    own.press("Guardar", send_hour="")
    patient.refresh_from_db()
    assert patient.send_hour is None


def test_only_hours_at_which_the_clinic_writes_are_offered(patient, now):
    def offered():
        stands = preferences.standing(patient, now=now)
        return [int(hour) for hour, _ in hour_choices(patient, stands) if hour]

    assert offered() == list(range(8, 21))
    patient.clinic.quiet_from, patient.clinic.quiet_until = time(12, 30), time(14)
    assert [hour for hour in range(24) if hour not in offered()] == [13]
    patient.send_hour = 13  # as staff had it: not lost by opening the page
    assert 13 in offered()


def test_an_hour_that_is_no_longer_offered_is_an_error_like_others(own, patient, clinic):
    page = save(own, send_hour="3", mail="pause")
    assert page.title == "Error: Check-in"
    assert "There is a problem" in page.text
    assert page.links["Choose one of these answers."] == "#send_hour-0"
    checked = {i["name"]: i["value"] for i in page.inputs if "checked" in i}
    assert checked["mail"] == "pause"
    assert acts(patient) == []


def test_to_stop_ends_the_patients_own_pause(own, link, patient, now):
    save(own, mail="pause")
    own.get(link)
    save(own, mail="off")
    patient.refresh_from_db()
    assert not patient.is_paused(now)
    assert "paused" not in own.get(link).text
    assert [action for action, _ in acts(patient)] == ["pause", "unsubscribe", "resume"]


def test_other_choices_say_that_a_pause_goes_on(own, link):
    save(own, mail="pause")
    own.get(link)
    page = save(own, send_hour="9")
    assert "The e-mails come around 9:00 AM. Your clinic can see this. The e-mails are" in page.text


# -- A robot ------------------------------------------------------------------------------------


class Robot(HTMLParser):
    """Every form of a page with what is in it, once for each way in which it can be sent."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: dict[str, dict[str, str]] = {}
        self.buttons: list[tuple[str, dict[str, str]]] = []
        self.actions: dict[str, str] = {}
        self._form = self._select = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = given.get("id", f"form-{len(self.forms)}")
            self.forms[self._form] = {}
            self.actions[self._form] = given.get("action", "")
        elif tag == "input" and (
            given.get("type") not in ("radio", "checkbox") or "checked" in given
        ):
            self.forms[self._form][given["name"]] = given["value"]
        elif tag == "select":
            self._select = given["name"]
        elif tag == "option" and "selected" in given:
            self.forms[self._form][self._select] = given["value"]
        elif tag == "button":
            pressed = {given["name"]: given["value"]} if "name" in given else {}
            self.buttons.append((given.get("form", self._form), pressed))

    def ways(self):
        for form, data in self.forms.items():
            yield self.actions[form], data
        for form, pressed in self.buttons:
            yield self.actions[form], {**self.forms[form], **pressed}


def _paused(follow_up, now):
    wish(follow_up, now, mail="pause")


def _stopped(follow_up, now):
    wish(follow_up, now, mail="off")


def _paused_by_staff(follow_up, now):
    enrolment.pause(follow_up.patient, by=BY_TEST, now=now)


def _withdrawn(follow_up, now):
    enrolment.withdraw(follow_up.patient, by=BY_TEST, now=now)


def _withdrawn_and_stopped(follow_up, now):
    _stopped(follow_up, now)
    _withdrawn(follow_up, now)


def _with_an_hour(follow_up, now):
    wish(follow_up, now, send_hour=13, language="es")


STATES = [
    *(lambda follow_up, now: None, _paused, _stopped, _paused_by_staff),
    *(_withdrawn, _withdrawn_and_stopped, _with_an_hour),
]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_a_robot_that_sends_every_form_changes_no_row(
    state, language, link, message, now, clock, assert_no_writes
):
    state(message.follow_up, now)
    browser = Client()
    with assert_no_writes():
        page = browser.get(f"{link}?lang={language}").content.decode()
        browser.head(link)
        ways = list(Robot(page).ways())
        for action, data in ways:
            answer = browser.post(link + action, data)
            assert answer.status_code == 200
    assert len(ways) >= 3
    assert not browser.cookies


def test_the_same_address_twice_in_a_form_says_nothing_new(own, patient):
    page = save(own)
    assert "Nothing was changed" in page.text
    assert acts(patient) == []


# -- Twice, late, at the same time --------------------------------------------------------------

CHOICES = [{"mail": "pause"}, {"mail": "off"}, {"language": "es"}, {"send_hour": "9"}]


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_a_double_post_does_it_once_and_says_the_same(own, patient, choice):
    data = {"save": "yes", "was_mail": "on", "was_send_hour": "", "was_language": "en"}
    first, second = (own.client.post(own.page.path, {**data, **choice}) for _ in range(2))
    assert first.content == second.content
    assert b"Nothing was changed" not in first.content
    assert len(acts(patient)) == 1


def test_the_repeated_pause_is_not_a_longer_one(own, patient, clock, now):
    data = {"save": "yes", "was_mail": "on", "mail": "pause"}
    own.client.post(own.page.path, data)
    clock.shift(timedelta(days=3))
    own.client.post(own.page.path, data)
    patient.refresh_from_db()
    assert patient.paused_until == at("2026-03-17 05:00")


def test_an_old_tab_takes_back_nothing_that_another_did(own, link, patient, now):
    other = Handset(Client())
    other.get(link)
    save(other, mail="off", send_hour="9")
    save(own, language="es")  # drawn before, when mail was on and there was no hour
    patient.refresh_from_db()
    assert unreachable(patient) == "unsubscribed"
    assert (patient.language, patient.send_hour) == ("es", 9)


def test_it_is_all_or_nothing(message, patient, now, monkeypatch):
    def fail(*args, **more):
        raise RuntimeError

    monkeypatch.setattr(enrolment, "pause_own", fail)
    with pytest.raises(RuntimeError):
        wish(message.follow_up, now, mail="pause", language="es")
    patient.refresh_from_db()
    assert (patient.language, acts(patient)) == ("en", [])


# -- What is not the patient's to change --------------------------------------------------------


@pytest.mark.parametrize("until", [None, timedelta(days=30)])
def test_the_clinics_pause_is_for_the_clinic_to_end(own, link, patient, now, until):
    ends = now + until if until else None
    enrolment.pause(patient, by=BY_TEST, now=now, until=ends)
    page = own.get(link)
    assert "Your clinic has paused your e-mails." in page.text
    assert [i["value"] for i in page.inputs if i["name"] == "mail"] == ["pause", "off"]
    for mail in ("on", "pause"):
        own.client.post(link, {"save": "yes", "was_mail": "x", "mail": mail})
    patient.refresh_from_db()
    assert (patient.status, patient.paused_until) == ("paused", ends)
    save(own, mail="off")
    assert unreachable(patient) == "unsubscribed"
    own.get(link)
    page = save(own, mail="on")
    assert unreachable(patient) == ""
    assert "Your choices are saved Your clinic has paused your e-mails." in page.text
    assert "Continue the e-mails" not in page.text


def test_a_pause_of_staff_after_the_patients_own_is_the_clinics(patient, message, now):
    assert not wish(message.follow_up, now, mail="pause").is_clinics_pause
    enrolment.pause(patient, by=BY_TEST, now=now + timedelta(minutes=1))
    assert preferences.standing(patient, now=now).is_clinics_pause is False  # not read again
    patient.refresh_from_db()
    assert wish(message.follow_up, now, mail="on").is_clinics_pause


def test_a_pause_that_has_run_out_stands_in_no_way(patient, message, now):
    enrolment.pause(patient, by=BY_TEST, now=now, until=now + timedelta(days=1))
    later = now + timedelta(days=2)
    assert wish(message.follow_up, later, send_hour=9).mail == "on"
    stands = wish(message.follow_up, later, mail="pause")
    assert (stands.mail, stands.is_clinics_pause) == ("pause", False)


def test_only_the_patients_own_wish_is_lifted(own, patient, now):
    digest = suppression.address_digest(patient.email)
    suppression.suppress(patient, digest, Suppression.Reason.HARD_BOUNCE, now=now)
    save(own, mail="off")
    page = own.press("Continue the e-mails")
    assert "Your clinic cannot send you e-mails now." in page.text
    assert suppression.why_not(patient) == "hard_bounce"


@pytest.mark.parametrize("end", [enrolment.withdraw, enrolment.mark_deceased])
def test_after_the_end_only_to_stop_is_left(own, link, patient, now, end):
    end(patient, by=BY_TEST, now=now)
    page = own.get(link)
    assert {i["value"] for i in page.inputs if i.get("type") == "radio"} == {"on", "off"}
    assert "select" not in page.html
    everything = {"mail": "pause", "language": "es", "send_hour": "9", "save": "yes"}
    answer = own.client.post(link, everything)
    assert b"Nothing was changed" in answer.content
    assert acts(patient) == []
    own.get(link)
    assert "We will not write to you again" in save(own, mail="off").text
    own.client.post(link, {"mail": "on", "save": "yes"})
    assert unreachable(patient) == "unsubscribed"
    assert [action for action, _ in acts(patient)] == ["unsubscribe"]


@pytest.mark.parametrize(
    ("zone", "day", "ends"),
    [
        ("America/Chicago", "2026-03-01 18:00", "2026-03-15 05:00"),  # over the 8th, 23 hours
        ("America/Chicago", "2026-10-25 18:00", "2026-11-08 06:00"),  # over the 1st, 25 hours
        ("America/Phoenix", "2026-03-01 18:00", "2026-03-15 07:00"),
        ("America/Havana", "2026-02-22 18:00", "2026-03-08 05:00"),  # whose midnight is skipped
        ("America/Chicago", "2026-03-02 05:59", "2026-03-15 05:00"),  # still the day before
    ],
)
def test_two_weeks_are_local_days_whatever_the_clocks_do(zone, day, ends):
    assert preferences.two_weeks_on(at(day), ZoneInfo(zone)) == at(ends)


# -- The schedule -------------------------------------------------------------------------------


@pytest.fixture
def planned(clinic, now) -> Course:
    course = make_course(clinic, now=now, name="Eva Ruiz", mrn="MRN-2")
    planning.reconcile(course.patient, now=now, by=BY_TEST)
    assert Message.objects.filter(patient=course.patient).count() == 1
    return course


def replanned(course: Course, now: datetime) -> Message:
    assert planning.lagging(now=now) == [course.patient]
    planning.reconcile_lagging(now=now)
    return Message.objects.filter(patient=course.patient).latest("created_at")


def test_an_hour_moves_what_is_planned(planned, now):
    follow_up = FollowUp.objects.get()
    revision = Course.objects.get().revision
    wish(follow_up, now, send_hour=20)
    assert Course.objects.get().revision > revision
    assert [course.patient for course in Course.objects.lagging(now)] == [planned.patient]


def test_what_a_pause_held_back_comes_after_it_is_ended(planned, now):
    follow_up = FollowUp.objects.get()
    wish(follow_up, now, mail="pause")
    planning.reconcile_lagging(now=now)
    assert not Message.objects.filter(state=State.SCHEDULED).exists()
    soon = now + timedelta(minutes=5)
    wish(follow_up, soon, mail="on")
    assert replanned(planned, soon).state == State.SCHEDULED


def test_what_was_stopped_comes_again_when_the_wish_is_taken_back(planned, now):
    follow_up = FollowUp.objects.get()
    wish(follow_up, now, mail="off")
    planning.reconcile_lagging(now=now)
    assert not Message.objects.filter(state=State.SCHEDULED).exists()
    soon = now + timedelta(minutes=5)
    wish(follow_up, soon, mail="on")
    assert replanned(planned, soon).state == State.SCHEDULED


def test_the_next_mail_of_an_open_follow_up_is_in_the_new_language(message, now):
    FollowUp.objects.update(language="en")  # as chosen on a page of questions
    wish(message.follow_up, now, language="es")
    found = Message.objects.select_related("patient__clinic", "follow_up").get()
    assert message_letter(found, ("phq8",)).language == "es"


# -- The page -----------------------------------------------------------------------------------


def test_switching_the_language_keeps_the_place_and_the_choice(own, link, patient):
    page = own.press("Español", mail="pause")
    assert "<h1>Sus correos</h1>" in page.html
    checked = {i["name"]: i["value"] for i in page.inputs if "checked" in i}
    assert checked == {"mail": "pause", "language": "en"}
    assert "Error" not in page.title
    assert acts(patient) == []
    page = own.press("Guardar", mail="pause")
    assert "Los correos están en pausa. Vuelven a llegar el martes 17 de marzo." in page.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_gives_nothing_away_and_has_the_crisis_line(own, link, patient, clinic, language):
    clinic.name, clinic.phone = "North Ketamine Clinic", "(432) 555-0199"
    clinic.save()
    for path in (link, f"{link}help/"):
        page = own.get(f"{path}?lang={language}")
        assert page.response.headers["Content-Language"] == language
        assert "988" in page.text
        assert "(432) 555-0199" in page.text
        assert "no-store" in page.response.headers["Cache-Control"]
        assert "<script" not in page.html
        for secret in ("Ana", "ana@example.com", "North", "Ketamine", "1984", "555-0100"):
            assert secret not in page.html
        assert links.token(FollowUp.objects.get()) not in page.html  # opens no check-in


def test_help_only_shows_numbers_until_it_is_pressed(own, link, patient):
    page = own.follow("I need help now")
    assert page.links["Call 988"] == "tel:988"
    assert not Alert.objects.exists()
    for _ in range(2):
        own.get(f"{link}help/")
        page = own.press("Tell my clinic that I need help")
        assert "Your clinic has been notified." in page.text
    assert Alert.objects.get().level == Alert.Level.CRITICAL
    assert own.follow("Go back").path == link


def test_nobody_is_told_about_who_has_left(own, link, patient, now):
    enrolment.withdraw(patient, by=BY_TEST, now=now)
    page = own.client.post(f"{link}help/", {"tell": "yes"})
    assert b"tel:988" in page.content
    assert not Alert.objects.exists()


@pytest.mark.parametrize("more", ["", "help/"])
def test_an_unknown_link_is_no_page_and_helps_all_the_same(db, client, more):
    for answer in (client.get(f"/u/nonsense/{more}"), client.post(f"/u/nonsense/{more}")):
        assert answer.status_code == 404
        assert "988" in answer.content.decode()


def test_the_pages_of_a_check_in_lead_here(handset, message):
    for page in (handset.open(message.follow_up), handset.open(message.follow_up, "?lang=es")):
        text = "Change or stop these e-mails"
        if "lang=es" in page.response.request["QUERY_STRING"]:
            text = "Cambiar o dejar de recibir estos correos"
        address = page.links[text]
        assert address.startswith("http://localhost:8000/u/")
        assert handset.get(address.removeprefix("http://localhost:8000")).status == 200


def test_it_costs_few_queries(own, link, django_assert_num_queries, django_assert_max_num_queries):
    with django_assert_num_queries(2):
        own.client.get(link)
    with django_assert_num_queries(5):  # a savepoint's two are the test's own
        own.client.post(link, {"save": "yes", "mail": "on", "language": "en"})
    wishes = {"save": "yes", "mail": "pause", "language": "es", "send_hour": "9"}
    with django_assert_max_num_queries(33):
        own.client.post(link, wishes)


# -- What staff see -----------------------------------------------------------------------------


def test_staff_see_what_the_patient_changed(message, patient, clinician, client, now):
    wish(message.follow_up, now, language="es", send_hour=13)
    wish(message.follow_up, now + timedelta(minutes=1), mail="pause")
    assert [row.what for row in chosen(patient)] == [
        "paused",
        "details changed: language, send hour",
    ]
    client.force_login(clinician.user)
    with time_machine.travel(now + timedelta(hours=1), tick=False):
        page = " ".join(client.get(f"/patients/{patient.pk}/").content.decode().split())
    assert "Changed by the patient" in page
    assert "paused until 17 Mar" in page
    assert "13:00" in page


def test_what_staff_changed_is_not_listed_as_the_patients(patient, now):
    enrolment.pause(patient, by=BY_TEST, now=now)
    assert chosen(patient) == []


def test_the_e_mails_own_page_says_that_it_was_the_patient(message, now):
    wish(message.follow_up, now, mail="off")
    found = Message.objects.select_related("patient__clinic", "follow_up").get()
    assert ("unsubscribed by the patient", "the patient") in [
        (move.what, move.by) for move in story(found).moves
    ]


def test_the_log_holds_no_link(own, caplog):
    caplog.set_level("DEBUG")
    save(own, mail="pause")
    assert links.token(FollowUp.objects.get(), "unsubscribe") not in caplog.text
