"""A translation that is missing, doubtful, broken or not compiled is found before a patient is."""

from pathlib import Path

import pytest

from devtools import messages
from devtools.texts import texts

HEADER = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
GOOD = 'msgid "Start"\nmsgstr "Empezar"\n\nmsgid "Hello %(name)s"\nmsgstr "Hola, %(name)s"\n'
PAGE = (
    '{% load i18n %}{% translate "Start" %}'
    "{% blocktranslate %}Hello {{ name }}{% endblocktranslate %}"
)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page for patients and its Spanish, in good order."""
    monkeypatch.setattr(messages, "ROOT", tmp_path)
    monkeypatch.setattr(messages, "LOCALE", tmp_path / "locale")
    (tmp_path / "templates/surveys").mkdir(parents=True)
    (tmp_path / "templates/surveys/landing.html").write_text(PAGE)
    catalogue(tmp_path).parent.mkdir(parents=True)
    write(tmp_path, GOOD)
    return tmp_path


def catalogue(tree: Path) -> Path:
    return tree / "locale/es/LC_MESSAGES/django.po"


def write(tree: Path, entries: str) -> None:
    catalogue(tree).write_text(HEADER + entries)
    catalogue(tree).with_suffix(".mo").write_bytes(messages.compiled(catalogue(tree)))


def test_a_good_catalogue_passes(tree, capsys):
    assert messages.main(["--check"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("entries", "fault"),
    [
        (GOOD.replace("Empezar", ""), "not translated: 'Start'"),
        ("#, fuzzy\n" + GOOD, "fuzzy"),
        (GOOD.replace("Hola, %(name)s", "Hola, %(nombre)s"), "placeholders differ"),
    ],
)
def test_a_bad_catalogue_is_named(tree, capsys, entries, fault):
    write(tree, entries)
    assert messages.main(["--check"]) == 1
    assert fault in capsys.readouterr().out


def test_a_catalogue_that_was_not_compiled_again_is_named(tree, capsys):
    catalogue(tree).write_text(HEADER + GOOD.replace("Empezar", "Comenzar"))
    assert messages.main(["--check"]) == 1
    assert ".mo file is older" in capsys.readouterr().out


def test_what_only_staff_read_may_wait(tree):
    folder = tree / "templates/reminders/email"
    folder.mkdir(parents=True)
    (folder / "notice.txt").write_text('{% load i18n %}{% translate "A response needs review." %}')
    assert messages.main(["--check"]) == 0
    (folder / "reminder.txt").write_text('{% load i18n %}{% translate "Still open" %}')
    assert messages.main(["--check"]) == 1


def test_every_way_to_ask_for_a_text_is_seen(tmp_path):
    page, code = tmp_path / "page.html", tmp_path / "code.py"
    page.write_text(
        '{% load i18n %}{% translate "It\'s" %}{% translate "May" context "month" %}{{ _("in") }}'
        "{% blocktranslate count n=n trimmed %}\n One {{ thing }}\n{% plural %} {{ n }} things"
        "{% endblocktranslate %}"
    )
    code.write_text('_("plain"); ngettext("one", "many", n); pgettext("verb", "open"); _(variable)')
    assert texts(page) == {("", "It's"), ("month", "May"), ("", "in"), ("", "One %(thing)s")}
    assert texts(code) == {("", "plain"), ("", "one"), ("verb", "open")}
