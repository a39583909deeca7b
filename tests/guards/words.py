"""Rules about words: the glossary, the documents, and what a public repository must not say."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

DECISION_PARTS = ("## Context", "## Decision", "## Consequences", "## Alternatives")
PAGE_LINES, PAGE_WORDS = 60, 520

TRACES = {
    "a path of one machine": re.compile(r"(?<![\w.])/(?:home|work|Users|root)/[\w.]"),
    "a ticket": re.compile(r"\b[Ii]ssue #?\d+\b"),
    "unfinished": re.compile(r"\b(?:TO[D]O|FIX[M]E|X[X]X)\b"),
    "an address of an inner network": re.compile(
        r"https?://(?!127\.|0\.0\.0\.0|192\.0\.2\.|localhost)"
        r"(?:\d+\.\d+\.\d+\.\d+|[\w-]+(?=[:/\s\"')])|[\w.-]+\.(?:internal|local|lan|corp))"
    ),
}
RELATIVE = re.compile(r"(?<![\w./])(?:\.\./)+[\w][\w./-]*")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def traces(text: str) -> list[str]:
    """What belongs to the place where this was written and means nothing to a reader."""
    return [
        f"{kind}: {match.group()}"
        for kind, pattern in TRACES.items()
        for match in pattern.finditer(text)
    ]


def dead_paths(text: str, file: Path) -> list[str]:
    """Relative paths and Markdown links that lead to nothing, or out of the tree."""
    named = RELATIVE.findall(text)
    named += LINK.findall(text) if file.suffix == ".md" else []
    return [path for path in named if not (file.parent / path).resolve().exists()]


def locked_hosts(requirements: str) -> list[str]:
    """A lock file names packages and hashes, never the place they came from."""
    return re.findall(
        r"^.*(?:https?://|--(?:extra-)?index-url|--find-links).*$", requirements, re.M
    )


def decision_faults(text: str) -> list[str]:
    faults = [f"lacks {part}" for part in DECISION_PARTS if part not in text]
    if len(text.splitlines()) > PAGE_LINES or len(text.split()) > PAGE_WORDS:
        faults.append("longer than a page")
    return faults


def undocumented(names: Iterable[str], text: str) -> list[str]:
    """Names that do not stand in `text` as code."""
    return sorted(name for name in names if f"`{name}`" not in text)


def glossary(text: str) -> tuple[set[str], set[str]]:
    """The words we use, and those we avoid. One in brackets is somebody else's: `(Django's) …`."""
    rows = re.findall(r"^\| \*\*(.+?)\*\* \|.*\| ([^|]*) \|$", text, re.MULTILINE)
    words = {word for word, _ in rows}
    avoided = {
        part.strip()
        for _, cell in rows
        for part in re.sub(r"\([^)]*\)", "", cell).split(",")
        if part.strip()
    }
    return words, avoided


def avoided_names(names: Iterable[str], avoided: Iterable[str]) -> list[str]:
    """Identifiers made of a word the glossary avoids: `submission_count`, `EpisodeForm`."""
    avoid = {word.lower() for word in avoided}
    return sorted({name for name in names if avoid & set(_parts(name))})


def _parts(name: str) -> Sequence[str]:
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_")
    return [*split, *(part[:-1] for part in split if part.endswith("s"))]
