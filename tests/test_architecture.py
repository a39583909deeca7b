"""The rules of this code base that nobody has to remember. Each guard is a function in
`tests/guards`; `tests/test_guards.py` shows that it sees a bad sample."""

import ast
import re
from io import StringIO
from statistics import median, quantiles

import pytest
from celery import current_app
from django.apps import apps
from django.core.management import call_command

from tests.guards import code, facts, pages, words
from tests.guards.routes import page_rows, public_views
from tests.guards.tree import (
    APPS,
    PACKAGES,
    ROOT,
    at,
    every_text,
    product_files,
    python_files,
    static_files,
    templates,
)

DOCS = ROOT / "docs"
EMAILS = sorted((ROOT / "templates").rglob("email"))  # a folder of each app that writes
CLOCK_ROOMS = re.compile(
    r"/(views|tasks|middleware)(/\w+)?\.py$|/management/commands/\w+\.py$|/webhooks\.py$"
)
NO_ROOM = {"utils", "helpers", "services", "selectors", "common", "misc", "admin", "managers"}
# Who may be called without signing in. A new name here is a decision.
PUBLIC_VIEWS = {
    "allauth.account.views.AccountInactiveView",
    "allauth.account.views.LoginView",
    "allauth.account.views.LogoutView",
    "allauth.account.views.PasswordResetDoneView",
    "allauth.account.views.PasswordResetFromKeyDoneView",
    "allauth.account.views.PasswordResetFromKeyView",
    "allauth.account.views.PasswordResetView",
    "allauth.account.views.SignupView",  # closed: the adapter says so
    "clinic.views.invitation",
    "reminders.health.views.live",
    "reminders.health.views.numbers",  # with a token of its own
    "reminders.health.views.ready",
    "reminders.views.fresh_link",
    "reminders.views.help_now",
    "reminders.views.unsubscribe",
    "surveys.views.asking.onward",
    "surveys.views.asking.question",
    "surveys.views.asking.review",
    "surveys.views.crisis.emergency",
    "surveys.views.crisis.help_answer",
    "surveys.views.crisis.help_noted",
    "surveys.views.crisis.help_now",
    "surveys.views.crisis.help_only",
    "surveys.views.ending.sent",
    "surveys.views.landing.landing",
    "surveys.views.landing.landing_and_more",
    "surveys.views.landing.landing_help",
    "surveys.views.trend.trend",
}


def offenders(found: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: faults for name, faults in found.items() if faults}


def in_files(paths, guard) -> dict[str, list[str]]:
    return offenders({at(path): guard(path.read_text(encoding="utf-8")) for path in paths})


# -- Size and shape ---------------------------------------------------------------------------


def test_no_function_is_longer_than_forty_lines():
    assert not in_files(
        product_files(),
        lambda text: [f"{f.name} {f.length}" for f in code.functions(text) if f.length > 40],
    )


def test_functions_are_short_in_general():
    lengths = [
        function.length
        for path in product_files()
        for function in code.functions(path.read_text(encoding="utf-8"))
    ]
    assert median(lengths) <= 8
    assert quantiles(lengths, n=10)[-1] <= 20


def test_no_file_is_longer_than_three_hundred_lines():
    lengths = {at(path): len(path.read_text().splitlines()) for path in product_files()}
    lengths.pop("dev")  # one file by design: it runs before anything is installed
    assert not {name: lines for name, lines in lengths.items() if lines > 300}


def test_files_are_short_in_general():
    """Nine of ten hold at most 150 lines; blank ones, which only help the eye, are not counted."""
    texts = [path.read_text().splitlines() for path in python_files(*PACKAGES)]
    held = [sum(bool(line.strip()) for line in lines) for lines in texts]
    assert quantiles(held, n=10)[-1] <= 150


def test_every_function_says_what_it_returns():
    assert not in_files(
        product_files(), lambda text: [f.name for f in code.functions(text) if not f.typed]
    )


def test_nothing_is_imported_inside_a_function():
    paths = [path for path in product_files() if path.name != "apps.py"]
    assert not in_files(paths, code.inner_imports)


def test_no_file_is_called_after_a_layer():
    assert not [at(path) for path in python_files(*APPS) if path.stem in NO_ROOM]


# -- Who does what ----------------------------------------------------------------------------


def test_only_views_tasks_and_commands_read_the_clock():
    paths = [
        path
        for path in python_files(*APPS)
        if not CLOCK_ROOMS.search("/" + at(path)) and path.name != "apps.py"
    ]
    assert not in_files(paths, code.clock_reads)


def test_only_the_settings_read_the_environment():
    assert not in_files(python_files(*APPS), code.environment_reads)


def test_no_model_overrides_save_or_delete():
    assert not in_files(python_files(*APPS), code.save_overrides)


def test_there_are_no_model_signals():
    assert not in_files(python_files(*APPS), code.model_signals)


def test_views_are_functions():
    assert not in_files(python_files(*APPS), code.class_views)


def test_every_task_ignores_its_result():
    assert not in_files(python_files(*APPS), code.tasks_keeping_results)
    current_app.loader.import_default_modules()
    ours = {name: task for name, task in current_app.tasks.items() if name.split(".")[0] in APPS}
    assert ours
    assert not [name for name, task in ours.items() if task.ignore_result is not True]


def test_no_schedule_lives_in_the_queue():
    assert not in_files(python_files(*APPS), code.far_future_tasks)


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", check=True, dry_run=True, stdout=StringIO())


# -- Pages ------------------------------------------------------------------------------------


def test_only_the_listed_views_are_public():
    """Anymail's views hold the provider's secret; tests/routes.toml walks all of them."""
    found = {name for name in public_views() if not name.startswith("anymail.webhooks.")}
    assert found == PUBLIC_VIEWS


def test_every_page_loads_only_from_here():
    assert not in_files([*templates(), *static_files(".css")], pages.foreign_hosts)
    assert not in_files(static_files(".js"), pages.foreign_hosts)


def test_no_page_has_styles_scripts_or_handlers_inside():
    paths = [
        path for path in templates() if path.parent.name != "email"
    ]  # mails load no stylesheet
    assert not in_files(paths, pages.inline_code)


def test_charts_are_drawn_in_one_place_which_shares_nothing():
    calling = {
        at(path): path.read_text()
        for path in [*static_files(".js"), *templates()]
        if pages.chart_calls(path.read_text())
    }
    assert len(calling) == 1
    (script,) = calling.values()
    assert pages.chart_calls(script) == 1
    for option in ("showSendToCloud: false", 'plotlyServerURL: ""', "displaylogo: false"):
        assert option in script


# -- E-mail -----------------------------------------------------------------------------------


def test_every_email_of_ours_has_its_three_templates():
    """allauth names its own otherwise; staff's few are plain text."""
    names = [path.name for path in (ROOT / "templates" / "reminders" / "email").iterdir()]
    assert names
    assert not pages.missing_email_parts(names)


def test_plain_text_is_not_escaped():
    texts = [path for folder in EMAILS for path in sorted(folder.glob("*.txt"))]
    assert texts
    assert not [at(path) for path in texts if pages.escapes_plain_text(path.read_text())]


# -- Documents --------------------------------------------------------------------------------


def environment_names() -> set[str]:
    """`env.py` is where the helpers live; everything that calls them counts."""
    return set().union(
        *(code.environment_names(path.read_text()) for path in python_files(*APPS, "config"))
    ) - {"name"}


def test_every_environment_variable_has_its_example_and_its_sentence():
    names = environment_names()
    assert "SECRET_KEY" in names
    example = (ROOT / ".env.example").read_text()
    assert not [name for name in sorted(names) if not re.search(rf"(?m)^#? ?{name}=", example)]
    assert not words.undocumented(names, (DOCS / "settings.md").read_text())


def test_no_document_promises_a_variable_that_nothing_reads():
    table = re.findall(r"(?m)^\| `([A-Z_]+)` \|", (DOCS / "settings.md").read_text())
    assert set(table) == environment_names()


def test_every_command_is_in_the_documents():
    commands = {
        path.stem
        for path in python_files(*APPS)
        if "/management/commands/" in at(path) and path.stem != "__init__"
    }
    listing = re.search(
        r"^VERBS = (\{.*?^\})", (ROOT / "dev").read_text(), re.DOTALL | re.MULTILINE
    )
    assert listing
    verbs = {f"./dev {verb}" for verb in ast.literal_eval(listing.group(1))}
    assert not words.undocumented(commands | verbs, (DOCS / "commands.md").read_text())


def test_every_page_is_in_the_documents():
    """With its address and who gets it, as tests/routes.toml has it."""
    text = (DOCS / "pages.md").read_text()
    wanted = dict(page_rows())
    assert wanted
    assert not [line for line in wanted.values() if line not in text]
    assert set(re.findall(r"(?m)^\| `(\w+:[\w-]+)`", text)) == set(wanted)


def test_every_table_is_in_the_glossary():
    tables = {model.__name__ for app in APPS for model in apps.get_app_config(app).get_models()}
    known, _ = words.glossary((DOCS / "glossary.md").read_text())
    assert not {table for table in tables if table not in known}


def test_no_name_uses_a_word_the_glossary_avoids():
    _, avoided = words.glossary((DOCS / "glossary.md").read_text())
    assert avoided
    assert not in_files(
        python_files(*APPS), lambda text: words.avoided_names(code.identifiers(text), avoided)
    )


def test_every_decision_is_one_page_of_four_parts():
    numbered = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    assert [int(path.name[:4]) for path in numbered] == list(range(1, len(numbered) + 1))
    assert not in_files(numbered, words.decision_faults)


def test_every_requirement_has_its_line():
    lines = [
        line
        for name in ("requirements.in", "requirements-demo.in", "requirements-dev.in")
        for line in (ROOT / name).read_text().splitlines()
    ]
    names = {re.split(r"[\[<>=]", line)[0] for line in lines if line and not line.startswith("-")}
    assert not words.undocumented(names, (DOCS / "decisions" / "dependencies.md").read_text())


def test_nothing_speaks_of_the_place_where_it_was_written():
    guard = ROOT / "tests" / "test_guards.py"  # its bad samples are bad on purpose
    paths = [path for path in every_text() if path != guard]
    assert not in_files(paths, words.traces)


def test_every_path_named_leads_somewhere_inside():
    paths = [path for path in every_text() if "tests" not in path.parts]  # tests try bad paths
    assert not offenders(
        {at(path): words.dead_paths(path.read_text(encoding="utf-8"), path) for path in paths}
    )


def test_no_lock_file_names_a_host():
    assert not in_files(ROOT.glob("requirements*"), words.locked_hosts)


def test_the_packages_are_the_ones_the_architecture_page_names():
    page = (DOCS / "architecture.md").read_text()
    assert not [package for package in PACKAGES if f"{package}/" not in page]


def test_the_tables_of_instruments_and_protocols_say_what_the_catalogue_says():
    """On failure, put the printed lines in place of the old ones."""
    texts = {name: (DOCS / f"{name}.md").read_text() for name in ("instruments", "protocols")}
    tables = {
        "instruments": [
            facts.instrument_rows(),
            facts.scale_rows(),
            facts.language_rows(),
            facts.licence_rows(),
        ],
        "protocols": [facts.step_rows(protocol) for protocol in facts.all_protocols()],
    }
    for name, wanted in tables.items():
        for rows in wanted:
            table = "|---|\n" + "\n".join(rows) + "\n\n"
            assert table in texts[name], f"docs/{name}.md lacks:\n{table}"
