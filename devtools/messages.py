"""`./dev messages`: collect the texts to translate, and compile what has been translated.

Collecting needs GNU gettext, which a fresh machine lacks; compiling does not. The compiled
catalogues are committed, so nobody needs either to run Afterglow.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import polib

from devtools.processes import ROOT, machine_environment
from devtools.texts import texts

LOCALE = ROOT / "locale"
COLLECT = ["makemessages", "--all", "--no-wrap", "--no-obsolete", "--add-location=file"]
# What patients read: every text in it has a translation, in every language.
FOR_PATIENTS = (
    "surveys/**/*.py",
    "reminders/preference_form.py",
    "templates/patient.html",
    "templates/plain.html",
    "templates/4*.html",
    "templates/surveys/*.html",
    "templates/reminders/**/*.*",
)
FOR_STAFF = "notice*"
NOT_OURS = [".venv/*", "var/*", "tests/*", "devtools/*"]


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        return _check()
    if arguments:
        print("./dev messages takes no arguments", file=sys.stderr)
        return 2
    collected = _collect()
    for catalogue in catalogues():
        catalogue.with_suffix(".mo").write_bytes(compiled(catalogue))
        untranslated = len(polib.pofile(str(catalogue)).untranslated_entries())
        print(f"{catalogue.relative_to(ROOT)}: compiled, {untranslated} not translated")
    return 0 if collected else 1


def catalogues() -> list[Path]:
    return sorted(LOCALE.glob("*/LC_MESSAGES/*.po"))


def compiled(catalogue: Path) -> bytes:
    content: bytes = polib.pofile(str(catalogue)).to_binary()
    return content


def _collect() -> bool:
    if not shutil.which("xgettext"):
        print(
            "Texts were not collected: that needs xgettext (sudo apt-get install -y gettext).\n"
            "The catalogues are compiled as they are."
        )
        return False
    ignored = [word for pattern in NOT_OURS for word in ("--ignore", pattern)]
    command = [sys.executable, str(ROOT / "manage.py"), *COLLECT, *ignored]
    env = {**machine_environment(), "DEBUG": "True"}
    return subprocess.run(command, cwd=ROOT, env=env).returncode == 0


def _check() -> int:
    faults = [fault for catalogue in catalogues() for fault in _faults(catalogue)]
    for fault in faults:
        print(fault)
    return 1 if faults else 0


def _faults(catalogue: Path) -> list[str]:
    name = catalogue.relative_to(ROOT)
    binary = catalogue.with_suffix(".mo")
    faults = []
    if not binary.exists() or binary.read_bytes() != compiled(catalogue):
        faults.append(f"{name}: the .mo file is older; run ./dev messages and commit it")
    for entry in polib.pofile(str(catalogue)):
        if entry.fuzzy:
            faults.append(f"{name}: fuzzy, so not used: {entry.msgid!r}")
        elif entry.msgstr and _placeholders(entry.msgid) != _placeholders(entry.msgstr):
            faults.append(f"{name}: placeholders differ: {entry.msgid!r}")
    return faults + [f"{name}: not translated: {text!r}" for text in _missing(catalogue)]


def _missing(catalogue: Path) -> list[str]:
    entries = polib.pofile(str(catalogue)).translated_entries()
    known = {(entry.msgctxt or "", entry.msgid) for entry in entries}
    files = [path for pattern in FOR_PATIENTS for path in ROOT.glob(pattern)]
    asked = [texts(path) for path in files if not path.match(FOR_STAFF)]
    return sorted(text for context, text in set().union(*asked) - known)


def _placeholders(text: str) -> set[str]:
    return {part.split(")")[0] for part in text.split("%(")[1:]}
