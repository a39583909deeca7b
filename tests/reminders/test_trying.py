"""A test of an e-mail goes to whoever asked for it, the ordinary way, ten times an hour."""

from datetime import timedelta

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied

from clinic.actors import member_actor, system
from clinic.models import AuditEntry
from clinic.refusals import Refused
from reminders import emails, lanes, samples, trying
from reminders.models import Attempt, Lane, Message, Notice
from reminders.outcomes import Way
from reminders.samples import SAMPLES

Came = Attempt.Outcome
INVITATION = SAMPLES["invitation"]
CASES = [(key, language) for key, sample in SAMPLES.items() for language in sample.languages]
MARK = {"en": "This is a test that somebody sent to themselves.", "es": "Esta es una prueba"}


def send(member, now, sample=INVITATION, language="en"):
    return trying.send_to_oneself(sample, language, by=member_actor(member), now=now)


@pytest.mark.parametrize(("key", "language"), CASES)
def test_it_goes_to_oneself_and_says_that_it_is_a_test(coordinator, key, language, now):
    assert send(coordinator, now, SAMPLES[key], language).came == Came.ACCEPTED
    (sent,) = mail.outbox
    (html, _), *_ = sent.alternatives
    assert sent.recipients() == [coordinator.user.email]
    assert sent.body.startswith(MARK[language])
    assert html.index("<body") < html.index(MARK[language]) < html.index("<table")


@pytest.mark.parametrize(("key", "language"), CASES)
def test_but_for_that_sentence_it_is_the_sample(coordinator, key, language, now):
    send(coordinator, now, SAMPLES[key], language)
    letter = samples.letter(SAMPLES[key], language, reader=coordinator, now=now)
    plain = emails.write(letter, "locmem").email
    (sent,) = mail.outbox
    assert sent.body.partition("\n\n")[2] == plain.body
    assert (sent.subject, sent.from_email) == (plain.subject, plain.from_email)
    same = {"Message-ID": ""}
    assert {**sent.extra_headers, **same} == {**plain.extra_headers, **same}
    before, _, after = plain.alternatives[0].content.partition("<table")
    assert sent.alternatives[0].content.startswith(before.rstrip())
    assert sent.alternatives[0].content.endswith(after)


def test_two_tests_are_two_mails(coordinator, now):
    send(coordinator, now)
    send(coordinator, now)
    assert len({each.extra_headers["Message-ID"] for each in mail.outbox}) == 2


def test_it_leaves_one_line_in_the_trail_and_no_message(coordinator, now):
    send(coordinator, now)
    entry = AuditEntry.objects.get(action=trying.ACTION)
    assert (entry.member, entry.clinic, entry.at) == (coordinator, coordinator.clinic, now)
    assert entry.patient is None
    for model in (Message, Notice, Attempt):
        assert not model.objects.exists()


def test_on_hold_nothing_goes_and_it_says_so(coordinator, now, settings):
    settings.MAIL_MODE = "hold"
    with pytest.raises(Refused, match="on hold"):
        send(coordinator, now)
    assert mail.outbox == []
    assert not AuditEntry.objects.filter(action=trying.ACTION).exists()


def test_redirected_it_goes_where_all_mail_goes(coordinator, now, settings):
    settings.MAIL_MODE = "redirect:operator@example.org"
    send(coordinator, now)
    assert mail.outbox[0].recipients() == ["operator@example.org"]


def test_who_may_send_nothing_may_not_send_this(viewer, now):
    with pytest.raises(PermissionDenied):
        send(viewer, now)
    assert mail.outbox == []


def test_the_system_has_no_mailbox(clinic, now):
    with pytest.raises(ValueError, match="only a member"):
        trying.send_to_oneself(INVITATION, "en", by=system("a test"), now=now)


def test_the_eleventh_in_an_hour_waits_and_only_for_this_member(coordinator, clinician, now):
    for _ in range(trying.AT_MOST):
        send(coordinator, now)
    with pytest.raises(Refused, match="10 tests"):
        send(coordinator, now + trying.PERIOD - timedelta(seconds=1))
    assert len(mail.outbox) == trying.AT_MOST
    send(clinician, now)
    send(coordinator, now + trying.PERIOD)  # exactly an hour later
    assert len(mail.outbox) == trying.AT_MOST + 2


def test_a_way_out_that_is_shut_is_left_alone(coordinator, now):
    Lane.objects.create(
        name=lanes.current(), opened=1, paused_until=now + timedelta(minutes=1), updated_at=now
    )
    with pytest.raises(Refused, match="does not get out"):
        send(coordinator, now)
    assert mail.outbox == []


def test_a_server_that_cannot_be_reached_is_told_and_noted(coordinator, now, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    outcome = send(coordinator, now)
    assert (outcome.came, outcome.way) == (Came.NOT_SENT, Way.SHUT)
    assert Lane.objects.get(name="smtp").unknown_in_a_row == 1
