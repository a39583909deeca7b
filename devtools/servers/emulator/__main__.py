"""`python -m devtools.servers.emulator FOLDER PORT SEED`: the log is FOLDER/ledger.jsonl."""

import contextlib
import hashlib
import json
import socket
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

from devtools.servers.emulator.dialects import DIALECTS, PAGE
from devtools.servers.emulator.ledger import NAME, Ledger
from devtools.servers.emulator.mailhouse import Decision, Mailhouse
from devtools.servers.emulator.moods import Answer
from devtools.servers.emulator.reporting import Habits, Reporter
from devtools.servers.provider import Json

SILENCE_SECONDS = 60.0  # longer than anybody waits
HANG_UPS = (Answer.TAKES_HANG_UP, Answer.NO_HANG_UP)
PAGES = (Answer.TAKES_HTML, Answer.NO_502)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, house: Mailhouse) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.house = house

    def handle_error(self, request: object, client_address: object) -> None:
        """A sender that was killed while it asked: nothing to say."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        house = self.server.house
        waiting = {"reports_waiting": house.reporter.waiting()}
        self._send(200, {**house.state(), **waiting, "reported": house.reporter.reported})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/control/mood":
            self.server.house.change(json.loads(body)["mood"])
            self._send(200, {})
        elif self.path == "/control/habits":
            self.server.house.reporter.habits = Habits(**json.loads(body))
            self._send(200, {})
        elif (said := self.path.strip("/").rpartition("/"))[2] in DIALECTS:
            self._mail(body, caller=said[0], name=said[2])
        else:
            self._send(404, {"message": "No such endpoint here."})

    def _mail(self, body: bytes, caller: str, name: str) -> None:
        """Who calls may say so before the endpoint's name: `/worker-1/email`."""
        house, dialect = self.server.house, DIALECTS[name]
        arrived = house.begin()
        try:
            headers = dict(self.headers.items())
            asked = dialect.read(json.loads(body), headers)
            if not dialect.is_ours(headers):
                self._answer(house.stranger(asked, dialect))
                return
            decision = house.decide(asked, dialect, hashlib.sha256(body).hexdigest(), arrived)
            with house.in_hand(caller, decision.answer):
                self._answer(decision)
        finally:
            house.end()

    def _answer(self, decision: Decision) -> None:
        time.sleep(decision.seconds)
        if decision.answer is Answer.TAKES_SILENCE:
            self.connection.settimeout(SILENCE_SECONDS)
            with contextlib.suppress(OSError):
                self.connection.recv(1)  # until the sender has had enough
        if decision.answer is Answer.TAKES_SILENCE or decision.answer in HANG_UPS:
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
        elif decision.answer in PAGES:
            self._send(decision.status, PAGE.encode(), "text/html")
        else:
            self._send(decision.status, decision.said, retry_after=decision.retry_after)

    def _send(
        self,
        status: int,
        answer: Json | bytes,
        content_type: str = "application/json",
        retry_after: str = "",
    ) -> None:
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        if retry_after:
            self.send_header("Retry-After", retry_after)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the log would hold addresses."""


def main() -> None:
    folder, port, seed = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    reporter = Reporter(Random(f"{seed}/reports"))
    reporter.start()
    house = Mailhouse(Ledger(folder / NAME), reporter, Random(f"{seed}/answers"))
    with Server(port, house) as server:
        server.serve_forever(poll_interval=0.2)


if __name__ == "__main__":
    main()
