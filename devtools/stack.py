"""Afterglow's own processes, as in production: web server, Celery worker, Celery beat."""

import http.client
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from devtools.processes import Child, machine_environment


class Broker(Protocol):
    @property
    def broker_url(self) -> str: ...

    @property
    def cache_url(self) -> str: ...


class MailServer(Protocol):
    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...


def environment(
    secrets: Mapping[str, str], *, database: str, redis: Broker, mail: MailServer, site: str
) -> dict[str, str]:
    """Every setting a process of ours needs, and none from the caller's shell."""
    return {
        **machine_environment(),
        **secrets,
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": database,
        "REDIS_URL": redis.broker_url,
        "CACHE_URL": redis.cache_url,
        "EMAIL_HOST": mail.host,
        "EMAIL_PORT": str(mail.port),
        "MAIL_FROM": "updates@afterglow.example",
        "MAIL_MODE": "send",
        "SITE_ROOT": site,
        "LOG_FORMAT": "text",
        # Compressing every static file takes a quarter of a minute; production does it once.
        "STATICFILES_STORAGE": "django.contrib.staticfiles.storage.StaticFilesStorage",
        "STATIC_FROM_FINDERS": "True",
    }


@dataclass(frozen=True)
class Stack:
    """Knows the commands and how each process says that it is ready."""

    env: Mapping[str, str]
    logs: Path

    def web(self, port: int, *, workers: int = 2) -> Child:
        command = [*_module("gunicorn"), "config.wsgi:application", "--bind", f"127.0.0.1:{port}"]
        command += ["--worker-class", "gthread", "--workers", str(workers), "--threads", "4"]
        # No control socket in the user's home, and no access log: paths hold patients' links.
        command += ["--no-control-socket", "--log-level", "warning"]
        return self._child("web", command)

    def worker(self, name: str = "worker", *, concurrency: int = 2) -> Child:
        command = [*_celery("worker"), "--hostname", f"{name}@afterglow", "--loglevel", "info"]
        command += ["--concurrency", str(concurrency)]
        return self._child(name, command)

    def beat(self, name: str = "beat") -> Child:
        command = [*_celery("beat"), "--schedule", str(self.logs / f"{name}-schedule")]
        return self._child(name, [*command, "--pidfile", "", "--loglevel", "info"])

    def start_web(self, port: int, *, workers: int = 2) -> Child:
        child = self.web(port, workers=workers)
        child.start_until(lambda: page_status(port, "/accounts/login/") == 200, 60)
        return child

    def start_worker(self, name: str = "worker", *, concurrency: int = 2) -> Child:
        child = self.worker(name, concurrency=concurrency)
        child.start_until(lambda: " ready." in child.written(), 60)
        return child

    def start_beat(self) -> Child:
        child = self.beat()
        child.start_until(lambda: "beat: Starting..." in child.written(), 60)
        return child

    def _child(self, name: str, command: list[str]) -> Child:
        return Child(name, command, self.env, self.logs / f"{name}.log")


def page_status(port: int, path: str) -> int:
    """The HTTP status of one page, 0 while nobody answers."""
    connection = http.client.HTTPConnection("localhost", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def _module(name: str) -> list[str]:
    return [sys.executable, "-m", name]


def _celery(role: str) -> list[str]:
    return [*_module("celery"), "--app", "config.celery", role]
