"""The texts a file asks gettext for. Unlike makemessages this needs nothing but Django."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from django.utils.translation.template import templatize

# (context, text), as a catalogue keys them; no context is "".
Text = tuple[str, str]

_STRING = r"u?(?:'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\")"
_CALL = re.compile(rf"\b(_|p?n?n?p?gettext)\(\s*({_STRING}(?:\s*,\s*{_STRING})*)")
_FUNCTIONS = {"_", "gettext", "gettext_lazy", "ngettext", "pgettext", "npgettext"}


def texts(path: Path) -> set[Text]:
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return set(_in_python(source))
    return set(_in_template(source))


def _in_template(source: str) -> Iterator[Text]:
    for call in _CALL.finditer(templatize(source)):
        strings = [ast.literal_eval(each) for each in re.findall(_STRING, call.group(2))]
        yield from _key(call.group(1), strings)


def _in_python(source: str) -> Iterator[Text]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            strings = [
                each.value
                for each in node.args
                if isinstance(each, ast.Constant) and isinstance(each.value, str)
            ]
            if node.func.id in _FUNCTIONS and strings:
                yield from _key(node.func.id, strings)


def _key(function: str, strings: list[str]) -> Iterator[Text]:
    """A plural is found under its singular."""
    if "pgettext" in function:
        yield strings[0], strings[1]
    else:
        yield "", strings[0]
