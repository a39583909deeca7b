"""Log lines: JSON for machines, text for people, and nothing personal in either."""

import logging
import re
from typing import Any

import structlog
from structlog.typing import EventDict

# E-mail addresses, and the secret part of links: patients', invitations, new passwords.
_ADDRESS = re.compile(r"[^\s<>\"'@]+@[^\s<>\"'@]+")
_SECRET_PATH = re.compile(r"(/(?:s|u|accounts/invitation|accounts/password/reset/key)/)[^\s\"'?]+")


def redacted(text: str) -> str:
    return _SECRET_PATH.sub(r"\1…", _ADDRESS.sub("<address>", text))


class Redact(logging.Filter):
    """The last net: what should never be logged is also cut out here."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = redacted(record.getMessage())
        record.args = ()
        return True


def _redact_traceback(logger: Any, name: str, event: EventDict) -> EventDict:
    """An error's own text may hold what was being saved or sent."""
    if "exception" in event:
        event["exception"] = redacted(event["exception"])
    return event


def formatter(style: str = "json", **kwargs: Any) -> logging.Formatter:
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if style == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _redact_traceback,
            renderer,
        ],
    )
