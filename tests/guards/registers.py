"""Pages of docs/ that name a test for each of their numbered rows."""

import ast
import re
from collections.abc import Mapping
from pathlib import Path

from devtools.processes import ROOT

NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def rows(page: Path) -> dict[int, str]:
    found = re.findall(r"^\| (\d+) \|(.*)\|$", page.read_text(), re.MULTILINE)
    return {int(number): cells for number, cells in found}


def functions(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def missing(found: Mapping[int, str]) -> list[str]:
    """Tests that a row names and that are not there."""
    return [
        f"{number}: {path}::{name}"
        for number, cells in found.items()
        for path, name in NAMED.findall(cells)
        if not (ROOT / path).exists() or name not in functions(path)
    ]
