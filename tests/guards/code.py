"""Rules about Python, read from its syntax tree."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

Def = ast.FunctionDef | ast.AsyncFunctionDef
CLOCKS = {
    "timezone.now",
    "timezone.localdate",
    "timezone.localtime",
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "time.time",
}
DEPLOY_SIGNALS = {"post_migrate", "pre_migrate"}  # about the schema, not about a row
CLASS_VIEWS = {"View", "TemplateView", "ListView", "DetailView", "FormView", "CreateView"}


@dataclass(frozen=True)
class Function:
    name: str
    line: int
    length: int  # lines, without the docstring
    typed: bool  # says what it returns


def functions(source: str) -> list[Function]:
    return [
        Function(node.name, node.lineno, _length(node), node.returns is not None)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, Def)
    ]


def inner_imports(source: str) -> list[str]:
    """Imports inside functions: most hide a cycle."""
    return [
        f"{function.name}:{node.lineno}"
        for function in ast.walk(ast.parse(source))
        if isinstance(function, Def)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]


def clock_reads(source: str) -> list[str]:
    """Reading the clock, or handing it on to be read (`default=timezone.now`)."""
    return [
        f"{dotted}:{node.lineno}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute) and (dotted := _dotted(node)) in CLOCKS
    ]


def environment_reads(source: str) -> list[str]:
    tree = ast.walk(ast.parse(source))
    names = (_dotted(node) for node in tree if isinstance(node, ast.Attribute))
    return [name for name in names if name in {"os.environ", "os.getenv"}]


def environment_names(source: str) -> set[str]:
    """What `env_str("NAME", …)` and its siblings ask for, and `environ.Env().json("NAME")`."""
    return {
        node.args[0].value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and re.fullmatch(r"env_\w+|environ\.Env\(\)\.\w+", ast.unparse(node.func))
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def save_overrides(source: str) -> list[str]:
    return [
        f"{owner.name}.{node.name}"
        for owner in ast.walk(ast.parse(source))
        if isinstance(owner, ast.ClassDef)
        for node in owner.body
        if isinstance(node, Def) and node.name in {"save", "delete"}
    ]


def model_signals(source: str) -> list[str]:
    return [
        alias.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and node.module == "django.db.models.signals"
        for alias in node.names
        if alias.name not in DEPLOY_SIGNALS
    ]


def class_views(source: str) -> list[str]:
    return [
        node.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ClassDef)
        and any(_dotted(base).rpartition(".")[2] in CLASS_VIEWS for base in node.bases)
    ]


def tasks_keeping_results(source: str) -> list[str]:
    """Tasks whose decorator does not say `ignore_result=True`; a misspelt option counts as none."""
    return [
        node.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, Def)
        for decorator in node.decorator_list
        if _is_task(decorator) and not _ignores_result(decorator)
    ]


def far_future_tasks(source: str) -> list[str]:
    """`eta` and `countdown`: schedules that live in the queue, where nobody can read them."""
    return [
        f"{keyword.arg}:{node.lineno}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg in {"eta", "countdown"}
    ]


def identifiers(source: str) -> Iterator[str]:
    """Every name this file gives to something."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, Def | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _length(node: Def) -> int:
    assert node.end_lineno is not None
    whole = node.end_lineno - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node, clean=False) is None or first.end_lineno is None:
        return whole
    return whole - (first.end_lineno - first.lineno + 1)


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _is_task(decorator: ast.expr) -> bool:
    name = decorator.func if isinstance(decorator, ast.Call) else decorator
    return _dotted(name) in {"shared_task", "celery.shared_task", "app.task"}


def _ignores_result(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and any(
        keyword.arg == "ignore_result"
        and isinstance(keyword.value, ast.Constant)
        and keyword.value.value is True
        for keyword in decorator.keywords
    )
