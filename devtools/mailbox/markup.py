"""The mailbox page as HTML. Everything that came by mail is escaped or shown in a sandbox."""

import re
from datetime import datetime
from html import escape
from urllib.parse import urlencode

from devtools.mailbox.store import Mail

VIEWS = {"html": "The message", "text": "Plain text", "headers": "Headers"}
NEW_TAB = '<base target="_blank">'

_SHELL = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>{title} · Mailbox</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/tokens.css">
    <link rel="stylesheet" href="/mailbox.css">
    <script src="/mailbox.js" defer></script>
  </head>
  <body class="{kind}">
    <header>
      <h1><a href="/">Mailbox</a></h1>
      <p>Everything the demo sends ends here. Nothing leaves this computer.</p>
    </header>
    <main>
      <section class="inbox" aria-label="Messages">
        {chooser}
        <div id="list" data-url="/list?{query}" data-open="{open}">{listing}</div>
      </section>
      <section class="reader" aria-label="Message">{reader}</section>
    </main>
  </body>
</html>
"""

_READER = """
<p class="back"><a href="/?{query}">All messages</a></p>
<h2>{subject}</h2>
<dl>
  <div><dt>From</dt><dd>{sender} <span>&lt;{sender_address}&gt;</span></dd></div>
  <div><dt>To</dt><dd>{to}</dd></div>
  <div><dt>Arrived</dt><dd>{arrived}</dd></div>
</dl>
{unsubscribe}
<nav aria-label="Show">{tabs}</nav>
{body}
"""

_FRAME = """<iframe title="The message" src="/mail/{id}/html"
  sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>"""

_UNSUBSCRIBE = """
<form method="post" action="/mail/{id}/unsubscribe?{query}">
  <button>Unsubscribe</button>
  <span>the button mail programs show; it posts to the address in the headers</span>
</form>"""


def page(
    mails: list[Mail], addresses: list[str], to: str, opened: Mail | None, view: str, note: str = ""
) -> str:
    return _SHELL.format(
        title=escape(opened.subject if opened else "Messages"),
        kind="open" if opened else "closed",
        chooser=_chooser(addresses, to),
        query=_query(to),
        open=opened.id if opened else "",
        listing=listing(mails, to, opened.id if opened else ""),
        reader=_note(note) + _reader(opened, to, view) if opened else _nothing_open(mails),
    )


def listing(mails: list[Mail], to: str, opened: str) -> str:
    if not mails:
        return '<p class="empty">No message yet. This page looks again by itself.</p>'
    rows = "".join(_row(mail, to, mail.id == opened) for mail in mails)
    return f"<ol>{rows}</ol>"


def framed(mail: Mail) -> str:
    """The HTML part, with links that open in a new tab as in a mail program."""
    html, found = re.subn(r"(<head[^>]*>)", rf"\1{NEW_TAB}", mail.html, count=1, flags=re.I)
    return html if found else NEW_TAB + mail.html


def _row(mail: Mail, to: str, current: bool) -> str:
    mark = ' aria-current="true"' if current else ""
    return (
        f'<li><a href="/mail/{mail.id}?{_query(to)}"{mark}>'
        f"<strong>{escape(mail.subject)}</strong>"
        f"<span>{escape(mail.sender)}</span>{_time(mail.arrived_at)}"
        f'<span class="to">to {escape(", ".join(mail.recipients))}</span></a></li>'
    )


def _reader(mail: Mail, to: str, view: str) -> str:
    return _READER.format(
        query=_query(to),
        subject=escape(mail.subject),
        sender=escape(mail.sender),
        sender_address=escape(mail.sender_address),
        to=escape(", ".join(mail.recipients)),
        arrived=_time(mail.arrived_at),
        unsubscribe=_unsubscribe(mail, to),
        tabs="".join(_tab(mail, to, each, each == view) for each in VIEWS),
        body=_body(mail, view),
    )


def _body(mail: Mail, view: str) -> str:
    if view == "headers":
        return f"<pre>{escape(mail.headers)}</pre>"
    if view == "text" or not mail.html:
        return f"<pre>{escape(mail.text) or '(no plain text)'}</pre>"
    return _FRAME.format(id=mail.id)


def _tab(mail: Mail, to: str, view: str, current: bool) -> str:
    mark = ' aria-current="page"' if current else ""
    return f'<a href="/mail/{mail.id}?{_query(to, view)}"{mark}>{VIEWS[view]}</a>'


def _unsubscribe(mail: Mail, to: str) -> str:
    return _UNSUBSCRIBE.format(id=mail.id, query=_query(to)) if mail.unsubscribe_url else ""


def _chooser(addresses: list[str], to: str) -> str:
    options = "".join(
        f'<option value="{escape(address)}"{" selected" if address == to else ""}>'
        f"{escape(address)}</option>"
        for address in addresses
    )
    return (
        '<form method="get" action="/"><label for="to">Mailbox of</label>'
        f'<select id="to" name="to"><option value="">everybody</option>{options}</select>'
        "<button>Show</button></form>"
    )


def _nothing_open(mails: list[Mail]) -> str:
    return '<p class="empty">Choose a message to read it.</p>' if mails else ""


def _note(text: str) -> str:
    return f'<p role="status">{escape(text)}</p>' if text else ""


def _time(instant: datetime) -> str:
    local = instant.astimezone()
    return f'<time datetime="{instant.isoformat()}">{local:%d %b %H:%M:%S}</time>'


def _query(to: str, view: str = "") -> str:
    return escape(urlencode({k: v for k, v in (("to", to), ("view", view)) if v}))
