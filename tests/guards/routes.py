"""Every address of the service, and who gets it, for the tests and for docs/pages.md."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from tests.guards.tree import ROOT

PEOPLE = ("admin", "clinician", "coordinator", "viewer")
SEEN = {"200", "302", "303"}


def walk(
    patterns: Iterable[Any], prefix: str = "", space: str = ""
) -> Iterator[tuple[str, str, URLPattern]]:
    """Each address with its route and its full name."""
    for entry in patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = f"{space}{entry.namespace}:" if entry.namespace else space
            yield from walk(entry.url_patterns, route, inner)
        else:
            yield route, f"{space}{entry.name}", entry


def routes() -> list[tuple[str, str, URLPattern]]:
    return list(walk(get_resolver().url_patterns))


def view_name(entry: URLPattern) -> str:
    """allauth's and Anymail's class views are called by their class."""
    view = getattr(entry.callback, "view_class", entry.callback)
    return f"{view.__module__}.{view.__qualname__}"


def public_views() -> set[str]:
    return {
        view_name(entry)
        for _, _, entry in routes()
        if not getattr(entry.callback, "login_required", True)
    }


def page_rows() -> Iterator[tuple[str, str]]:
    """Of every page of ours its name, and the line docs/pages.md begins with."""
    table = tomllib.loads((ROOT / "tests" / "routes.toml").read_text())
    for route, name, entry in routes():
        if name.startswith(("clinic:", "surveys:", "reminders:", "dashboards:")):
            address = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"<\1>", route)
            public = not getattr(entry.callback, "login_required", True)
            who = "anybody with the link" if public else who_gets(table.get(name, {}))
            yield name, f"| `{name}` | `{address}` | {who} |"


def who_gets(line: dict[str, Any]) -> str:
    """Who is served by GET or POST, read off the table of statuses."""
    columns = [str(line[method]).split() for method in ("get", "post") if method in line]
    columns = [column * (6 // len(column)) for column in columns]
    served = [
        who for place, who in enumerate(PEOPLE) if any(column[place] in SEEN for column in columns)
    ]
    return "every member" if served == list(PEOPLE) else ", ".join(served)
