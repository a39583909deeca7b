"""An SMTP server as lean as can be, in a process of its own.

It keeps everything it is sent, so that the output can be checked. Both sides of a pair send to the
same one. `XTAKE` hands over what was kept, `XCOUNT` only says how much.
"""

import asyncio
import contextlib
import pickle
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

GREETING = b"220 sink\r\n"
EHLO = b"250-sink\r\n250-8BITMIME\r\n250-PIPELINING\r\n250-SIZE 10000000\r\n250 SMTPUTF8\r\n"
OK = b"250 OK\r\n"


class Kept(NamedTuple):
    recipients: tuple[str, ...]
    content: bytes
    at: float  # monotonic, which all processes of a machine share


@dataclass
class Store:
    messages: list[Kept] = field(default_factory=list)
    connections: int = 0
    keeps: bool = True  # a null sink only counts
    taken: int = 0


@dataclass
class Taken:
    """What came in since the last time it was asked for."""

    messages: list[Kept]
    connections: int

    @property
    def rate(self) -> float:
        """Messages a second between the first and the last."""
        times = [kept.at for kept in self.messages]
        return (len(times) - 1) / (max(times) - min(times))


class Conversation(asyncio.Protocol):
    def __init__(self, store: Store) -> None:
        self.store = store
        self.buffer = b""
        self.recipients: list[str] = []
        self.in_data = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.transport.write(GREETING)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while self._one():
            pass

    def _one(self) -> bool:
        """Deal with one command or one message; False when more must come first."""
        end = b"\r\n.\r\n" if self.in_data else b"\r\n"
        found, separator, rest = self.buffer.partition(end)
        if not separator:
            return False
        self.buffer = rest
        if self.in_data:
            self._keep(found)
        else:
            self.transport.write(self._answer(found))
        return True

    def _keep(self, content: bytes) -> None:
        self.store.taken += 1
        if self.store.keeps:
            content = content.replace(b"\r\n..", b"\r\n.")
            kept = Kept(tuple(self.recipients), content, time.monotonic())
            self.store.messages.append(kept)
        self.in_data, self.recipients = False, []
        self.transport.write(OK)

    def _answer(self, line: bytes) -> bytes:
        word = line[:4].upper()
        if word == b"EHLO":
            self.store.connections += 1
            return EHLO
        if word == b"RCPT":
            self.recipients.append(line.partition(b"<")[2].partition(b">")[0].decode())
        if word == b"DATA":
            self.in_data = True
            return b"354 go on\r\n"
        if word == b"QUIT":
            self.transport.write(b"221 bye\r\n")
            self.transport.close()
            return b""
        if word[:1] == b"X":
            return self._told(line)
        return OK

    def _told(self, line: bytes) -> bytes:
        store = self.store
        if line == b"XCOUNT":
            return b"%d\r\n" % store.taken
        if line in (b"XNULL", b"XKEEP"):
            store.keeps = line == b"XKEEP"
            return OK
        answer = pickle.dumps(Taken(store.messages, store.connections))
        store.messages, store.connections, store.taken = [], 0, 0
        return b"%d\r\n" % len(answer) + answer


@dataclass(frozen=True)
class Sink:
    """The sink as the parent sees it."""

    port: int
    host: str = "127.0.0.1"

    def take(self) -> Taken:
        """Everything kept so far, which the sink forgets."""
        with self._ask(b"XTAKE") as answer:
            taken = pickle.loads(answer.read(int(answer.readline())))
        assert isinstance(taken, Taken)
        return taken

    def count(self) -> int:
        with self._ask(b"XCOUNT") as answer:
            return int(answer.readline())

    def keep(self, content: bool) -> None:
        """Whether to keep what comes, or only to count it."""
        with self._ask(b"XKEEP" if content else b"XNULL") as answer:
            answer.readline()

    @contextlib.contextmanager
    def _ask(self, order: bytes) -> Iterator[BinaryIO]:
        address = (self.host, self.port)
        with (
            socket.create_connection(address, 60) as connection,
            connection.makefile("rb") as answer,
        ):
            answer.readline()  # the greeting
            connection.sendall(order + b"\r\n")
            yield answer


async def _serve(port: int) -> None:
    store = Store()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Conversation(store), "127.0.0.1", port, backlog=200)
    await server.serve_forever()


def main() -> None:
    asyncio.run(_serve(int(sys.argv[1])))
