"""Starts a demo of its own, walks through it on every screen, and says what is wrong with it."""

import os
import sys
from collections.abc import Mapping
from html import escape
from importlib import import_module
from pathlib import Path

import django
from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from devtools import browser
from devtools.demo.folder import Folder
from devtools.demo.supervisor import Supervisor
from devtools.processes import ROOT, StartFailed, free_port
from devtools.sweep.tour import Tour, Walk, open_tour, screens

PICTURES = ROOT / "var" / "sweep"
WALKS = "tests.sweep.pages"


def main(arguments: list[str]) -> int:
    if len(arguments) > 1:
        print("usage: ./dev sweep [WALK]", file=sys.stderr)
        return 2
    chromium = browser.find_or_install()
    if not chromium:
        raise StartFailed(f"The sweep needs a browser:\n    {browser.HOW_TO}")
    folder = Folder(ROOT / "var" / "sweep-data")
    with folder.held():
        folder.remove()
        folder.make()
        supervisor = Supervisor(folder, free_port(8100), tick_seconds=1)
        try:
            return _report(_sweep(supervisor, chromium, arguments))
        finally:
            supervisor.stop()


def _sweep(supervisor: Supervisor, path: str, wanted: list[str]) -> list[Tour]:
    seed = supervisor.start()
    walks = _walks(supervisor.env)
    PICTURES.mkdir(parents=True, exist_ok=True)
    for old in [] if wanted else PICTURES.glob("*.png"):
        old.unlink()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=browser.FLAGS)
        tours = [
            tour
            for walk in walks
            if wanted in ([], [walk.name])
            for tour in _walk(chromium, walk, supervisor.site, seed)
        ]
        chromium.close()
    return tours


def _walks(env: Mapping[str, str]) -> tuple[Walk, ...]:
    """The walks make their own patients, so they need the demo's settings before Django starts."""
    os.environ.update(env)
    # Playwright keeps an event loop in this thread, which Django would take for async code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    django.setup()
    walks: tuple[Walk, ...] = import_module(WALKS).WALKS
    return walks


def _walk(chromium: Browser, walk: Walk, site: str, facts: Mapping[str, str]) -> list[Tour]:
    tours = []
    for screen in screens(walk.languages):
        print(f"  {walk.name} {screen}", flush=True)
        tour = open_tour(chromium, screen, site, PICTURES, facts)
        try:
            walk.go(tour)
        except PlaywrightError as error:
            tour.fault(walk.name, f"stopped at {tour.page.url}: {error}")
        tour.page.context.close()
        tours.append(tour)
    return tours


def _report(tours: list[Tour]) -> int:
    faults: dict[tuple[str, str], list[str]] = {}
    for fault in (fault for tour in tours for fault in tour.faults):
        faults.setdefault((fault.page, fault.text), []).append(str(fault.screen))
    for (page, text), on_screens in faults.items():
        print(f"\n{page}: {text}\n    on {', '.join(on_screens)}")
    _index(PICTURES)
    looks = sum(len(tour.seen) for tour in tours)
    pages = len({name for tour in tours for name in tour.seen})
    place = PICTURES.relative_to(ROOT)
    print(f"\n{pages} pages, {looks} looks, {len(faults)} faults. Look at {place}/index.html")
    return 1 if faults or not looks else 0


def _index(folder: Path) -> None:
    """All pictures on one page, those of one page beside each other."""
    rows: dict[str, list[str]] = {}
    for picture in sorted(folder.glob("*.png")):
        rows.setdefault(picture.stem.rsplit("-", 3)[0], []).append(_thumbnail(picture.name))
    body = "".join(f"<h2>{escape(name)}</h2>{''.join(row)}" for name, row in rows.items())
    (folder / "index.html").write_text(f"<!doctype html><title>Sweep</title>{body}")


def _thumbnail(name: str) -> str:
    image = f'<img src="{escape(name)}" alt="{escape(name)}" height="500" loading="lazy">'
    return f'<a href="{escape(name)}">{image}</a> '
