"""Log lines: JSON for machines, text for people, and nothing personal in either."""

import logging
import re
from typing import Any

import structlog

# E-mail addresses, and the secret part of patients' links.
_ADDRESS = re.compile(r"[^\s<>\"'@]+@[^\s<>\"'@]+")
_SECRET_PATH = re.compile(r"(/(?:s|u|accounts/invitation)/)[^\s\"'?]+")


def redacted(text: str) -> str:
    return _SECRET_PATH.sub(r"\1…", _ADDRESS.sub("<address>", text))


class Redact(logging.Filter):
    """The last net: what should never be logged is also cut out here."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = redacted(record.getMessage())
        record.args = ()
        return True


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
            renderer,
        ],
    )
