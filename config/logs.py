"""Log lines: JSON for machines, text for people, and nothing personal in either.

What an exception says is not written: it may quote what was being saved or sent. Its class and
the places in the code are, and the text of the few kinds that speak of connections and settings.
"""

import logging
import os
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from typing import Any

import structlog
from structlog.typing import EventDict

# E-mail addresses; the secret part of links (patients', invitations, new passwords), in their
# place and on its own; what follows a "?"; tokens of programs; what would forge a second line.
_CUTS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"[^\s<>\"'@]+@[^\s<>\"'@]+"), "<address>"),
    (
        re.compile(r"(/(?:s|u|accounts/invitation|accounts/password/reset/key)/)[^\s\"'?]+"),
        r"\1…",
    ),
    (re.compile(r"(?<![\w-])[\w-]{43}(?![\w-])"), "…"),
    (re.compile(r"(/[^\s\"'?]*)\?[^\s\"']+"), r"\1?…"),
    (re.compile(r"\b(Bearer|Basic) \S+"), r"\1 …"),
    (re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+"), " "),
)
# By name, so that nothing is imported before the settings are.
_MAY_SPEAK = {
    "django.core.exceptions.ImproperlyConfigured",
    "django.db.utils.OperationalError",
    "kombu.exceptions.OperationalError",
    "psycopg.OperationalError",
    "redis.exceptions.ConnectionError",
    "sqlite3.OperationalError",
}
_SHORTEST = 4  # a shorter text of an exception is not looked for in the message around it


def redacted(text: str) -> str:
    for pattern, instead in _CUTS:
        text = pattern.sub(instead, text)
    return text


class Redact(logging.Filter):
    """The last net: what should never be logged is also cut out here."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.args = _without_texts(record.args)
        message = record.getMessage()
        error = record.exc_info[1] if record.exc_info else sys.exception()
        for cause in _chain(error):
            message = _without_its_text(message, cause)
        record.msg, record.args = redacted(message), ()
        return True


def _without_texts(args: Any) -> Any:
    """Exceptions among the arguments by their class; Celery hands one over as text, in a dict."""
    if isinstance(args, Mapping):
        return {
            key: str(value).partition("(")[0] if key in ("exc", "traceback") else _plain(value)
            for key, value in args.items()
        }
    return tuple(_plain(value) for value in args) if isinstance(args, tuple) else args


def _plain(value: Any) -> Any:
    return said(value) if isinstance(value, BaseException) else value


def _without_its_text(message: str, error: BaseException) -> str:
    for text in (repr(error), str(error)):
        if len(text) >= _SHORTEST:
            message = message.replace(text, type(error).__name__)
    return message


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The exception and what led to it, each once."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def said(error: BaseException) -> str:
    """The class; with the system's own words for an errno, or the text where that is harmless."""
    name = type(error).__name__
    if isinstance(error, OSError) and isinstance(error.errno, int):
        return f"{name}: {os.strerror(error.errno)}"
    known = {f"{base.__module__}.{base.__qualname__}" for base in type(error).__mro__}
    if known & _MAY_SPEAK:
        return f"{name}: {redacted(str(error).partition(chr(10))[0])}"
    return name


def _exception_without_text(logger: Any, name: str, event: EventDict) -> EventDict:
    info = event.pop("exc_info", None)
    error = info[1] if isinstance(info, tuple) else None
    if error is not None:
        event["exception"] = "\n".join(_told(cause) for cause in _chain(error))
    return event


def _told(error: BaseException) -> str:
    """What happened and where; the lines of code are ours and hold nobody's data."""
    frames = traceback.extract_tb(error.__traceback__)
    places = (f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)
    return "\n".join([said(error), *places])


def formatter(style: str = "json", **kwargs: Any) -> logging.Formatter:
    """`request_id` and `task_id` are bound to what is going on, by middleware and by Celery."""
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if style == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _exception_without_text,
            renderer,
        ],
    )
