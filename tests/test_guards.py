"""Each guard sees a bad sample, and lets a good one pass."""

from pathlib import Path

import pytest

from tests.guards import code, pages, words

PAGE = Path(__file__).parent / "page.md"
LONG = "def verb() -> int:\n" + "    x = 1\n" * 40 + "    return x\n"
DOCUMENTED = 'def verb() -> int:\n    """Why.\n' + "    more\n" * 40 + '    """\n    return 1\n'


def test_a_function_is_measured_without_its_docstring():
    assert [f.length for f in code.functions(LONG)] == [42]
    assert [f.length for f in code.functions(DOCUMENTED)] == [2]


def test_a_function_without_a_return_type_is_seen():
    assert [f.typed for f in code.functions("def a(): pass\nasync def b() -> None: pass")] == [
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("guard", "bad", "good"),
    [
        pytest.param(
            code.inner_imports,
            "def f() -> None:\n    from clinic import models\n",
            "from clinic import models\n",
            id="an import inside a function",
        ),
        pytest.param(code.clock_reads, "seen = timezone.now()", "seen = now", id="the clock read"),
        pytest.param(
            code.clock_reads,
            "at = models.DateTimeField(default=timezone.now)",
            "at = models.DateTimeField()",
            id="the clock handed on",
        ),
        pytest.param(
            code.environment_reads,
            "import os\nos.environ['X']",
            "env_str('X')",
            id="the environment read by hand",
        ),
        pytest.param(
            code.save_overrides,
            "class A(Model):\n    def save(self) -> None: ...",
            "class A(Model):\n    def total(self) -> int: ...",
            id="a save override",
        ),
        pytest.param(
            code.model_signals,
            "from django.db.models.signals import post_save",
            "from django.db.models.signals import post_migrate",
            id="a model signal",
        ),
        pytest.param(
            code.class_views,
            "class Page(generic.TemplateView): ...",
            "class Page(Form): ...",
            id="a class-based view",
        ),
        pytest.param(
            code.tasks_keeping_results,
            "@shared_task\ndef tick() -> None: ...",
            "@shared_task(ignore_result=True)\ndef tick() -> None: ...",
            id="a bare task",
        ),
        pytest.param(
            code.tasks_keeping_results,
            "@shared_task(ignore_results=True)\ndef tick() -> None: ...",
            "@shared_task(ignore_result=True, expires=5)\ndef tick() -> None: ...",
            id="a misspelt option",
        ),
        pytest.param(
            code.far_future_tasks,
            "send.apply_async(countdown=60)",
            "send.apply_async(expires=60)",
            id="a countdown",
        ),
        pytest.param(
            pages.writes,
            ["INSERT INTO t VALUES (1)"],
            ["SELECT 1", "SAVEPOINT a", "RELEASE SAVEPOINT a"],
            id="a write",
        ),
        pytest.param(pages.writes, ["SELECT 1 FROM t FOR UPDATE"], ["(SELECT 1)"], id="a lock"),
        pytest.param(
            pages.foreign_hosts,
            '<script src="https://cdn.example/x.js"></script>',
            '<a href="https://example.org">read</a><script src="/static/x.js"></script>',
            id="a foreign script",
        ),
        pytest.param(
            pages.foreign_hosts,
            '<link rel="stylesheet" href="//fonts.example/a.css">',
            '<link rel="stylesheet" href="{% static \'a.css\' %}">',
            id="a foreign stylesheet without scheme",
        ),
        pytest.param(
            pages.foreign_hosts,
            "@import url('https://fonts.example/a.css');",
            "@import 'tokens.css';",
            id="a foreign import in a stylesheet",
        ),
        pytest.param(
            pages.foreign_hosts,
            'fetch("https://api.example/")',
            'fetch("/here/")',
            id="a foreign fetch",
        ),
        pytest.param(
            pages.inline_code,
            '<p style="color:red">',
            '<p class="style" data-style="a">',
            id="an inline style",
        ),
        pytest.param(
            pages.inline_code,
            '<button type="submit" onclick="go()">',
            '<button type="submit" name="on">',
            id="an inline handler",
        ),
        pytest.param(
            pages.inline_code,
            "<script>go()</script>",
            '<script src="a.js" defer></script><script id="x" type="application/json">{}</script>',
            id="an inline script",
        ),
        pytest.param(
            pages.inline_code, "<style>p{}</style>", "<link rel=stylesheet>", id="a style element"
        ),
        pytest.param(
            pages.missing_email_parts,
            ["notice.txt", "notice.html"],
            ["notice-subject.txt", "notice.txt", "notice.html", "_footer.html", "base.html"],
            id="a mail without a subject",
        ),
        pytest.param(
            pages.escapes_plain_text,
            "Hello {{ name }}",
            "{% autoescape off %}Hello {{ name }}{% endautoescape %}",
            id="escaping in a plain text",
        ),
        pytest.param(
            words.traces, "see /home/ada/notes.md", "see https://a.example/home/x", id="a home path"
        ),
        pytest.param(words.traces, "as issue 12 asks", "an issue of trust", id="a ticket"),
        pytest.param(
            words.traces,
            "http://10.1.2.3/simple",
            "http://127.0.0.1:8000/ and https://doi.org/10.1/x",
            id="an inner address",
        ),
        pytest.param(
            words.traces,
            "https://wheels.corp/simple",
            "https://www.apache.org/licenses/",
            id="an inner name",
        ),
        pytest.param(
            words.locked_hosts,
            "--index-url https://packages.example/simple\nattrs==1",
            "attrs==1 \\\n    --hash=sha256:00",
            id="a host in a lock file",
        ),
        pytest.param(
            words.decision_faults,
            "# 1\n## Context\n## Decision\n## Consequences\n",
            "# 1\n## Context\n## Decision\n## Consequences\n## Alternatives\n",
            id="a decision without alternatives",
        ),
        pytest.param(
            words.decision_faults,
            "\n".join([*words.DECISION_PARTS, "word " * words.PAGE_WORDS]),
            "\n".join(words.DECISION_PARTS),
            id="a decision longer than a page",
        ),
    ],
)
def test_the_guard_sees_it(guard, bad, good):
    assert guard(bad)
    assert not guard(good)


def test_a_path_out_of_the_tree_or_to_nothing_is_seen():
    assert words.dead_paths("see ../nowhere/notes.md", PAGE) == ["../nowhere/notes.md"]
    assert words.dead_paths("[a](guards/tree.md)", PAGE) == ["guards/tree.md"]
    assert words.dead_paths("[a](guards/tree.py) and ../tests/guards", PAGE) == []


def test_a_second_place_that_draws_charts_is_seen():
    assert pages.chart_calls("Plotly.newPlot(a); Plotly.react(a)") == 2
    assert pages.chart_calls("// drawn elsewhere") == 0


def test_an_undocumented_name_is_seen():
    assert words.undocumented(["score", "dry_run"], "`score` scores") == ["dry_run"]


def test_environment_names_are_found_in_every_helper():
    source = 'A = env_str("ONE")\nB = env_keys("TWO", None)\nC = other("NO")'
    source += '\nD = environ.Env().json("THREE", default={})'
    assert code.environment_names(source) == {"ONE", "TWO", "THREE"}


def test_the_glossary_knows_its_words_and_what_to_avoid():
    table = (
        "| **Response** | answers | submission |\n| **FollowUp** | one day | (Django's) session |"
    )
    assert words.glossary(table) == ({"Response", "FollowUp"}, {"submission", "session"})


def test_an_avoided_word_in_a_name_is_seen():
    assert words.avoided_names(
        ["submission_count", "EpisodeForm", "commission"], ["submission"]
    ) == ["submission_count"]
    assert words.avoided_names(["open_episodes"], ["Episode"]) == ["open_episodes"]
