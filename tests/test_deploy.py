"""docs/deploy.md is what we do: its `bash` blocks run as they stand there, in a folder of their
own, against a real PostgreSQL and Redis; what the units start is started; the other files are
checked by the programs they are for, where those are installed."""

import configparser
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from django.core.mail import get_connection
from django.urls import reverse

from devtools.processes import Child, free_port, machine_environment
from devtools.servers import valkey
from devtools.servers.postgres import Postgres
from tests.guards.tree import ROOT

DEPLOY = ROOT / "deploy"
TEXT = (ROOT / "docs" / "deploy.md").read_text()
BASH = re.findall(r"^```bash\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
PLACES = {"/opt/afterglow": "opt", "/etc/afterglow": "etc", "/var/lib/afterglow": "lib"}
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "var", "__pycache__", ".*_cache", "tests")


@dataclass
class Host:
    """A machine's folders under one of ours."""

    root: Path
    env: dict[str, str]

    def here(self, text: str) -> str:
        for path, folder in PLACES.items():
            text = text.replace(path, str(self.root / folder))
        return text

    def bash(self, script: str) -> "subprocess.CompletedProcess[str]":
        command = ["bash", "-euo", "pipefail", "-c", self.here(script)]
        return subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=120)

    def release(self, version: str) -> None:
        tree = self.root / "opt" / "releases" / version
        shutil.copytree(ROOT, tree, ignore=LEFT_OUT)
        (tree / ".venv").symlink_to(sys.prefix)
        script = tree / "deploy" / "afterglow"
        script.write_text(self.here(script.read_text()))

    def starts(self, unit: str, change: str = "") -> Child:
        """What systemd would run, with the environment file that it would read."""
        line = exec_start(DEPLOY / "systemd" / unit).replace("%i", "1").replace("%%", "%")
        script = f"set -a; . /etc/afterglow/env\n{change}\ncd /opt/afterglow/current; exec {line}"
        command = ["bash", "-euc", self.here(script)]
        return Child(unit, command, self.env, self.root / f"{unit}.log", self.root)

    def doctor(self) -> dict[str, str]:
        asked = self.bash("/opt/afterglow/bin/afterglow doctor --json || true")
        return {line["check"]: line["state"] for line in json.loads(asked.stdout)["checks"]}


def exec_start(unit: Path) -> str:
    parsed = configparser.RawConfigParser(strict=False)
    parsed.optionxform = str  # type: ignore[method-assign, assignment]
    parsed.read_string(unit.read_text())
    return parsed["Service"]["ExecStart"]


class Reachable(Postgres):
    """On a port of its own too, for an address as the document writes it."""

    def __init__(self) -> None:
        super().__init__(durable=True)
        self.port = free_port()
        self.child.command = [*self.child.command, "-h", "127.0.0.1", "-p", str(self.port)]

    def connect(self, database: str = "postgres") -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(host="127.0.0.1", port=self.port, user="postgres", dbname=database)


@pytest.fixture(scope="module")
def postgres() -> Iterator[Reachable]:
    server = Reachable()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def host(postgres, redis_server, tmp_path_factory) -> Host:
    """As root leaves it before the first `bash` block."""
    root = tmp_path_factory.mktemp("host")
    for folder in ("etc", "lib", "opt/bin", "opt/releases", "backups"):
        (root / folder).mkdir(parents=True)
    env = machine_environment()
    env["PATH"] = f"{Path(sys.executable).parent}:{postgres.binaries}:{env['PATH']}"
    env |= {"PGHOST": "127.0.0.1", "PGPORT": str(postgres.port), "PGUSER": "postgres"}
    env["BACKUPS"] = str(root / "backups")
    made = Host(root, env)
    for version in ("1.0", "1.1"):
        made.release(version)
    return made


EDITS = {
    "STATICFILES_STORAGE": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage",
    "TICK_SECONDS": "1",
}


def edited(host: Host, port: int, redis_url: str) -> None:
    """What the document asks a person to edit; the site is not compressed, to save the time."""
    file = host.root / "etc" / "env"
    address = f"postgres://afterglow@127.0.0.1:{port}/afterglow"
    values = {"DATABASE_URL": address, "REDIS_URL": f"'{redis_url}'", **EDITS}
    kept = [line for line in file.read_text().splitlines() if line.partition("=")[0] not in values]
    file.write_text("\n".join([*kept, *(f"{name}={value}" for name, value in values.items()), ""]))


@pytest.fixture(scope="module")
def deployed(host, postgres, redis_server) -> Host:
    """Every `bash` block, in its order."""
    for block in BASH:
        if "pip install" in block:
            continue  # asked of the environment we run in, below
        ran = host.bash(block)
        assert ran.returncode == 0, f"{block}\n{ran.stdout}{ran.stderr}"
        if "new_env.py" in block:
            edited(host, postgres.port, redis_server.broker_url)
    return host


@pytest.mark.processes
def test_every_block_that_says_so_runs(deployed):
    assert len(BASH) >= 10
    assert (deployed.root / "backups" / "afterglow.dump").stat().st_size > 10_000
    assert (deployed.root / "opt" / "current").resolve().name == "1.0", "rolled back at the end"


@pytest.mark.processes
def test_the_lock_is_what_this_environment_was_made_from():
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True).returncode:
        pytest.skip("no pip in this environment")
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-index", "--no-deps"]
    command += ["--require-hashes", "--requirement", str(ROOT / "requirements.txt")]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "Would install" not in ran.stdout


@pytest.mark.processes
def test_the_database_is_as_the_document_says(deployed, postgres):
    with postgres.connect("afterglow") as connection:
        options = dict(
            connection.execute(
                "SELECT relname, reloptions FROM pg_class WHERE reloptions IS NOT NULL"
            ).fetchall()
        )
        role = connection.execute("SELECT setconfig FROM pg_db_role_setting").fetchall()
    assert "autovacuum_vacuum_scale_factor=0.01" in options["reminders_message"]
    assert "synchronous_commit=on" in role[0][0]
    assert "statement_timeout=10s" in role[0][0]


def ask(port: int, path: str, **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"Host": "127.0.0.1", **headers})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Set-Cookie") or ""
    except OSError:
        return 0, ""
    finally:
        connection.close()


@pytest.mark.processes
def test_the_web_unit_serves_behind_a_proxy(deployed):
    port = free_port()
    web = deployed.starts("afterglow-web.service", f"WEB_BIND=127.0.0.1:{port}")
    web.start_until(lambda: ask(port, "/health/live")[0] == 200, 60)
    try:
        assert ask(port, "/accounts/login/")[0] == 301, "plain HTTP goes to HTTPS"
        through_tls = {"X-Forwarded-Proto": "https", "Host": "followup.clinic.example"}
        status, cookie = ask(port, "/accounts/login/", **through_tls)
        assert status == 200
        assert "__Host-csrf" in cookie
        assert ask(port, "/metrics")[0] == 401, "there, for who has the token"
        ask(port, "/s/Zk3v-Qx7LwT0bYpR2mNcH8dJfG5sUaEi9oVrKyXt1Bq/", **through_tls)
    finally:
        web.stop()
    assert "Zk3v" not in web.written()
    assert all(line.startswith("{") for line in web.written().splitlines()), web.written()


@pytest.mark.processes
def test_the_engines_units_start_and_then_the_doctor_is_content(deployed):
    ready = {
        "afterglow-send@.service": " ready.",
        "afterglow-ticks.service": " ready.",
        "afterglow-beat.service": "beat: Starting...",
    }
    running = []
    try:
        for unit, word in ready.items():
            child = deployed.starts(unit)
            running.append(child)
            child.start_until(lambda child=child, word=word: word in child.written(), 60)
        for _ in range(20):
            if (states := deployed.doctor())["tick"] == "ok":
                break
    finally:
        for child in reversed(running):
            child.stop()
    wrong = {check: state for check, state in states.items() if state != "ok"}
    assert wrong == {"mail_mode": "failed", "responders": "warning"}


@pytest.mark.processes
def test_the_engine_without_redis_starts_and_stops(deployed):
    engine = deployed.starts("afterglow-engine.service", "REDIS_URL=redis://127.0.0.1:1/0")
    engine.start_until(lambda: "engine is ready" in engine.written(), 60)
    try:
        for _ in range(20):
            if "redis" in (states := deployed.doctor()) and states["tick"] == "ok":
                break
        assert engine.alive
    finally:
        engine.stop(30)
    assert engine.process is not None
    assert engine.process.returncode == 0, engine.last_lines()


# -- The files themselves ---------------------------------------------------------------------


def test_every_variable_of_the_table_is_an_example_and_every_needed_one_is_in_it():
    table = set(re.findall(r"(?m)^\| `([A-Z_]+)` \|", TEXT))
    example = (ROOT / ".env.example").read_text()
    known = set(re.findall(r"(?m)^(?:# )?([A-Z_]+)=", example))
    needed = set(re.findall(r"(?m)^([A-Z_]+)=", example))
    assert table <= known
    assert needed <= table


def test_the_new_environment_has_keys_of_its_own_each_time():
    def made() -> str:
        command = [sys.executable, str(DEPLOY / "new_env.py"), "followup.clinic.example"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    first, second = made(), made()
    for name in ("SECRET_KEY", "FIELD_KEYS", "LINK_KEYS", "INDEX_KEY", "METRICS_TOKEN"):
        (one,), (other,) = (re.findall(rf"(?m)^{name}=(.+)$", text) for text in (first, second))
        assert len(one) >= 40
        assert one != other


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_each_unit_runs_as_nobody_in_particular_and_is_in_the_document(unit):
    text = unit.read_text()
    assert "User=afterglow" in text
    assert "NoNewPrivileges=true" in text
    assert unit.stem.rstrip("@") in TEXT
    assert exec_start(unit).startswith("/opt/afterglow/current/.venv/bin/")


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(start, id=unit)
        for unit, start in re.findall(r"(?m)^\| `(afterglow-[^`]+)` \| `([^`]+)` \|", TEXT)
    ],
)
def test_the_start_lines_of_the_document_are_those_of_the_units(start):
    assert [unit for unit in UNITS if start in exec_start(unit)]


def test_systemd_has_nothing_to_say(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    for unit in (DEPLOY / "systemd").iterdir():
        text = unit.read_text().replace("/opt/afterglow/current/.venv", sys.prefix)
        (tmp_path / unit.name).write_text(text)
    names = [str(path) for path in sorted(tmp_path.iterdir()) if "@" not in path.name]
    instance = tmp_path / "afterglow-send@1.service"
    shutil.copy(tmp_path / "afterglow-send@.service", instance)
    ran = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *names, str(instance)],
        capture_output=True,
        text=True,
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
    )
    ours = [line for line in ran.stderr.splitlines() if "afterglow" in line]
    assert ours == [], ran.stderr


def test_nginx_has_nothing_to_say(tmp_path):
    if not shutil.which("nginx"):
        pytest.skip("nginx is not installed")
    site = (DEPLOY / "nginx.conf").read_text()
    site = re.sub(r"(?m)^\s*(ssl_certificate\w*|include) .*$", "", site).replace("443 ssl", "8443")
    site = re.sub(r"/var/log/nginx", str(tmp_path), site.replace("listen 80", "listen 8080"))
    whole = f"pid {tmp_path}/pid; events {{}} http {{ {site} }}"
    (tmp_path / "nginx.conf").write_text(whole)
    ran = subprocess.run(
        ["nginx", "-t", "-c", str(tmp_path / "nginx.conf")], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr


def test_no_path_is_written_to_the_proxys_logs():
    nginx = (DEPLOY / "nginx.conf").read_text()
    (form,) = re.findall(r"log_format afterglow (.*?);", nginx, re.DOTALL)
    assert not re.search(r"\$(request|request_uri|uri|args|http_referer)\b", form)
    logs = re.findall(r"(?m)^\s*(access_log|error_log)\s+(.+);", nginx)
    assert len(logs) == 4
    assert all(to.endswith((" afterglow", " crit")) or to == "off" for _, to in logs)
    caddy = (DEPLOY / "Caddyfile").read_text()
    assert "exclude http.log.error" in caddy
    assert not re.search(r"(?m)^\tlog\b(?! default)", caddy)


@pytest.mark.processes
def test_redis_takes_its_file(tmp_path):
    port = str(free_port())
    command = [
        str(valkey.tests_binary()),
        str(DEPLOY / "redis.conf"),
        "--port",
        port,
        "--dir",
        str(tmp_path),
    ]
    server = Child("redis", command, machine_environment(), tmp_path / "log", tmp_path)
    server.start_until(lambda: "Ready to accept connections" in server.written(), 20)
    server.stop()


PROVIDERS = re.findall(
    r"(?m)^\| [\w ]+ \| `(anymail\.[\w.]+)` \| `({.*?})` \| `(/anymail/\w+/tracking/)`", TEXT
)


@pytest.mark.parametrize(("backend", "chosen", "webhook"), PROVIDERS, ids=lambda text: text[:30])
def test_each_provider_is_set_up_as_the_table_says(settings, backend, chosen, webhook):
    settings.ANYMAIL = json.loads(chosen)
    assert get_connection(backend).esp_name
    lane = backend.split(".")[-2]
    assert reverse(f"anymail:{lane}_tracking_webhook") == webhook


def test_four_providers_are_in_the_table():
    assert len(PROVIDERS) == 4
