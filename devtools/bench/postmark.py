"""Postmark's send API as far as a drain needs it, answering after a while, in its own process.

`GET /taken` hands over what was accepted and forgets it.
"""

import asyncio
import json
import pickle
import sys
import time
import urllib.request
import uuid
from dataclasses import dataclass
from email.utils import getaddresses
from typing import NamedTuple

TOKEN = "bench-token"


class Accepted(NamedTuple):
    recipient: str
    text: str
    at: float  # monotonic: when the answer went out


@dataclass(frozen=True)
class Postmark:
    """The server as the parent and our processes see it."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def env(self) -> dict[str, str]:
        api = {"POSTMARK_SERVER_TOKEN": TOKEN, "POSTMARK_API_URL": self.url}
        return {
            "EMAIL_BACKEND": "anymail.backends.postmark.EmailBackend",
            "ANYMAIL_SETTINGS": json.dumps(api),
        }

    def take(self) -> list[Accepted]:
        with urllib.request.urlopen(f"{self.url}taken", timeout=60) as answer:
            return [Accepted(*row) for row in pickle.loads(answer.read())]


class Server:
    def __init__(self, latency: float) -> None:
        self.latency = latency
        self.accepted: list[Accepted] = []

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Requests of one connection, one after the other."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                writer.write(await self._answer(head, reader))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _answer(self, head: bytes, reader: asyncio.StreamReader) -> bytes:
        if head.startswith(b"GET /taken"):
            taken, self.accepted = pickle.dumps([tuple(each) for each in self.accepted]), []
            return _response(taken)
        lengths = [line for line in head.lower().split(b"\r\n") if b"content-length:" in line]
        payload = json.loads(await reader.readexactly(int(lengths[0].split(b":")[1])))
        await asyncio.sleep(self.latency)
        recipient = getaddresses([payload["To"]])[0][1]
        self.accepted.append(Accepted(recipient, payload["TextBody"], time.monotonic()))
        answer = {"ErrorCode": 0, "Message": "OK", "To": payload["To"]}
        answer |= {"MessageID": str(uuid.uuid4()), "SubmittedAt": "2026-01-01T00:00:00Z"}
        return _response(json.dumps(answer).encode())


def _response(content: bytes) -> bytes:
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
    return f"{head}{len(content)}\r\n\r\n".encode() + content


async def _serve(port: int, latency: float) -> None:
    conversation = Server(latency).converse
    server = await asyncio.start_server(conversation, "127.0.0.1", port, backlog=200)
    await server.serve_forever()


def main() -> None:
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
