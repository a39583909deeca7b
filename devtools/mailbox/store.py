"""A folder of received messages, one file each, newest first."""

import re
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import getaddresses
from functools import lru_cache
from pathlib import Path

from devtools.servers.smtp import Received

_NAME = re.compile(r"\d{19,20}")
_ONE_CLICK = "List-Unsubscribe=One-Click"


@dataclass(frozen=True)
class Mail:
    id: str
    message: EmailMessage

    @property
    def arrived_at(self) -> datetime:
        return datetime.fromtimestamp(int(self.id) / 1e9, UTC)

    @property
    def subject(self) -> str:
        return str(self.message.get("Subject", "(no subject)"))

    @property
    def sender(self) -> str:
        """The name people see; the address only when there is no name."""
        [(name, address)] = getaddresses([str(self.message.get("From", ""))])[:1] or [("", "")]
        return name or address

    @property
    def sender_address(self) -> str:
        return getaddresses([str(self.message.get("From", ""))])[0][1]

    @property
    def recipients(self) -> list[str]:
        """From the envelope, which is what decides where a message goes."""
        return [str(address) for address in self.message.get_all("Delivered-To", [])]

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    @property
    def headers(self) -> str:
        return "\n".join(f"{name}: {value}" for name, value in self.message.items())

    @property
    def unsubscribe_url(self) -> str | None:
        """The address a mail program posts to when its reader presses "Unsubscribe" (RFC 8058)."""
        if str(self.message.get("List-Unsubscribe-Post", "")).strip() != _ONE_CLICK:
            return None
        found = re.search(r"<(https?://[^>]+)>", str(self.message.get("List-Unsubscribe", "")))
        return found.group(1) if found else None

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        return str(part.get_content()) if part is not None else ""


class Store:
    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self._lock = threading.Lock()

    def keep(self, received: Received) -> None:
        """Write to a file beside and rename, so that a reader never sees half a message."""
        delivered = "".join(f"Delivered-To: {address}\r\n" for address in received.recipients)
        with self._lock:
            path = self.folder / f"{time.time_ns()}.eml"
            half = path.with_suffix(".part")
            half.write_bytes(delivered.encode() + received.content)
            half.rename(path)

    def mails(self, to: str = "") -> list[Mail]:
        names = sorted((path.stem for path in self.folder.glob("*.eml")), reverse=True)
        mails = [_read(self.folder, name) for name in names]
        return [mail for mail in mails if not to or to in mail.recipients]

    def mail(self, name: str) -> Mail | None:
        exists = _NAME.fullmatch(name) and (self.folder / f"{name}.eml").exists()
        return _read(self.folder, name) if exists else None

    def addresses(self) -> list[str]:
        return sorted({address for mail in self.mails() for address in mail.recipients})


@lru_cache(maxsize=5000)
def _read(folder: Path, name: str) -> Mail:
    content = (folder / f"{name}.eml").read_bytes()
    parsed = message_from_bytes(content, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return Mail(name, parsed)
