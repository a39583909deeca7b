"""What reaches the log: never a name, an address, an answer or the secret of a link, not even out
of an exception."""

import io
import json
import logging
import re
import time
from collections.abc import Iterator
from smtplib import SMTPDataError

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError
from django.test import Client
from structlog.contextvars import bound_contextvars

from config.celery import app
from config.logs import Redact, formatter, redacted, said
from devtools.stack import Stack
from reminders.tasks import drain_events
from tests.hostile import PIECES, SAID, TOKEN, Refused, fail, failing_task

STYLES = ["json", "text"]


@pytest.fixture(params=STYLES)
def log(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """All that a production server would write, from every logger."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(formatter(style=request.param))
    handler.addFilter(Redact())
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)


def found(text: str) -> list[str]:
    return [piece for piece in PIECES if piece in text]


def test_the_sample_is_hostile():
    assert len(found(SAID)) >= 7


@pytest.mark.parametrize(
    "path",
    [
        "/s/SECRET/",
        "/s/SECRET/help/",
        "/u/SECRET/",
        "/accounts/invitation/SECRET/SECRET/",
        "/accounts/password/reset/key/SECRET-SECRET/",
        "/patients/?q=SECRET&SECRET",
        "Authorization: Bearer SECRET",
        "Authorization: Basic SECRET",
        "token " + "SECRETSECRET" * 3 + "SECRET1",
    ],
)
def test_the_secret_of_a_link_is_cut_out(path):
    assert "SECRET" not in redacted(f"Internal Server Error: {path}")


@pytest.mark.parametrize("said", ["reminders.tasks.tick[6a1f0f3e-4bd5-4a41-9b0e-1c1f9f7a6f10]",
                                  "lane smtp is shut: no answer", "a" * 44])  # fmt: skip
def test_what_is_harmless_stays(said):
    assert redacted(said) == said


def test_nobody_forges_a_second_line():
    assert redacted("Not Found: /x\n2026-03-03 [error] all is lost\u2028") == (
        "Not Found: /x 2026-03-03 [error] all is lost "
    )


def test_a_traceback_says_what_and_where_and_not_whom(log):
    try:
        fail()
    except Refused as error:
        logging.getLogger("ours").exception("failed: %s", error)
        logging.getLogger("ours").error(f"failed: {error} or {error!r}")
        logging.getLogger("ours").error("failed: %r", SAID, exc_info=True)
    written = log.getvalue()
    assert "Refused" in written
    assert "IntegrityError" in written, "what led to it"
    assert "tests/hostile.py" in written
    assert "in fail" in written
    assert found(written) == []


def test_a_page_that_fails_writes_nothing_of_it(log, settings, client):
    settings.ROOT_URLCONF = "tests.hostile"
    client.raise_request_exception = False
    response = client.get(f"/s/{TOKEN}/?answer=9=2")
    assert response.status_code == 500
    written = log.getvalue()
    assert "Internal Server Error" in written
    assert "in failing_page" in written
    assert found(written) == []
    assert response.headers["X-Request-ID"] in written


def test_a_request_keeps_its_own_number(client: Client):
    hostile = "Ana-Pena"
    first = client.get("/health/live", headers={"X-Request-ID": hostile})
    second = client.get("/health/live")
    numbers = {response.headers["X-Request-ID"] for response in (first, second)}
    assert len(numbers) == 2
    assert all(re.fullmatch(r"[0-9a-f]{16}", number) for number in numbers)


def test_a_task_that_fails_writes_nothing_of_it(log):
    result = failing_task.apply(throw=False)
    written = log.getvalue()
    assert "tests.hostile.failing_task" in written
    assert "Refused" in written
    assert "in failing_task" in written
    assert result.id in written
    assert found(written) == []


@pytest.mark.django_db
def test_a_task_names_itself_in_the_lines_it_writes(log):
    failing_task.apply(throw=False)
    drain_events.apply()
    logging.getLogger("ours").warning("afterwards")
    assert "task_id" in log.getvalue()
    assert "task_id" not in log.getvalue().splitlines()[-1]


def test_what_is_bound_stands_in_the_line(log):
    with bound_contextvars(request_id="f00d"):
        logging.getLogger("ours").warning("inside")
    assert "f00d" in log.getvalue()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Refused(SAID), "Refused"),
        (OSError(f"refused: {SAID}"), "OSError"),
        (SMTPDataError(550, SAID), "SMTPDataError"),
        (ConnectionRefusedError(111, SAID), "ConnectionRefusedError: Connection refused"),
        (OperationalError("database is locked"), "OperationalError: database is locked"),
        (OperationalError(f"first\n{SAID}"), "OperationalError: first"),
        (ImproperlyConfigured("X must be set"), "ImproperlyConfigured: X must be set"),
    ],
)
def test_only_connections_and_settings_speak_for_themselves(error, expected):
    assert said(error) == expected


@pytest.mark.processes
@pytest.mark.parametrize("style", STYLES)
def test_a_worker_writes_every_line_as_the_service_does(service_env, redis_server, tmp_path, style):
    env = {**service_env, "LOG_FORMAT": style}
    worker = Stack(env, tmp_path).worker(concurrency=1)
    worker.command = [*worker.command, "--include", "tests.hostile"]
    worker.start_until(lambda: " ready." in worker.written(), 60)
    try:
        with app.connection_for_write(redis_server.broker_url) as connection:
            failing_task.apply_async(connection=connection)
        deadline = time.monotonic() + 20
        while "raised unexpected" not in worker.written() and time.monotonic() < deadline:
            time.sleep(0.1)
        written = worker.written()  # before Celery says good-bye in its own way
    finally:
        worker.stop()
    assert "raised unexpected" in written
    assert "in failing_task" in written
    assert found(written) == []
    if style == "json":
        lines = [line for line in written.splitlines() if line.startswith("{")]
        failed = next(json.loads(line) for line in lines if "raised unexpected" in line)
        assert failed["task_id"] in failed["event"]
        after_banner = written[written.index("\n{") :].strip().splitlines()
        assert [line for line in after_banner if not line.startswith("{")] == []
