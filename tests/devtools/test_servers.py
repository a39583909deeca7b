"""The servers the other tests rely on: they really listen, and really misbehave when told to."""

import smtplib
import time

import pytest
import requests
from anymail.exceptions import AnymailError
from django.core.mail import EmailMessage, get_connection
from environ import Env
from psycopg import connect
from redis import Redis

from devtools.servers import smtp
from devtools.servers.provider import Behaviour, Provider, bounced, delivered
from devtools.servers.smtp import SmtpServer
from devtools.servers.valkey import Valkey


def mail() -> EmailMessage:
    return EmailMessage("Zwei Fragen", "Grüße", "updates@clinic.example", ["ana@mail.example"])


def smtp_connection(server: SmtpServer, timeout: float = 5):
    backend = "django.core.mail.backends.smtp.EmailBackend"
    return get_connection(backend, host=server.host, port=server.port, timeout=timeout)


def postmark_connection(provider: Provider, **settings):
    backend = "anymail.backends.postmark.EmailBackend"
    options = {"server_token": "test-server-token", "api_url": provider.url, **settings}
    return get_connection(backend, **options)


def test_the_smtp_server_keeps_a_message_as_it_was_sent(smtp_server):
    smtp_connection(smtp_server).send_messages([mail()])
    [received] = smtp_server.to("ana@mail.example")
    assert received.message["Subject"] == "Zwei Fragen"
    assert received.message.get_content().strip() == "Grüße"


def test_the_smtp_server_answers_once_as_told_and_then_as_usual(smtp_server):
    smtp_server.next_answers.append("451 try again later")
    with pytest.raises(smtplib.SMTPDataError):
        smtp_connection(smtp_server).send_messages([mail()])
    assert smtp_connection(smtp_server).send_messages([mail()]) == 1
    assert len(smtp_server.messages) == 1


def test_the_smtp_server_refuses_one_address(smtp_server):
    smtp_server.refused["ana@mail.example"] = "550 no such mailbox"
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        smtp_connection(smtp_server).send_messages([mail()])
    assert smtp_server.messages == []


def test_the_smtp_server_can_take_a_message_and_hang_up(smtp_server):
    smtp_server.next_answers.append(smtp.TAKE_AND_HANG_UP)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        smtp_connection(smtp_server).send_messages([mail()])
    assert len(smtp_server.messages) == 1


def test_the_smtp_server_can_take_a_message_and_say_nothing(smtp_server):
    smtp_server.next_answers.append(smtp.TAKE_AND_SAY_NOTHING)
    with pytest.raises((TimeoutError, smtplib.SMTPServerDisconnected)):
        smtp_connection(smtp_server, timeout=0.2).send_messages([mail()])
    assert len(smtp_server.messages) == 1


def test_anymail_sends_through_the_provider(provider):
    message = mail()
    assert postmark_connection(provider).send_messages([message]) == 1
    [accepted] = provider.to("ana@mail.example")
    assert message.anymail_status.message_id == accepted.id


@pytest.mark.parametrize(
    ("behaviour", "taken"),
    [
        (Behaviour.ACCEPT_AND_ANSWER_500, 1),
        (Behaviour.ACCEPT_AND_HANG_UP, 1),
        (Behaviour.ACCEPT_AND_SAY_NOTHING, 1),
        (Behaviour.ANSWER_500, 0),
        (Behaviour.UNAVAILABLE, 0),
        (Behaviour.TOO_MANY, 0),
        (Behaviour.HANG_UP, 0),
        (Behaviour.INACTIVE, 0),
        (Behaviour.BAD_ADDRESS, 0),
        (Behaviour.BAD_TOKEN, 0),
    ],
)
def test_the_provider_misbehaves_as_told(provider, settings, behaviour, taken):
    settings.ANYMAIL = {"REQUESTS_TIMEOUT": 0.3}
    provider.next.append(behaviour)
    # Anymail lets some of requests' own exceptions through unwrapped.
    with pytest.raises((AnymailError, requests.RequestException)):
        postmark_connection(provider).send_messages([mail()])
    assert len(provider.accepted) == taken


def test_the_same_bounce_reported_twice_is_the_same_event(provider):
    postmark_connection(provider).send_messages([mail()])
    first, again = bounced(provider.accepted[0]), bounced(provider.accepted[0])
    assert first["ID"] == again["ID"]
    assert delivered(provider.accepted[0])["MessageID"] == first["MessageID"]


@pytest.mark.processes
def test_valkey_is_private_and_keeps_its_queue_when_killed(own_valkey: Valkey):
    client = Redis.from_url(own_valkey.client_url)
    client.lpush("send", "tick")
    time.sleep(1.2)  # appendfsync everysec
    own_valkey.kill()
    own_valkey.start()
    assert client.llen("send") == 1
    assert own_valkey.socket.stat().st_mode & 0o077 == 0


@pytest.mark.processes
def test_postgresql_starts_for_whoever_runs_the_tests(postgres_url):
    at = Env.db_url_config(postgres_url)
    with connect(host=at["HOST"], user=at["USER"], password=at["PASSWORD"]) as connection:
        assert connection.info.server_version >= 140000
