"""One reader in front of one screen: visits pages, asks axe about each, takes its picture."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page

WIDTHS = {390: 844, 1280: 900}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
AXE = Axe()
# Under `page.evaluate` there is no <script>: axe runs whatever the page's own policy says.
RULES = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}

# A part of somebody else's page has no landmarks of its own.
WITHIN_A_PAGE = {
    **RULES,
    "rules": {rule: {"enabled": False} for rule in ("region", "landmark-one-main")},
}


@dataclass(frozen=True)
class Fault:
    page: str
    text: str
    screen: "Screen"


@dataclass(frozen=True)
class Screen:
    width: int
    theme: Literal["light", "dark"]
    language: str

    def __str__(self) -> str:
        return f"{self.width}-{self.theme}-{self.language}"


def screens(languages: tuple[str, ...]) -> list[Screen]:
    return [Screen(*each) for each in product(WIDTHS, THEMES, languages)]


@dataclass
class Tour:
    page: Page
    site: str
    screen: Screen
    pictures: Path
    seed: Mapping[str, str]  # what the demo's seed printed: whom to sign in as
    faults: list[Fault] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    def visit(self, name: str, path: str, status: int = 200) -> None:
        answer = self.page.goto(self.site + path)
        if answer is None or answer.status != status:
            self.fault(name, f"answered {answer.status if answer else 'nothing'}, not {status}")
        self.look(name)

    def show(self, name: str, html: str) -> None:
        """Look at an e-mail, which stands inside a mail program's page."""
        self.page.set_content(html)
        self.look(name, WITHIN_A_PAGE)

    def press(self, selector: str) -> None:
        with self.page.expect_navigation():
            self.page.click(selector)

    def look(self, name: str, rules: Mapping[str, object] = RULES) -> None:
        """Examine whatever is on the screen now."""
        self.page.wait_for_load_state("load")
        self.page.wait_for_timeout(150)  # a chart draws itself
        self.seen.append(name)
        self.page.screenshot(path=self.pictures / f"{name}-{self.screen}.png", full_page=True)
        wide = self.page.evaluate("() => document.documentElement.scrollWidth")
        if wide > self.screen.width:
            self.fault(name, f"is {wide} px wide, so it scrolls sideways")
        language = self.page.evaluate("() => document.documentElement.lang")
        if language.split("-")[0] != self.screen.language:
            self.fault(name, f"says its language is {language!r}")
        for violation in AXE.run(self.page, options=dict(rules)).response["violations"]:
            self.fault(name, _axe_fault(violation))

    def fault(self, name: str, text: str) -> None:
        self.faults.append(Fault(name, text, self.screen))


@dataclass(frozen=True)
class Walk:
    """A way through some pages. `go` is called once for each screen."""

    name: str
    go: Callable[[Tour], None]
    languages: tuple[str, ...] = ("en",)


def open_tour(
    chromium: Browser, screen: Screen, site: str, pictures: Path, seed: Mapping[str, str]
) -> Tour:
    page = chromium.new_context(
        viewport={"width": screen.width, "height": WIDTHS[screen.width]},
        color_scheme=screen.theme,
        locale={"en": "en-US", "es": "es-US"}[screen.language],
        reduced_motion="reduce",
    ).new_page()
    page.set_default_timeout(20_000)
    tour = Tour(page, site, screen, pictures, seed)
    page.on("console", lambda line: _note_error(tour, line))
    page.on("pageerror", lambda error: tour.fault(page.url, str(error)))
    return tour


def _note_error(tour: Tour, line: ConsoleMessage) -> None:
    # A page that is meant to be missing says so on the console too.
    if line.type == "error" and "status of 4" not in line.text:
        tour.fault(tour.seen[-1] if tour.seen else "start", f"console: {line.text}")


def _axe_fault(violation: dict[str, object]) -> str:
    nodes = violation["nodes"]
    assert isinstance(nodes, list)
    where = "; ".join(str(node["target"][0]) for node in nodes[:3])
    return f"axe {violation['id']} ({violation['impact']}) × {len(nodes)}: {where}"
