"""`./dev check`: everything that can be known about the code without running its tests."""

import secrets
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from devtools.processes import ROOT, machine_environment

BIN = Path(sys.executable).parent
MANAGE = [sys.executable, str(ROOT / "manage.py")]
CODE = ["clinic", "surveys", "reminders", "dashboards", "config", "devtools", "dev"]


@dataclass(frozen=True)
class Step:
    name: str
    command: Sequence[str]
    env: Mapping[str, str]


@dataclass(frozen=True)
class Outcome:
    step: Step
    passed: bool
    output: str
    seconds: float


def main(arguments: list[str]) -> int:
    if arguments:
        print("./dev check takes no arguments", file=sys.stderr)
        return 2
    with ThreadPoolExecutor(2) as two_cores:
        outcomes = list(two_cores.map(_run, steps()))
    for outcome in outcomes:
        _report(outcome)
    return 0 if all(outcome.passed for outcome in outcomes) else 1


def steps() -> list[Step]:
    """Slowest first, because two run at a time."""
    plain, production = machine_environment(), {**machine_environment(), **production_like()}
    settings_check = [*MANAGE, "check", "--deploy", "--fail-level", "WARNING"]
    migrations = [*MANAGE, "makemigrations", "--check", "--dry-run"]
    return [
        Step("types (mypy --strict)", [_tool("mypy"), *CODE], plain),
        Step("import direction", [_tool("lint-imports")], plain),
        Step("settings, catalogues (manage.py check --deploy)", settings_check, production),
        Step("migrations", migrations, production),
        Step("lint", [_tool("ruff"), "check", "--quiet", ".", "dev"], plain),
        Step("format", [_tool("ruff"), "format", "--check", "--quiet", ".", "dev"], plain),
        Step("templates", [_tool("djhtml"), "--check", "--tabwidth", "2", "templates"], plain),
        Step("translations", [sys.executable, "-m", "devtools", "messages", "--check"], plain),
    ]


def production_like() -> dict[str, str]:
    """What a clinic's server sets, with keys of this moment."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(60),
        "FIELD_KEYS": f"k1:{secrets.token_hex(32)}",
        "LINK_KEYS": f"k1:{secrets.token_hex(32)}",
        "INDEX_KEY": f"k1:{secrets.token_hex(32)}",
        "SITE_ROOT": "https://followup.clinic.example",
        "ALLOWED_HOSTS": "followup.clinic.example",
        "DATABASE_URL": "sqlite://:memory:",
        "EMAIL_BACKEND": "anymail.backends.postmark.EmailBackend",
        "ANYMAIL_SETTINGS": '{"POSTMARK_SERVER_TOKEN": "not-a-token"}',
        "ANYMAIL_WEBHOOK_SECRET": f"afterglow:{secrets.token_urlsafe(20)}",
        "MAIL_FROM": "updates@clinic.example",
        "MAIL_MODE": "send",
    }


def _tool(name: str) -> str:
    return str(BIN / name)


def _run(step: Step) -> Outcome:
    began = time.monotonic()
    ran = subprocess.run(
        list(step.command), env=dict(step.env), cwd=ROOT, capture_output=True, text=True
    )
    seconds = time.monotonic() - began
    return Outcome(step, ran.returncode == 0, ran.stdout + ran.stderr, seconds)


def _report(outcome: Outcome) -> None:
    word = "ok    " if outcome.passed else "FAILED"
    print(f"{word} {outcome.step.name}  {outcome.seconds:.1f} s", flush=True)
    if not outcome.passed:
        print(outcome.output.strip() or "(no output)", end="\n\n", flush=True)
