"""Which files there are."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = ("clinic", "surveys", "reminders", "dashboards")
PACKAGES = (*APPS, "config", "devtools")
TEXT = {".cfg", ".css", ".html", ".in", ".js", ".json", ".md", ".po", ".py", ".toml", ".txt", ""}


def python_files(*folders: str) -> Iterator[Path]:
    """Our own code: without migrations, which are generated."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def product_files() -> list[Path]:
    return [*python_files(*PACKAGES), ROOT / "manage.py", ROOT / "dev"]


def templates() -> list[Path]:
    folders = [ROOT / "templates", *(ROOT / app / "templates" for app in APPS)]
    return [path for folder in folders for path in sorted(folder.rglob("*.html"))]


def static_files(suffix: str) -> list[Path]:
    return [path for app in APPS for path in sorted((ROOT / app / "static").rglob(f"*{suffix}"))]


def every_text() -> list[Path]:
    """All that a reader of the repository can read, committed or about to be."""
    listed = _listed_by_git()
    if not listed:  # an unpacked archive, or a machine without git
        return [*product_files(), *templates(), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")]
    paths = [ROOT / line for line in listed]
    return [path for path in paths if path.suffix in TEXT and path.is_file()]


def _listed_by_git() -> list[str]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.splitlines()
    except FileNotFoundError:
        return []


def at(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
