"""Reports what became of the mails: late, repeated, out of order, and again until it is heard."""

import base64
import hashlib
import heapq
import hmac
import http.client
import itertools
import json
import threading
import time
from dataclasses import dataclass, field
from random import Random
from urllib.parse import urlsplit

from devtools.servers.emulator.dialects import Asked, Dialect
from devtools.servers.provider import Json

REPORTERS = 2  # connections at once
AGAIN_SECONDS = 2.0  # after an answer that is not 200
GIVES_UP_AFTER = 30  # tries


SIGNING_KEY = base64.b64encode(b"storm-signing-key").decode()  # Resend's, after its "whsec_"


@dataclass(frozen=True, slots=True)
class Habits:
    """Where reports go, and how badly."""

    url: str = ""
    secret: str = ""  # user:password
    share: float = 1.0  # of the mails it said yes to; those it lied about are all reported
    longest_delay: float = 5.0  # seconds
    repeated: float = 0.2
    hard: float = 0.01
    soft: float = 0.01
    complained: float = 0.005


@dataclass(order=True, slots=True)
class _Waiting:
    due: float
    n: int
    tries: int = field(compare=False)
    body: bytes = field(compare=False)


@dataclass
class Reporter:
    rng: Random
    habits: Habits = field(default_factory=Habits)
    reported: int = 0
    refused: int = 0
    _waiting: list[_Waiting] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _order: "itertools.count[int]" = field(default_factory=itertools.count)

    def start(self) -> None:
        for _ in range(REPORTERS):
            threading.Thread(target=self._work, daemon=True).start()

    def arrange(self, asked: Asked, dialect: Dialect, mail_id: str, *, is_lie: bool) -> None:
        habits = self.habits
        if not habits.url or not (is_lie or self.rng.random() < habits.share):
            return
        now = time.monotonic()
        for kind in self._kinds():
            body = json.dumps(dialect.report(kind, asked, mail_id)).encode()
            for _ in range(1 + (self.rng.random() < habits.repeated)):
                self._add(now + self.rng.uniform(0, habits.longest_delay), 0, body)

    def waiting(self) -> int:
        return len(self._waiting)

    def _kinds(self) -> list[str]:
        """What becomes of one mail. The delays put these out of order."""
        drawn = self.rng.random()
        if drawn < self.habits.hard:
            return ["hard"]
        if drawn < self.habits.hard + self.habits.soft:
            return ["soft", "delivered"]
        if drawn < self.habits.hard + self.habits.soft + self.habits.complained:
            return ["delivered", "complained"]
        return ["delivered"]

    def _add(self, due: float, tries: int, body: bytes) -> None:
        with self._changed:
            heapq.heappush(self._waiting, _Waiting(due, next(self._order), tries, body))
            self._changed.notify()

    def _work(self) -> None:
        while True:
            job = self._next()
            if self._post(job.body):
                self.reported += 1
            elif job.tries < GIVES_UP_AFTER:
                self.refused += 1
                self._add(time.monotonic() + AGAIN_SECONDS, job.tries + 1, job.body)

    def _next(self) -> _Waiting:
        with self._changed:
            while True:
                wait = self._waiting[0].due - time.monotonic() if self._waiting else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._waiting)
                self._changed.wait(wait)

    def _post(self, body: bytes) -> bool:
        parts = urlsplit(self.habits.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        try:
            connection.request("POST", parts.path, body, self._headers(body))
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _headers(self, body: bytes) -> Json:
        """The same report has the same id, however often it comes. Resend signs its own."""
        login = base64.b64encode(self.habits.secret.encode()).decode()
        report_id, stamp = "msg_" + hashlib.sha256(body).hexdigest()[:24], str(int(time.time()))
        signed = f"{report_id}.{stamp}.".encode() + body
        key = base64.b64decode(SIGNING_KEY)
        signature = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
        return {
            "Content-Type": "application/json",
            "Authorization": f"Basic {login}",
            "svix-id": report_id,
            "svix-timestamp": stamp,
            "svix-signature": f"v1,{signature}",
        }
