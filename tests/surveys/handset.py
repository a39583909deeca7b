"""A patient's phone without JavaScript: opens pages and presses what stands on them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from html.parser import HTMLParser
from urllib.parse import urljoin

import pytest
import time_machine
from django.test import Client
from time_machine import Traveller

from surveys import links
from surveys.models import FollowUp

SAVE = ("Save and continue", "Guardar y continuar")


@dataclass
class Button:
    text: str
    attributes: dict[str, str]


@dataclass
class Form:
    attributes: dict[str, str]
    inputs: list[dict[str, str]] = field(default_factory=list)
    buttons: list[Button] = field(default_factory=list)


class Reader(HTMLParser):
    """Forms, links and the words of a page, as a browser without a script knows them."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.words: list[str] = []
        self.title = ""
        self._inside: Form | None = None
        self._open: list[tuple[str, dict[str, str], list[str]]] = []

    def handle_starttag(self, tag, attrs):
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = Form(attributes)
            self.forms.append(self._inside)
        elif tag == "input" and self._inside:
            self._inside.inputs.append(attributes)
        elif tag in ("a", "button", "title"):
            self._open.append((tag, attributes, []))

    def handle_data(self, data):
        self.words.append(data)
        for _, _, text in self._open:
            text.append(data)

    def handle_endtag(self, tag):
        if tag == "form":
            self._inside = None
        if tag in ("a", "button", "title") and self._open:
            _, attributes, parts = self._open.pop()
            text = " ".join("".join(parts).split())
            if tag == "a":
                self.links[text] = attributes.get("href", "")
            elif tag == "title":
                self.title = text
            else:
                self._form_of(attributes).buttons.append(Button(text, attributes))

    def _form_of(self, attributes):
        if "form" in attributes:
            return next(f for f in self.forms if f.attributes.get("id") == attributes["form"])
        return self._inside or self.forms[-1]


class Page:
    def __init__(self, response) -> None:
        self.response = response
        self.html = response.content.decode()
        self.path = response.request["PATH_INFO"]
        self.status = response.status_code
        reader = Reader()
        reader.feed(self.html)
        self.forms, self.links, self.title = reader.forms, reader.links, reader.title
        self.text = " ".join("".join(reader.words).split())

    @property
    def inputs(self):
        return [field for form in self.forms for field in form.inputs]


class Handset:
    def __init__(self, client: Client) -> None:
        self.client = client
        self.page: Page | None = None

    def get(self, path: str) -> Page:
        return self._keep(self.client.get(path, follow=True))

    def open(self, follow_up: FollowUp, query: str = "") -> Page:
        return self.get(f"/s/{links.token(follow_up)}/{query}")

    def start(self, follow_up: FollowUp) -> Page:
        self.open(follow_up)
        return self.press("Start")

    def press(self, text: str, **typed: object) -> Page:
        """Press a button: sends its form with what is in it, and `typed` on top."""
        form, button = self._button(text)
        data: dict[str, object] = {
            i["name"]: i.get("value", "")
            for i in form.inputs
            if i.get("type") not in ("radio", "checkbox") or "checked" in i
        }
        if "name" in button.attributes:
            data[button.attributes["name"]] = button.attributes.get("value", "")
        path = urljoin(self.page.path, form.attributes.get("action", ""))
        return self._keep(self.client.post(path, {**data, **typed}, follow=True))

    def choose(self, *answers: str) -> Page:
        """Choose answers by value, as the screen offers them, and save."""
        offered = {i["value"] for i in self.page.inputs if i.get("name") == "answer"}
        assert set(answers) <= offered, f"{answers} not in {sorted(offered)}"
        save = next(b.text for form in self.page.forms for b in form.buttons if b.text in SAVE)
        return self.press(save, answer=list(answers))

    def hidden(self) -> dict[str, str]:
        """What the answer's form carries besides the answer."""
        form = next(f for f in self.page.forms if f.attributes.get("id") == "answers")
        return {i["name"]: i["value"] for i in form.inputs if i.get("type") == "hidden"}

    def hidden_answers(self) -> list[str]:
        """The choices that a page keeps without showing them."""
        hidden = [i for i in self.page.inputs if i.get("type") == "hidden"]
        return [i["value"] for i in hidden if i["name"] == "answer"]

    def follow(self, text: str) -> Page:
        return self.get(urljoin(self.page.path, self.page.links[text]))

    def _button(self, text: str) -> tuple[Form, Button]:
        for form in self.page.forms:
            for button in form.buttons:
                if button.text == text:
                    return form, button
        raise AssertionError(f"no button {text!r} on {self.page.path}: {self.page.text}")

    def _keep(self, response) -> Page:
        self.page = Page(response)
        return self.page


@pytest.fixture
def clock(now: datetime) -> Iterator[Traveller]:
    """The time that the pages read; `shift` moves it."""
    with time_machine.travel(now, tick=False) as travelled:
        yield travelled


@pytest.fixture
def handset(client: Client, clock: Traveller, db: None) -> Handset:
    return Handset(client)


@pytest.fixture
def other_handset(clock: Traveller) -> Handset:
    """Another browser, in another pocket."""
    return Handset(Client())
