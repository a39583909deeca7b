"""`./dev` brings up the environment with the standard library alone, wherever pip would look."""

import ast
import os
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PIP_SETTINGS = """
[global]
index-url = https://mirror.example/simple
extra-index-url =
    https://first.example/simple
    https://second.example/simple
cert = /etc/ssl/our-own.pem
[install]
find-links = /opt/wheels
"""


@pytest.fixture
def dev() -> ModuleType:
    loader = SourceFileLoader("dev", str(ROOT / "dev"))
    spec = spec_from_loader("dev", loader)
    assert spec is not None
    module = module_from_spec(spec)
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    loader.exec_module(module)
    sys.dont_write_bytecode = before
    return module


def test_it_imports_the_standard_library_alone():
    tree = ast.parse((ROOT / "dev").read_text())
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else names(node))
    }
    assert imported
    assert imported <= sys.stdlib_module_names


def names(node: ast.Import) -> list[str]:
    return [alias.name for alias in node.names]


def test_where_pip_was_told_to_look_is_handed_on_to_uv(dev, tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("PIP_")] + ["SSL_CERT_FILE"]:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "pip.conf").write_text(PIP_SETTINGS)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setenv("PIP_FIND_LINKS", "/other/wheels")
    settings = dev.pip_settings()
    options = dev.uv_options(settings)
    pairs = set(pairwise(options))
    assert ("--default-index", "https://mirror.example/simple") in pairs
    assert ("--extra-index-url", "https://first.example/simple") in pairs
    assert ("--extra-index-url", "https://second.example/simple") in pairs
    assert ("--find-links", "/other/wheels") in pairs  # the environment wins, as with pip
    assert "/opt/wheels" not in options
    assert dev.uv_environment(settings)["SSL_CERT_FILE"] == "/etc/ssl/our-own.pem"


def test_a_changed_lock_is_installed_again_and_a_demo_takes_nothing_away(dev, tmp_path):
    for name in {*dev.DEMO, *dev.EVERYTHING}:
        (tmp_path / name).write_text("six==1 --hash=sha256:00\n")
    dev.ROOT, dev.STAMP = tmp_path, tmp_path / "stamp.json"
    assert not dev.installed(dev.DEMO)
    dev.STAMP.write_text(dev.json.dumps({"state": dev.state(), "locks": dev.EVERYTHING}))
    assert dev.installed(dev.EVERYTHING)
    assert dev.installed(dev.DEMO)
    (tmp_path / "requirements.txt").write_text("six==2 --hash=sha256:00\n")
    assert not dev.installed(dev.DEMO)


def test_an_unknown_verb_is_refused_with_the_list_of_known_ones():
    ran = subprocess.run([ROOT / "dev", "tset"], capture_output=True, text=True)
    assert ran.returncode == 2
    assert "./dev knows no 'tset'" in ran.stdout
    assert "./dev test fast" in ran.stdout


def test_asked_for_help_it_complains_about_nothing():
    ran = subprocess.run([ROOT / "dev", "--help"], capture_output=True, text=True)
    assert ran.returncode == 0
    assert "./dev test fast" in ran.stdout
    assert "knows no" not in ran.stdout


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "SECRET_KEY must be set"),
        ({"SECRET_KEY_FILE": "/not/there"}, "SECRET_KEY_FILE='/not/there': No such file"),
        ({"DEBUG": "True", "DATABASE_URL": "mine:secret@host"}, "DATABASE_URL: use postgres://"),
    ],
)
def test_a_setting_that_is_wrong_is_named_in_one_line(given, said):
    command = [sys.executable, ROOT / "manage.py", "open_clinic", "North", "--zone", "UTC"]
    env = {"PATH": os.environ["PATH"], **given}
    ran = subprocess.run(command, capture_output=True, text=True, env=env)
    assert ran.returncode == 1
    assert ran.stderr.startswith(said)
    assert ran.stderr.count("\n") == 1
    assert "docs/settings.md" in ran.stderr
    assert "secret@" not in ran.stderr
