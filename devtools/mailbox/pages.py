"""The mailbox's small web server, on loopback only."""

import http.client
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from devtools.mailbox import markup
from devtools.mailbox.store import Mail, Store
from devtools.processes import ROOT

HERE = Path(__file__).parent
FILES = {
    "/tokens.css": (ROOT / "clinic/static/clinic/tokens.css", "text/css"),
    "/mailbox.css": (HERE / "mailbox.css", "text/css"),
    "/mailbox.js": (HERE / "mailbox.js", "text/javascript"),
}
OUR_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self';"
    " frame-src 'self'; img-src data:; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
# A message brings its own styles and may open links; it runs nothing and loads nothing.
THEIR_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none';"
    " frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
HOSTS = ("localhost", "127.0.0.1")


def serve(store: Store, port: int) -> ThreadingHTTPServer:
    class Handler(_Handler):
        mailbox = store

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    return server


class _Handler(BaseHTTPRequestHandler):
    mailbox: Store

    def do_GET(self) -> None:
        if self._host() not in HOSTS:  # another site's name pointed at this computer
            self._send("Not here", status=421)
        elif self._path() in FILES:
            path, kind = FILES[self._path()]
            self._send(path.read_text(), kind=kind)
        elif self._path() == "/":
            self._page(None)
        elif self._path() == "/list":
            to, opened = self._asked("to"), self._asked("open")
            self._send(markup.listing(self.mailbox.mails(to), to, opened))
        else:
            self._mail()

    def do_POST(self) -> None:
        """Unsubscribe as a mail program does: its server posts, the reader's browser does not."""
        origin = self.headers.get("Origin", "")
        mail = self._opened()
        if self._host() not in HOSTS or urlsplit(origin).netloc != self.headers["Host"]:
            self._send("Not from here", status=403)
        elif mail is None or not mail.unsubscribe_url:
            self._send("No such message", status=404)
        else:
            status = _post_one_click(mail.unsubscribe_url)
            self._page(mail, f"The unsubscribe address answered {status or 'nothing'}.")

    def _mail(self) -> None:
        mail = self._opened()
        if mail is None:
            self._send("No such message", status=404)
        elif self._path().endswith("/html"):
            self._send(markup.framed(mail), policy=THEIR_POLICY)
        else:
            self._page(mail)

    def _page(self, opened: Mail | None, note: str = "") -> None:
        to, view = self._asked("to"), self._asked("view")
        view = view if view in markup.VIEWS else "html"
        mails, addresses = self.mailbox.mails(to), self.mailbox.addresses()
        self._send(markup.page(mails, addresses, to, opened, view, note))

    def _opened(self) -> Mail | None:
        parts = self._path().split("/")
        return self.mailbox.mail(parts[2]) if parts[1] == "mail" and len(parts) > 2 else None

    def _path(self) -> str:
        return urlsplit(self.path).path

    def _asked(self, name: str) -> str:
        return parse_qs(urlsplit(self.path).query).get(name, [""])[0]

    def _host(self) -> str:
        return self.headers.get("Host", "").rsplit(":", 1)[0]

    def _send(
        self, text: str, *, status: int = 200, kind: str = "text/html", policy: str = OUR_POLICY
    ) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", policy)
        self.send_header("Referrer-Policy", "same-origin")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: paths name mailboxes."""


def _post_one_click(url: str) -> int:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=10)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    try:
        connection.request("POST", parts.path, "List-Unsubscribe=One-Click", headers)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()
