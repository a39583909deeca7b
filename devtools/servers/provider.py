"""An e-mail provider on loopback that speaks Postmark's send API and sends Postmark's events.

Anymail talks to it as to the real one (`ANYMAIL_SETTINGS={"POSTMARK_API_URL": …}`). It can lie in
the ways providers do (accept and answer 500, say nothing, repeat or reorder events), but what it
has accepted with a yes is never dropped.
"""

import base64
import http.client
import json
import socket
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import getaddresses
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

TOKEN = "test-server-token"
Json = dict[str, Any]


class Behaviour(Enum):
    ACCEPT = "accept and say so"
    ACCEPT_AND_ANSWER_500 = "accept, answer 500"
    ACCEPT_AND_SAY_NOTHING = "accept, never answer"
    ACCEPT_AND_HANG_UP = "accept, close the connection"
    ANSWER_500 = "take nothing, answer 500"
    UNAVAILABLE = "take nothing, answer 503"
    TOO_MANY = "take nothing, answer 429"
    HANG_UP = "take nothing, close the connection"
    BAD_ADDRESS = "422, ErrorCode 300: not an address"
    INACTIVE = "422, ErrorCode 406: bounced or complained before"
    BAD_TOKEN = "401, ErrorCode 10"


TAKING = {behaviour for behaviour in Behaviour if behaviour.name.startswith("ACCEPT")}
WORDLESS = {Behaviour.ACCEPT_AND_HANG_UP, Behaviour.HANG_UP}

# Behaviour -> (HTTP status, Postmark's ErrorCode, Postmark's words).
ANSWERS: dict[Behaviour, tuple[int, int, str]] = {
    Behaviour.ACCEPT: (200, 0, "OK"),
    Behaviour.ACCEPT_AND_ANSWER_500: (500, 0, "Internal Server Error"),
    Behaviour.ANSWER_500: (500, 0, "Internal Server Error"),
    Behaviour.UNAVAILABLE: (503, 100, "Maintenance"),
    Behaviour.TOO_MANY: (429, 429, "Rate limit exceeded"),
    Behaviour.BAD_ADDRESS: (422, 300, "Invalid 'To' address: '{to}'."),
    Behaviour.INACTIVE: (
        422,
        406,
        "You tried to send to recipient(s) that have been marked as inactive. Found inactive"
        " addresses: {to}. Inactive recipients are ones that have generated a hard bounce, a spam"
        " complaint, or a manual suppression.",
    ),
    Behaviour.BAD_TOKEN: (401, 10, "Request does not contain a valid Server token."),
}


@dataclass(frozen=True)
class Accepted:
    id: str
    payload: Json

    @property
    def to(self) -> str:
        return getaddresses([self.payload["To"]])[0][1]

    @property
    def headers(self) -> dict[str, str]:
        return {row["Name"]: row["Value"] for row in self.payload.get("Headers", [])}


@dataclass
class Provider:
    """`accepted` is what will reach a mailbox. `next` is used up first, one for each message."""

    accepted: list[Accepted] = field(default_factory=list)
    requests: list[Json] = field(default_factory=list)
    next: deque[Behaviour] = field(default_factory=deque)
    usual: Behaviour = Behaviour.ACCEPT

    def __post_init__(self) -> None:
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/"

    @property
    def anymail_settings(self) -> dict[str, str]:
        return {"POSTMARK_SERVER_TOKEN": TOKEN, "POSTMARK_API_URL": self.url}

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    def clear(self) -> None:
        with self._lock:
            self.accepted.clear()
            self.requests.clear()
            self.next.clear()
            self.usual = Behaviour.ACCEPT

    def to(self, address: str) -> list[Accepted]:
        return [message for message in list(self.accepted) if message.to == address]

    def take(self, payload: Json, token: str) -> tuple[Behaviour, Json]:
        """Decide about one message and say what Postmark would answer."""
        with self._lock:
            behaviour = self.next.popleft() if self.next else self.usual
            if token != TOKEN:
                behaviour = Behaviour.BAD_TOKEN
            self.requests.append(payload)
            message = Accepted(str(uuid.uuid4()), payload)
            if behaviour in TAKING:
                self.accepted.append(message)
        return behaviour, _answer(behaviour, message)

    def send_events(
        self, events: Iterable[Json], webhook: str, secret: str, gap_seconds: float = 0
    ) -> list[int]:
        """POST events as Postmark does, one a request; repeat or reorder by repeating them.

        `secret` is Anymail's WEBHOOK_SECRET, "user:password". Returns the HTTP statuses.
        """
        statuses = []
        for event in events:
            statuses.append(_post(webhook, event, secret))
            time.sleep(gap_seconds)
        return statuses


def delivered(message: Accepted) -> Json:
    return _event(message, "Delivery", "DeliveredAt", Recipient=message.to, Details="250 2.0.0 OK")


def bounced(message: Accepted, kind: str = "HardBounce") -> Json:
    """`kind` is Postmark's bounce type: HardBounce, SoftBounce, Transient, Blocked…"""
    number = uuid.UUID(message.id).int % 10**9  # the same bounce reported twice has one number
    return _event(message, "Bounce", "BouncedAt", Email=message.to, Type=kind, ID=number)


def complained(message: Accepted) -> Json:
    number = uuid.UUID(message.id).int % 10**9
    kind = "SpamComplaint"
    return _event(message, kind, "BouncedAt", Email=message.to, Type=kind, ID=number)


def unsubscribed(message: Accepted) -> Json:
    return _event(
        message,
        "SubscriptionChange",
        "ChangedAt",
        Recipient=message.to,
        SuppressSending=True,
        SuppressionReason="ManualSuppression",
    )


def _event(message: Accepted, record: str, instant: str, **more: Any) -> Json:
    return {
        "RecordType": record,
        "MessageID": message.id,
        "MessageStream": "outbound",
        "ServerID": 1,
        "Tag": message.payload.get("Tag", ""),
        "Metadata": message.payload.get("Metadata", {}),
        instant: _stamp(),
        **more,
    }


def _answer(behaviour: Behaviour, message: Accepted) -> Json:
    if behaviour in WORDLESS or behaviour is Behaviour.ACCEPT_AND_SAY_NOTHING:
        return {}
    _, code, words = ANSWERS[behaviour]
    answer: Json = {"ErrorCode": code, "Message": words.format(to=message.to)}
    if behaviour is Behaviour.ACCEPT:
        answer |= {"To": message.payload["To"], "SubmittedAt": _stamp(), "MessageID": message.id}
    return answer


def _stamp() -> str:
    return datetime.now(UTC).isoformat()


def _post(webhook: str, event: Json, secret: str) -> int:
    parts = urlsplit(webhook)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    authorization = "Basic " + base64.b64encode(secret.encode()).decode()
    headers = {"Content-Type": "application/json", "Authorization": authorization}
    try:
        connection.request("POST", parts.path, json.dumps(event), headers)
        return connection.getresponse().status
    finally:
        connection.close()


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            token = self.headers.get("X-Postmark-Server-Token", "")
            if self.path == "/email":
                behaviour, answer = provider.take(body, token)
                self._answer(behaviour, answer)
            elif self.path == "/email/batch":
                answers = [provider.take(each, token) for each in body]
                refused = answers[0][0] if answers[0][0] is Behaviour.BAD_TOKEN else None
                self._answer(refused or Behaviour.ACCEPT, [answer for _, answer in answers])
            else:
                self._send(404, {"ErrorCode": 701, "Message": "No such endpoint here."})

        def _answer(self, behaviour: Behaviour, answer: Any) -> None:
            if behaviour is Behaviour.ACCEPT_AND_SAY_NOTHING:
                provider.closing.wait(3600)
            if behaviour in WORDLESS or behaviour is Behaviour.ACCEPT_AND_SAY_NOTHING:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
            else:
                self._send(ANSWERS[behaviour][0], answer)

        def _send(self, status: int, answer: Any) -> None:
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            if status == 429:
                self.send_header("Retry-After", "1")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the log would hold addresses."""

    return Handler
