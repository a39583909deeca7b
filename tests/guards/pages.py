"""Rules about templates, scripts and what a page does to the database."""

import re
from collections.abc import Iterator, Sequence

READS = ("SELECT", "SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")

LOADS = re.compile(
    r"""<(?:script|img|iframe|audio|video|source|embed|object|form|use|link)\b[^>]*?
        \b(?:src|srcset|href|action|data)\s*=\s*["']?\s*(?P<tag>(?:https?:)?//[^"'\s>]*)
      | (?:url\(|@import)\s*["']?\s*(?P<css>(?:https?:)?//[^"')\s]*)
      | \b(?:hx-(?:get|post|put|delete)|formaction)\s*=\s*["'](?P<act>(?:https?:)?//[^"']*)
      | \b(?:fetch|import|importScripts|open)\(\s*["'`](?P<js>(?:https?:)?//[^"'`]*)""",
    re.IGNORECASE | re.VERBOSE,
)
INLINE = re.compile(
    r"""<style\b
      | <script\b(?![^>]*\bsrc\s*=)(?![^>]*\btype\s*=\s*["']application/json["'])
      | <[a-z][^>]*\sstyle\s*=
      | <[a-z][^>]*\s(?:on[a-z]+|hx-on[:a-z-]*)\s*=
      | javascript:""",
    re.IGNORECASE | re.VERBOSE,
)
TEMPLATE_TAG = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}", re.DOTALL)


def writes(statements: Sequence[str]) -> list[str]:
    """The SQL among `statements` that is not a mere look. A lock is not."""
    return [
        sql
        for sql in (statement.strip(" (").upper() for statement in statements)
        if not sql.startswith(READS) or " FOR UPDATE" in sql or " FOR NO KEY UPDATE" in sql
    ]


def foreign_hosts(text: str) -> list[str]:
    """What a page would load from, or send to, somebody else. A link to click is neither."""
    return [next(filter(None, match.groups())) for match in LOADS.finditer(text)]


def inline_code(html: str) -> list[str]:
    """Styles, scripts and handlers inside the page: the content security policy drops them."""
    return [match.group() for match in INLINE.finditer(TEMPLATE_TAG.sub("", html))]


def missing_email_parts(names: Sequence[str]) -> list[str]:
    """Each mail has a subject, a text and an HTML template."""
    found = set(names)
    wanted = (
        f"{kind}{part}" for kind in _kinds(names) for part in ("-subject.txt", ".txt", ".html")
    )
    return [name for name in wanted if name not in found]


def escapes_plain_text(template: str) -> bool:
    """Whether a `.txt` template would escape: Django makes D&#x27;Arcy of D'Arcy there too."""
    return "{{" in template and "{% autoescape off %}" not in template


def chart_calls(source: str) -> int:
    return len(re.findall(r"\bPlotly\s*\.\s*(?:newPlot|react|plot)\b", source))


def _kinds(names: Sequence[str]) -> Iterator[str]:
    seen = set()
    for name in sorted(names):
        kind = re.sub(r"(-subject\.txt|\.txt|\.html)$", "", name)
        if kind not in seen and not kind.startswith(("_", "base")):
            seen.add(kind)
            yield kind
