"""Messages that are due, and the real mail server they go to."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from clinic.models import Clinic, Course, Member
from devtools.servers.smtp import SmtpServer
from reminders import sns
from reminders.models import Message
from surveys.models import Alert
from tests.builders import make_member
from tests.reminders import reports
from tests.reminders.amazon import HOST, TOPIC, Amazon
from tests.reminders.letters import make_message


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes minutes runs only for whoever asks for it by name."""
    if "thousand" not in (config.getoption("markexpr") or ""):
        left_out = [item for item in items if item.get_closest_marker("thousand")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture
def message(course: Course, now: datetime) -> Message:
    return make_message(course, now=now)


@pytest.fixture
def mail_server(smtp_server: SmtpServer, settings: Any) -> SmtpServer:
    """A real SMTP server in the place of Django's outbox."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = smtp_server.host, smtp_server.port
    settings.EMAIL_TIMEOUT = 2
    return smtp_server


@pytest.fixture
def staffed(clinic: Clinic, now: datetime) -> Clinic:
    """A responder who takes a test alert every other month."""
    member = make_member(clinic, Member.Role.CLINICIAN, now=now, email="on-call@north.example")
    Member.objects.filter(pk=member.pk).update(is_responder=True)
    for n in range(-1, 8):
        taken = now + n * timedelta(days=60)
        Alert.objects.create(
            clinic=clinic, reference=f"TEST-0{n}", level="review", rule=Alert.TEST_RULE,
            trigger="test", raised_at=taken, owner=member, taken_at=taken, closed_at=taken,
        )  # fmt: skip
    return clinic


@pytest.fixture(scope="session")
def _amazon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Amazon]:
    server = Amazon(tmp_path_factory.mktemp("amazon"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def amazon(_amazon: Amazon, settings: Any) -> Iterator[Amazon]:
    """Providers' keys are set, and Amazon's host is one of ours."""
    settings.ANYMAIL = {**settings.ANYMAIL, **reports.SETTINGS}
    settings.SNS_TOPICS = [TOPIC]
    _amazon.asked.clear()
    _amazon.confirmed.clear()
    sns.certificate.cache_clear()
    sns.SESSION.mount(f"https://{HOST}", _amazon.adapter())
    yield _amazon
    del sns.SESSION.adapters[f"https://{HOST}"]
    sns.certificate.cache_clear()
