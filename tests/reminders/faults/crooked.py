"""A provider that answers each call with the very bytes it was told to, and counts the calls."""

import socket
import struct
import threading
from typing import Self

RESET = b"<reset>"  # at the end of an answer: the connection is torn down, not closed


class Crooked:
    def __init__(self) -> None:
        self.answer = b""
        self.calls = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._socket.close()

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=[caller], daemon=True).start()

    def _talk(self, caller: socket.socket) -> None:
        with caller:
            self._read(caller)
            self.calls += 1
            caller.sendall(self.answer.removesuffix(RESET))
            if self.answer.endswith(RESET):
                at_once = struct.pack("ii", 1, 0)
                caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)

    def _read(self, caller: socket.socket) -> None:
        """One request, whole: else closing would be a reset."""
        caller.settimeout(5)
        got = b""
        while b"\r\n\r\n" not in got and (more := caller.recv(65536)):
            got += more
        head, _, body = got.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == _LENGTH), 0
        )
        while len(body) < length and (more := caller.recv(65536)):
            body += more


_LENGTH = b"content-length:"


def answer(status: int, body: str = "{}", *headers: str, kind: str = "application/json") -> bytes:
    lines = [f"HTTP/1.1 {status} Because", f"Content-Type: {kind}", *headers]
    lines += [f"Content-Length: {len(body)}", "Connection: close", "", body]
    return "\r\n".join(lines).encode()
