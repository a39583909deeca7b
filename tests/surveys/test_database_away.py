"""The database is away for a moment: the patient's choice stays, and so do the crisis lines."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from html import unescape

import pytest
from django.db import OperationalError, connection

from config.logs import Redact, formatter
from surveys.models import Alert, Response
from surveys.unsaved import unsaved_kinds
from tests.surveys.follow_ups import make_follow_up, the_response

pytestmark = pytest.mark.django_db
SAVE = "Save and continue"
DAY = timedelta(days=1)
EVERY = 5  # statements: each of them in turn takes a minute


@contextmanager
def away(*, after: int = 0, once: bool = False) -> Iterator[list[str]]:
    """No statement is answered, or none but the first `after`, or only the one after them not."""
    asked: list[str] = []

    def refuse(execute, sql, *args):
        asked.append(sql)
        if len(asked) <= after or (once and len(asked) > after + 1):
            return execute(sql, *args)
        raise OperationalError("server closed the connection unexpectedly")

    with connection.execute_wrapper(refuse):
        yield asked


@pytest.fixture
def handset(handset):
    handset.client.raise_request_exception = False
    return handset


def test_at_every_question_the_choice_is_kept_and_goes_on_trying_again(handset, follow_up):
    handset.start(follow_up)
    for place in range(1, 10):
        with away():
            page = handset.choose("1")
        assert (page.status, page.path) == (503, f"/check-in/{place}/")
        assert page.response.headers["Retry-After"]
        assert "What you chose is kept on this page" in page.text
        assert "Many people have these thoughts" in page.text or place != 9
        assert page.links["Call 988"] == "tel:988"
        assert handset.hidden_answers() == ["1"]
        handset.press("Try again", answer=handset.hidden_answers())
    assert handset.page.path == "/check-in/help/"
    response = the_response(follow_up, "phq9")
    assert response.answers == {str(n): 1 for n in range(1, 10)}
    assert response.replaced == []
    assert Alert.objects.get().trigger == "9=1"


def test_trying_again_while_it_is_still_away_keeps_the_choice(handset, check_in):
    handset.start(check_in)
    with away():
        handset.choose("flag-fall", "flag-chest-pain")
        page = handset.press("Try again", answer=handset.hidden_answers())
    assert page.status == 503
    assert handset.hidden_answers() == ["flag-fall", "flag-chest-pain"]
    assert page.title == "Check-in"
    assert "This can be an emergency." in page.text
    assert handset.press("Try again", answer=handset.hidden_answers()).path == (
        "/check-in/emergency/"
    )


@pytest.mark.django_db(transaction=True)
def test_whichever_statement_fails_the_answer_is_kept_once(handset, course, now):
    for after in range(0, 100, EVERY):
        follow_up = make_follow_up(course, ["checkin"], now=now, opens=-DAY * (after + 1))
        handset.start(follow_up)
        with away(after=after, once=True) as asked:
            page = handset.choose("flag-chest-pain")
        if page.status == 503 and handset.hidden_answers():
            page = handset.press("Try again", answer=handset.hidden_answers())
        elif page.status == 503:
            page = handset.get(page.path)
        assert (page.status, page.path) == (200, "/check-in/emergency/")
        assert the_response(follow_up, "checkin").answers["flag-chest-pain"] == 1
        assert follow_up.alerts.get().level == "urgent"
        if len(asked) <= after:
            break
    assert after > 10, "the statements of one answer"


def test_in_the_patients_language(handset, follow_up):
    handset.start(follow_up)
    handset.press("Español")
    for _ in range(8):
        handset.choose("0")
    with away():
        page = handset.choose("3")
    assert page.response.headers["Content-Language"] == "es"
    assert '<html lang="es">' in page.html
    assert "Gracias por decírnoslo." in page.text
    assert "Lo que eligió sigue en esta página" in page.text
    assert handset.press("Intentar de nuevo", answer=["3"]).path == "/check-in/help/"


@pytest.mark.parametrize("path", ["/check-in/", "/check-in/1/", "/check-in/review/", "/s/x/"])
def test_a_page_that_is_only_opened_says_so_with_the_numbers(handset, follow_up, path):
    handset.start(follow_up)
    with away():
        page = handset.get(path)
    assert page.status == 503
    assert page.links["Try again"] == ""
    assert page.links["Call 988"] == "tel:988"
    assert "no-store" in page.response.headers["Cache-Control"]
    assert "default-src 'none'" in page.response.headers["Content-Security-Policy"]


def test_asking_for_help_shows_the_numbers_and_can_be_repeated(handset, follow_up):
    handset.start(follow_up)
    with away():
        page = handset.press("I need help now")
    assert page.status == 503
    assert "Your clinic has not received it yet." in page.text
    assert page.links["Text 988"] == "sms:988"
    assert handset.press("Try again").path == "/check-in/help/"
    assert Alert.objects.get().level == "critical"


def test_sending_can_be_repeated(handset, follow_up):
    handset.start(follow_up)
    for _ in range(9):
        handset.choose("0")
    with away():
        assert handset.press("Send my answers").status == 503
    assert handset.press("Try again").path == "/check-in/sent/"
    assert Response.objects.get().scores.count() == 1


def test_a_member_who_is_signed_in_in_the_same_browser_changes_nothing(
    handset, follow_up, clinician
):
    """The session is read before the page is: that fails too."""
    handset.client.force_login(clinician.user)
    handset.start(follow_up)
    with away():
        page = handset.choose("2")
    assert page.status == 503
    assert handset.hidden_answers() == ["2"]
    assert clinician.user.email not in page.html


def test_a_fault_of_ours_keeps_the_choice_too(handset, follow_up, monkeypatch):
    handset.start(follow_up)

    def broken(*_args):
        raise RuntimeError("secret detail")

    with connection.execute_wrapper(broken):
        page = handset.choose("2")
    assert page.status == 500
    assert "secret detail" not in page.html
    assert handset.hidden_answers() == ["2"]


def test_a_forged_form_is_not_repeated_as_it_is(handset, follow_up):
    handset.start(follow_up)
    with away():
        page = handset.press(SAVE, answer='"><b>x', csrfmiddlewaretoken="forged")
    assert "<b>x" not in page.html
    assert "forged" not in page.html


def test_staff_see_the_page_they_know(client, clinician):
    client.force_login(clinician.user)
    client.raise_request_exception = False
    with away():
        response = client.get("/")
    assert response.status_code == 500
    assert "on our side" in response.content.decode()


def test_nothing_of_the_answer_reaches_the_log(handset, follow_up):
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(formatter(style="json"))
    handler.addFilter(Redact())
    logging.getLogger().addHandler(handler)
    handset.start(follow_up)
    sent = handset.hidden()
    try:
        with away():
            handset.choose("3")
    finally:
        logging.getLogger().removeHandler(handler)
    assert "/check-in/1/" in written.getvalue()
    assert "answer" not in written.getvalue().replace("_answered", "")
    assert sent["stamp"] not in written.getvalue()
    assert "phq9" not in written.getvalue()


@pytest.mark.parametrize(
    ("question", "answers", "kinds"),
    [
        ("phq9/9", ["1"], {"suicide"}),
        ("phq9/9", ["0"], set()),
        ("phq9/9", [], set()),
        ("phq9/9", ["17"], set()),
        ("phq9/1", ["3"], set()),
        ("checkin/flags", ["none"], set()),
        ("made-up/1", ["1"], set()),
        ("phq9/none-such", ["1"], set()),
        ("", ["x"], set()),
    ],
)
def test_what_an_answer_means_needs_no_database(question, answers, kinds):
    assert unsaved_kinds(question, answers) == kinds


def test_what_is_kept_is_escaped_once(handset, follow_up):
    handset.start(follow_up)
    before = handset.hidden()
    with away():
        page = handset.choose("1")
    kept = {i["name"]: unescape(i["value"]) for i in page.inputs if i.get("type") == "hidden"}
    assert before.items() - {("csrfmiddlewaretoken", before["csrfmiddlewaretoken"])} <= kept.items()
