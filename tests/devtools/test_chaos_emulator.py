"""The provider of the storm: it keeps what it takes, whatever it says, and repeats no mail."""

import http.client
import json
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any

import pytest
import requests
from anymail.exceptions import AnymailError
from django.core.mail import EmailMessage, get_connection

from devtools.chaos.place import Provider
from devtools.processes import Child, answers, free_port, machine_environment
from devtools.servers.emulator import ledger
from devtools.servers.emulator.moods import CALM, MOODS, Answer, retry_after
from devtools.servers.provider import TOKEN

pytestmark = pytest.mark.processes


@dataclass
class Emulator:
    provider: Provider
    child: Child
    folder: Path

    def be(self, mood: str) -> None:
        self.provider.tell("mood", mood=mood)

    def log(self) -> list[ledger.Line]:
        return list(ledger.read(self.folder / ledger.NAME))

    def post(self, path: str, payload: Any, **headers: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.provider.port, timeout=5)
        connection.request("POST", path, json.dumps(payload), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    provider = Provider(free_port())
    command = [sys.executable, "-m", "devtools.servers.emulator", str(tmp_path)]
    child = Child(
        "emulator", [*command, str(provider.port), "7"], machine_environment(), tmp_path / "log"
    )
    child.start_until(lambda: answers(provider.port))
    yield Emulator(provider, child, tmp_path)
    child.kill()


def send(emulator: Emulator, speaks: str = "postmark") -> int:
    mail = EmailMessage("Zwei Fragen", "Grüße", "updates@clinic.example", ["ana@mail.example"])
    mail.metadata = {"id": "m1"}
    keys = {"postmark": {"server_token": TOKEN}, "resend": {"api_key": TOKEN}}[speaks]
    backend = f"anymail.backends.{speaks}.EmailBackend"
    return get_connection(backend, api_url=emulator.provider.url, **keys).send_messages([mail])


@pytest.mark.parametrize("speaks", ["postmark", "resend"])
def test_anymail_speaks_to_it_as_to_the_real_one(emulator, speaks):
    assert send(emulator, speaks) == 1
    (line,) = emulator.log()
    assert (line.kind, line.ref, line.to) == (ledger.ACCEPTED, "m1", "ana@mail.example")


@pytest.mark.parametrize("mood", [mood for mood in MOODS if mood.startswith("outage")])
def test_an_outage_never_says_yes_and_keeps_what_it_takes(emulator, mood, settings):
    settings.ANYMAIL = {"REQUESTS_TIMEOUT": 1}
    emulator.be(mood)
    for _ in range(6):
        with pytest.raises((AnymailError, requests.RequestException)):
            send(emulator)
    taken = [line for line in emulator.log() if line.kind == ledger.ACCEPTED]
    assert all(Answer[line.answer].takes for line in taken)
    assert len(emulator.log()) == 6
    assert bool(taken) is any(answer.takes for answer in MOODS[mood].weights)


def test_its_log_outlives_it(emulator):
    send(emulator)
    emulator.child.kill()
    assert [line.ref for line in emulator.log()] == ["m1"]


def test_a_wrong_key_gets_nothing_taken(emulator):
    status, _ = emulator.post("/email", {"To": "ana@mail.example"})
    assert (status, emulator.log()) == (401, [])


# -- Resend's idempotency keys ----------------------------------------------------------------

MAIL = {"from": "a@clinic.example", "to": ["ana@mail.example"], "subject": "Hi", "headers": {}}
SIGNED = {"Authorization": f"Bearer {TOKEN}"}


def test_the_same_call_under_the_same_key_is_answered_again_and_mailed_once(emulator):
    first = emulator.post("/emails", MAIL, **SIGNED, **{"Idempotency-Key": "k"})
    again = emulator.post("/emails", MAIL, **SIGNED, **{"Idempotency-Key": "k"})
    assert first == again
    assert first[0] == 200
    assert [line.kind for line in emulator.log()] == [ledger.ACCEPTED, ledger.REPLAYED]


def test_another_call_under_the_same_key_is_refused(emulator):
    emulator.post("/emails", MAIL, **SIGNED, **{"Idempotency-Key": "k"})
    other = {**MAIL, "subject": "Another"}
    status, said = emulator.post("/emails", other, **SIGNED, **{"Idempotency-Key": "k"})
    assert (status, said["name"]) == (409, "invalid_idempotent_request")
    assert [line.kind for line in emulator.log()] == [ledger.ACCEPTED, ledger.REFUSED]


def test_what_it_took_and_denied_is_found_again_by_its_key(emulator):
    emulator.be("outage, taking all")
    assert emulator.post("/emails", MAIL, **SIGNED, **{"Idempotency-Key": "k"})[0] == 500
    emulator.be(CALM)
    status, said = emulator.post("/emails", MAIL, **SIGNED, **{"Idempotency-Key": "k"})
    taken, replayed = emulator.log()
    assert (status, said["id"]) == (200, taken.id)
    assert replayed.kind == ledger.REPLAYED


def test_without_a_key_each_call_is_a_mail(emulator):
    for _ in range(2):
        emulator.post("/emails", MAIL, **SIGNED)
    assert [line.kind for line in emulator.log()] == [ledger.ACCEPTED] * 2


# -- Reports ----------------------------------------------------------------------------------


@dataclass
class Hook:
    """Refuses the first reports, as a service that is being restarted does."""

    heard: list[dict[str, Any]] = field(default_factory=list)
    refusals: int = 2

    def server(self) -> ThreadingHTTPServer:
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                hook.refusals -= 1
                if hook.refusals < 0:
                    hook.heard.append(body)
                self.send_response(500 if hook.refusals >= 0 else 200)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Nothing."""

        return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


def test_reports_come_until_they_are_heard_and_some_come_twice(emulator):
    hook = Hook()
    with hook.server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        emulator.provider.tell("habits", url=url, secret="u:p", longest_delay=0.1, repeated=1)
        send(emulator)
        deadline = time.monotonic() + 15
        while len(hook.heard) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        server.shutdown()
    first, again = hook.heard[:2]
    assert first == again
    assert first["Metadata"] == {"id": "m1"}


def test_it_asks_to_wait_in_every_way_there_is():
    rng = Random(3)
    said = {retry_after(rng, 0.0) for _ in range(200)}
    assert {"1", "", "-5", "soon", "99999999999999"} < said
    assert any(each.endswith("GMT") for each in said)
