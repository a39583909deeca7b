"""Handing over a mail: the envelope in one packet, and whatever a server may say to it."""

import smtplib

import pytest

from devtools.servers.smtp import SmtpServer
from reminders import smtp

MAIL = b"Subject: x\r\n\r\n.hidden\r\nse\xc3\xb1or\r\n"


@pytest.fixture(params=[True, False], ids=["pipelining", "one by one"])
def connection(request, smtp_server: SmtpServer):
    smtp_server.pipelines = request.param
    with smtplib.SMTP(smtp_server.host, smtp_server.port, timeout=5) as connection:
        connection.ehlo()
        assert connection.has_extn("pipelining") is request.param
        yield connection


def send(connection: smtplib.SMTP, wire: bytes = MAIL) -> None:
    for _ in smtp.hand_over(connection, "updates@example.org", "ana@example.com", wire):
        """On with it: nobody else is waiting."""


def test_a_mail_arrives_as_it_is_with_its_envelope(connection, smtp_server):
    send(connection)
    send(connection)
    first, second = smtp_server.messages
    assert (first.sender, first.recipients) == ("updates@example.org", ("ana@example.com",))
    assert first.content == second.content == MAIL


def test_a_mail_without_a_last_line_end_gets_one(connection, smtp_server):
    send(connection, MAIL.removesuffix(b"\r\n"))
    assert smtp_server.messages[0].content == MAIL


def test_a_refused_recipient_is_told_with_its_answer(connection, smtp_server):
    smtp_server.refused["ana@example.com"] = "550 5.1.1 no such mailbox"
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        send(connection)
    assert refused.value.recipients == {"ana@example.com": (550, b"5.1.1 no such mailbox")}
    assert not smtp_server.messages


def test_a_refused_mail_is_told_with_its_answer(connection, smtp_server):
    smtp_server.next_answers.append("451 try again later")
    with pytest.raises(smtplib.SMTPDataError) as refused:
        send(connection)
    assert refused.value.smtp_code == 451


def test_a_dropped_connection_leaves_the_doubt_it_must(connection, smtp_server):
    smtp_server.next_answers.append("take, then close the connection without an answer")
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(connection)
    assert len(smtp_server.messages) == 1
