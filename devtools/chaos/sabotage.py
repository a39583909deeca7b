"""Take one safeguard away, in a copy of the tree, and see that the storm notices."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from devtools.processes import ROOT, StartFailed, machine_environment, tether

NAMES = ("claim", "intent", "gate", "lease", "circuit")
PATCHES = ROOT / "tests" / "sabotage"


def run(name: str, seed: int, minutes: float, database: str | None) -> int:
    """The same storm in a patched copy. Its exit status: 1 is what it should be."""
    folder = Path(tempfile.mkdtemp(prefix="ag-sabotage-"))
    try:
        copy_tree(folder)
        apply(name, folder)
        print(f"Without the safeguard {name!r}:", flush=True)
        command = [sys.executable, "-m", "devtools", "chaos", "--seed", str(seed)]
        command += ["--minutes", str(minutes)]
        command += ["--database", database] if database else []
        return _wait(command, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def copy_tree(folder: Path) -> None:
    """Everything that git keeps or would keep."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode != 0:
        raise StartFailed(f"git could not list the tree.\n{listed.stderr}")
    for name in filter(None, listed.stdout.split("\0")):
        source, target = ROOT / name, folder / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    (folder / "var" / "static").mkdir(parents=True)


def apply(name: str, folder: Path) -> None:
    patch = PATCHES / f"{name}.patch"
    done = subprocess.run(
        ["git", "apply", str(patch)],
        cwd=folder,
        env={**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parent)},
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise StartFailed(f"{patch.name} does not apply any more.\n{done.stderr}")


def _wait(command: list[str], folder: Path) -> int:
    env = {**machine_environment(), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, cwd=folder, env=env, preexec_fn=tether()) as child:
        try:
            return child.wait()
        except KeyboardInterrupt:
            child.terminate()  # it stops everything it has started
            child.wait()
            raise
