"""Messages that are due, and the real mail server they go to."""

from datetime import datetime
from typing import Any

import pytest

from clinic.models import Course
from devtools.servers.smtp import SmtpServer
from reminders.models import Message
from tests.reminders.letters import make_message


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
