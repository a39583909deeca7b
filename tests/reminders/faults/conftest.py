"""A provider with a log of its own, our command beside it, and what heals afterwards."""

import json
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from devtools.processes import Child
from devtools.servers.emulator.dialects import TOKEN
from tests.reminders.emulated import Emulated

BACKENDS = {
    "postmark": "anymail.backends.postmark.EmailBackend",
    "resend": "anymail.backends.resend.EmailBackend",
}
LEASE_SECONDS = 2
CONNECTIONS = 3


@dataclass
class House:
    """The provider as one test sees it. It knows our idempotency keys if it speaks as Resend."""

    emulated: Emulated
    speaks: str
    already: int

    def mood(self, name: str) -> None:
        self.emulated.mood(name)

    def ledger(self) -> list[dict[str, Any]]:
        return self.emulated.ledger()[self.already :]

    def taken(self) -> list[str]:
        """To whom there is a mail, as often as there is one."""
        return [line["to"] for line in self.ledger() if line["kind"] == "accepted"]

    @property
    def backend(self) -> str:
        return BACKENDS[self.speaks]

    @property
    def anymail(self) -> dict[str, Any]:
        name = self.speaks.upper()
        key = "RESEND_API_KEY" if name == "RESEND" else "POSTMARK_SERVER_TOKEN"
        url = self.emulated.url
        return {key: TOKEN, f"{name}_API_URL": url, "REQUESTS_TIMEOUT": (5, 10)}


@pytest.fixture(scope="module")
def _emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    with Emulated(tmp_path_factory.mktemp("provider")) as provider:
        yield provider


@pytest.fixture
def speaks() -> str:
    return "postmark"


@pytest.fixture
def house(_emulated: Emulated, speaks: str, service_env: dict[str, str], settings: Any) -> House:
    """We speak to it as well: we are the other process, that heals."""
    _emulated.mood("calm")
    house = House(_emulated, speaks, len(_emulated.ledger()))
    settings.MAIL_CONNECTIONS = CONNECTIONS
    settings.EMAIL_BACKEND = house.backend
    settings.ANYMAIL = {**settings.ANYMAIL, **house.anymail}
    settings.SITE_ROOT, settings.MAIL_FROM = service_env["SITE_ROOT"], service_env["MAIL_FROM"]
    return house


Ours = Callable[..., Child]


@pytest.fixture
def ours(service_env: dict[str, str], house: House, tmp_path: Path) -> Iterator[Ours]:
    """Starts `run_engine --once`, or what is named, with a fault at one point."""
    env = {
        **service_env,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "CACHE_URL": "redis://127.0.0.1:1/1",
        "EMAIL_BACKEND": house.backend,
        "ANYMAIL_SETTINGS": json.dumps(house.anymail),
        "MAIL_CONNECTIONS": str(CONNECTIONS),
        "LEASE_SECONDS": str(LEASE_SECONDS),
        "TICK_SECONDS": "1",
    }
    children = []

    def start(
        point: str, number: signal.Signals = signal.SIGKILL, *command: str, **changes: str
    ) -> Child:
        words = [sys.executable, "-m", "tests.reminders.faults.child", point, number.name]
        words += command or ("run_engine", "--once")
        child = Child("engine", words, {**env, **changes}, tmp_path / "engine.log")
        child.start()
        children.append(child)
        return child

    yield start
    for child in children:
        child.kill()


@pytest.fixture
def service(stack: Any, house: House) -> Any:
    """Workers and beats to be started, that send to the provider."""
    stack.env |= {
        "EMAIL_BACKEND": house.backend,
        "ANYMAIL_SETTINGS": json.dumps(house.anymail),
        "MAIL_CONNECTIONS": str(CONNECTIONS),
        "LEASE_SECONDS": str(LEASE_SECONDS),
        "TICK_SECONDS": "1",
    }
    return stack


@pytest.fixture
def broker(own_valkey: Any, service: Any) -> Any:
    """A Redis of this test's own, that the service uses."""
    service.env |= {"REDIS_URL": own_valkey.broker_url, "CACHE_URL": own_valkey.cache_url}
    Redis.from_url(own_valkey.client_url).flushall()
    return own_valkey
