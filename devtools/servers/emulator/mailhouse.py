"""Decides about each call: what is taken, what is said, what is reported later."""

import contextlib
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from devtools.servers.emulator.dialects import CONFLICT, STATUS, Asked, Dialect
from devtools.servers.emulator.ledger import ACCEPTED, REFUSED, REPLAYED, Ledger, Line
from devtools.servers.emulator.moods import CALM, MOODS, Answer, retry_after
from devtools.servers.emulator.reporting import Reporter
from devtools.servers.provider import Json

KEY_HOLDS_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Decision:
    answer: Answer
    status: int
    said: Json
    seconds: float = 0.0
    retry_after: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """What was taken under an idempotency key."""

    mail_id: str
    sha256: str
    at: float


@dataclass
class Mailhouse:
    ledger: Ledger
    reporter: Reporter
    rng: Random
    mood: str = CALM
    phase: int = 0  # counts the changes of mood
    calls: int = 0
    taken: int = 0
    in_flight: int = 0
    peak: int = 0
    waiting: Counter[str] = field(default_factory=Counter)  # by caller: taken, not yet told
    _kept: dict[str, Kept] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def change(self, mood: str) -> None:
        assert mood in MOODS, mood
        with self._lock:
            self.mood = mood
            self.phase += 1

    def begin(self) -> float:
        with self._lock:
            self.calls += 1
            self.in_flight += 1
            self.peak = max(self.peak, self.in_flight)
            return time.time()

    def end(self) -> None:
        with self._lock:
            self.in_flight -= 1

    @contextlib.contextmanager
    def in_hand(self, caller: str, answer: Answer) -> Iterator[None]:
        """While a caller waits to be told what became of a mail that was taken."""
        one = int(answer.takes)
        with self._lock:
            self.waiting[caller] += one
        try:
            yield
        finally:
            with self._lock:
                self.waiting[caller] -= one

    def state(self) -> Json:
        with self._lock:
            told = {"mood": self.mood, "calls": self.calls, "taken": self.taken}
            return {**told, "waiting": dict(self.waiting), "peak": self.peak}

    def stranger(self, asked: Asked, dialect: Dialect) -> Decision:
        return Decision(Answer.NO_401, 401, dialect.say(Answer.NO_401, asked, ""))

    def decide(self, asked: Asked, dialect: Dialect, sha256: str, arrived: float) -> Decision:
        """In one step, so that two calls under one key are never both taken."""
        with self._lock:
            mood, now = MOODS[self.mood], time.time()
            answer = mood.choose(self.rng)
            seconds = self.rng.uniform(*mood.seconds)
            wait = retry_after(self.rng, now) if answer is Answer.NO_429 else ""
            kept = self._kept.get(asked.key) if asked.key else None
            if kept is not None and now - kept.at > KEY_HOLDS_SECONDS:
                kept = None
            if kept is not None and answer.takes and kept.sha256 != sha256:
                self._note(REFUSED, answer, asked, sha256, arrived, "")
                return Decision(Answer.YES, 409, CONFLICT)
            mail_id = kept.mail_id if kept else str(uuid.UUID(int=self.rng.getrandbits(128)))
            if answer.takes:
                self._take(answer, asked, sha256, arrived, mail_id, is_again=kept is not None)
            else:
                self._note(REFUSED, answer, asked, sha256, arrived, "")
        if answer.takes and kept is None:
            self.reporter.arrange(asked, dialect, mail_id, is_lie=answer is not Answer.YES)
        said = dialect.say(answer, asked, mail_id)
        return Decision(answer, STATUS.get(answer, 0), said, seconds, wait)

    def _take(
        self,
        answer: Answer,
        asked: Asked,
        sha256: str,
        arrived: float,
        mail_id: str,
        is_again: bool,
    ) -> None:
        self._note(REPLAYED if is_again else ACCEPTED, answer, asked, sha256, arrived, mail_id)
        if not is_again:
            self.taken += 1
            if asked.key:
                self._kept[asked.key] = Kept(mail_id, sha256, time.time())

    def _note(
        self, kind: str, answer: Answer, asked: Asked, sha256: str, arrived: float, mail_id: str
    ) -> None:
        self.ledger.write(
            Line(
                kind=kind,
                at=time.time(),
                arrived=arrived,
                answer=answer.name,
                mood=self.mood,
                phase=self.phase,
                ref=asked.ref,
                to=asked.to,
                id=mail_id,
                key=asked.key,
                sha256=sha256,
                in_flight=self.in_flight,
            )
        )
