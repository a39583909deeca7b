"""Protocols: when what is asked, as data read from TOML. Knows nothing of Django or patients."""

from reminders.protocols.library import CATALOGUE, available, get, latest
from reminders.protocols.reading import InvalidProtocol, parse
from reminders.protocols.shape import Anchor, Ask, Closing, Condition, Protocol, Step

__all__ = [
    "CATALOGUE",
    "Anchor",
    "Ask",
    "Closing",
    "Condition",
    "InvalidProtocol",
    "Protocol",
    "Step",
    "available",
    "get",
    "latest",
    "parse",
]
