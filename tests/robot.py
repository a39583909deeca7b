"""A mail scanner at its worst: opens every address of an e-mail and presses whatever it finds.

It asks by HEAD, OPTIONS and GET, follows the links of each page, keeps cookies, and sends each form
once for each of its buttons, as it was drawn: hidden fields, what is ticked or chosen beforehand,
nothing typed. It goes on from the page that a button leads to. Before and after each step every
table is read whole.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urljoin, urlsplit

from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import resolve

from tests.surveys.handset import Form, Reader

# A visitor's own cookie: the link to a new password moves its secret there, out of the address.
NOT_READ = {"django_session"}
LINKS_DEEP, PRESSES_DEEP = 4, 4
ONCE_DRAWN = {"csrfmiddlewaretoken", "stamp", "words"}  # another each time, in the same form
PRESSED_BY_ITSELF = {"submit", "image"}

Rows = dict[str, list[str]]


def tables() -> Rows:
    """Every row of every table, whether it has a model or not."""
    found: Rows = {}
    with connection.cursor() as cursor:
        for name in sorted(set(connection.introspection.table_names(cursor)) - NOT_READ):
            cursor.execute(f'SELECT * FROM "{name}"')
            found[name] = sorted(map(repr, cursor.fetchall()))
    return found


def changed(before: Rows, after: Rows) -> frozenset[str]:
    return frozenset(name for name in after if before.get(name) != after[name])


@dataclass
class Drawn(Form):
    """A form with everything that a browser would send from it untouched."""

    chosen: dict[str, str] = field(default_factory=dict)

    def fields(self) -> dict[str, str]:
        sent = {
            each["name"]: each.get("value", "on" if each.get("type") == "checkbox" else "")
            for each in self.inputs
            if "name" in each
            and each.get("type") not in PRESSED_BY_ITSELF
            and (each.get("type") not in ("radio", "checkbox") or "checked" in each)
        }
        return sent | self.chosen

    def presses(self) -> Iterator[dict[str, str]]:
        """What each button adds; a form without one is sent all the same."""
        buttons = [button.attributes for button in self.buttons]
        buttons += [each for each in self.inputs if each.get("type") in PRESSED_BY_ITSELF]
        yield from (each for each in buttons or [{}] if each.get("type") != "button")


class Sight(Reader):
    """What stands on a page: every link, and forms with lists and long texts too."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.hrefs: list[str] = []
        self._list = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        super().handle_starttag(tag, attrs)
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = self.forms[-1] = Drawn(attributes)
        elif tag in ("a", "area") and "href" in attributes:
            self.hrefs.append(attributes["href"])
        elif tag in ("select", "textarea") and self._inside and "name" in attributes:
            self._list = attributes["name"]
            if tag == "textarea":
                self._inside.chosen[self._list] = ""
        elif tag == "option" and self._inside:
            is_first = self._list not in self._inside.chosen
            if "selected" in attributes or is_first:
                self._inside.chosen[self._list] = attributes.get("value", "")


@dataclass(frozen=True)
class Act:
    """A press that changed something."""

    route: str
    button: str  # its name, where it has one
    presses: int  # how many it took
    tables: frozenset[str]


class Robot:
    """What takes fewer presses is tried first, so that none is put down to more than it takes."""

    def __init__(self) -> None:
        self.browser = Client()
        self.acts: list[Act] = []
        self.opened: set[str] = set()
        self.sent: set[tuple[str, frozenset[tuple[str, str]]]] = set()
        self._next: list[list[Callable[[], None]]] = [[] for _ in range(PRESSES_DEEP + 1)]

    def open(self, address: str) -> None:
        """An address in an e-mail, and everything behind it."""
        self._follow(address, links=0, presses=0)
        for presses in range(PRESSES_DEEP + 1):
            while self._next[presses]:
                self._next[presses].pop(0)()

    def _follow(self, address: str, links: int, presses: int) -> None:
        parts = urlsplit(address)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        if path in self.opened or links > LINKS_DEEP:
            return
        self.opened.add(path)
        before = tables()
        for method in ("head", "options", "get"):
            response = getattr(self.browser, method)(path, follow=True)
            assert response.status_code < 500, (method, path)
        assert changed(before, tables()) == frozenset(), f"looking at {path} changed something"
        self._explore(response, links, presses)

    def _explore(self, response: HttpResponse, links: int, presses: int) -> None:
        here = response.request["PATH_INFO"]
        page = Sight(response.content.decode())
        for href in page.hrefs:
            target = urljoin(f"http://testserver{here}", href)
            if urlsplit(target).netloc == "testserver":
                self._next[presses].append(partial(self._follow, target, links + 1, presses))
        for form in page.forms if presses < PRESSES_DEEP else []:
            for button in form.presses():
                self._next[presses + 1].append(
                    partial(self._press, here, form, button, presses + 1)
                )

    def _press(self, here: str, form: Drawn, button: dict[str, str], presses: int) -> None:
        data = form.fields()
        if "name" in button:
            data[button["name"]] = button.get("value", "")
        path = urljoin(here, button.get("formaction") or form.attributes.get("action", ""))
        same = frozenset(item for item in data.items() if item[0] not in ONCE_DRAWN)
        if (path, same) in self.sent:
            return
        self.sent.add((path, same))
        method = button.get("formmethod") or form.attributes.get("method", "get")
        response, touched = self._send(method.lower(), path, data)
        if touched:
            route = resolve(urlsplit(path).path).view_name
            self.acts.append(Act(route, button.get("name", ""), presses, touched))
        else:
            self._explore(response, 0, presses)

    def _send(self, method: str, path: str, data: Any) -> tuple[HttpResponse, frozenset[str]]:
        """The page it leads to, and what it changed. That is undone, and leads no further."""
        held = self.browser.cookies.copy()
        before = tables()
        with transaction.atomic():
            response = getattr(self.browser, method)(path, data, follow=True)
            assert response.status_code < 500, (path, data)
            touched = changed(before, tables())
            transaction.set_rollback(bool(touched))
        if touched:
            self.browser.cookies = held
        return response, touched
