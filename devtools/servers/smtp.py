"""A real SMTP server that keeps what it is sent, and can be told to misbehave."""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

# Behaviours beside SMTP answers such as "550 no such mailbox" or "451 try again later".
TAKE = "250 OK"
TAKE_AND_HANG_UP = "take, then close the connection without an answer"
TAKE_AND_SAY_NOTHING = "take, then keep the client waiting"
REFUSE_TO_TALK = "close the connection before taking anything"
SILENCE_SECONDS = 3600


@dataclass(frozen=True)
class Received:
    sender: str
    recipients: tuple[str, ...]
    content: bytes

    @property
    def message(self) -> EmailMessage:
        parsed = message_from_bytes(self.content, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed


class SmtpServer:
    """`messages` is what was taken. `next_answers` is used up first, one for each message."""

    def __init__(self, port: int = 0, keep: Callable[[Received], None] | None = None) -> None:
        self.host, self.port = "127.0.0.1", port
        self.messages: list[Received] = []
        self.next_answers: deque[str] = deque()
        self.answer = TAKE
        self.pipelines = True
        self.refused: dict[str, str] = {}  # address -> answer to RCPT TO
        self._keep = keep or self.messages.append
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="smtp")

    def start(self) -> None:
        self._thread.start()
        server = self._call(self._loop.create_server(self._conversation, self.host, self.port))
        self.port = server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def clear(self) -> None:
        self.messages.clear()
        self.next_answers.clear()
        self.refused.clear()
        self.answer = TAKE
        self.pipelines = True

    def to(self, address: str) -> list[Received]:
        return [taken for taken in list(self.messages) if address in taken.recipients]

    async def handle_EHLO(
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        """As real servers do: several commands may come in one packet."""
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", *responses[-1:]] if self.pipelines else responses

    async def handle_RCPT(
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        answer = self.refused.get(address, TAKE)
        if answer == TAKE:
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        answer = self.next_answers.popleft() if self.next_answers else self.answer
        if answer in (TAKE, TAKE_AND_HANG_UP, TAKE_AND_SAY_NOTHING):
            self._keep(_received(envelope))
        if answer == TAKE_AND_SAY_NOTHING:
            await asyncio.sleep(SILENCE_SECONDS)
        if answer in (TAKE_AND_HANG_UP, REFUSE_TO_TALK):
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
            return TAKE
        return answer

    def _conversation(self) -> SMTP:
        return SMTP(self, enable_SMTPUTF8=True, loop=self._loop, hostname="localhost")

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)


@contextlib.contextmanager
def running(server: SmtpServer) -> Any:
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _received(envelope: Envelope) -> Received:
    content = envelope.content
    raw = content.encode() if isinstance(content, str) else bytes(content or b"")
    return Received(envelope.mail_from or "", tuple(envelope.rcpt_tos), raw)
