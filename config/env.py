"""Read the environment, and refuse what we do not understand.

Nothing else in the project reads `os.environ`; `.env.example` lists every name.
"""

import os
from collections.abc import Sequence

from django.core.exceptions import ImproperlyConfigured


def env_str(name: str, default: str | None = None) -> str:
    """The value of `name`; from the file `{name}_FILE` when that is set instead."""
    if path := os.environ.get(f"{name}_FILE"):
        try:
            with open(path, encoding="utf-8") as file:
                return file.read().strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE={path!r}: {error.strerror}") from error
    value = os.environ.get(name, default)
    if value is None:
        raise ImproperlyConfigured(f"{name} must be set")
    return value


def env_bool(name: str, default: bool) -> bool:
    value = env_str(name, str(default))
    if value not in ("True", "False"):
        raise ImproperlyConfigured(f"{name}={value!r}: use True or False")
    return value == "True"


def env_int(name: str, default: int) -> int:
    value = env_str(name, str(default))
    if not value.isascii() or not value.isdecimal():
        raise ImproperlyConfigured(f"{name}={value!r}: use a whole number")
    return int(value)


def env_database(name: str, default: str) -> str:
    """A database's address. Never printed: it holds a password."""
    value = env_str(name, default)
    if value.partition("://")[0] not in ("postgres", "postgresql", "sqlite"):
        raise ImproperlyConfigured(f"{name}: use postgres://… or sqlite:///…")
    return value


def env_list(name: str, default: Sequence[str] = ()) -> list[str]:
    """Comma-separated values; blanks are dropped."""
    return [part for raw in env_str(name, ",".join(default)).split(",") if (part := raw.strip())]


def env_keys(name: str, default: str | None = None) -> dict[str, bytes]:
    """Keys as `id:64 hex digits`, comma-separated; the first one is used for new work.

    Rotation: put the new key first and keep the old ones for reading.
    """
    keys: dict[str, bytes] = {}
    for part in env_str(name, default).split(","):
        key_id, _, digits = part.strip().partition(":")
        try:
            key = bytes.fromhex(digits)
        except ValueError:
            key = b""
        if not key_id or len(key_id) > 8 or len(key) != 32 or key_id in keys:
            raise ImproperlyConfigured(f"{name}: want id:64-hex-digits[,id:…], ids unique")
        keys[key_id] = key
    return keys
