"""`check --deploy`: keys nobody else has, each for one purpose."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

MIN_SECRET = 50  # characters
MIN_VARIETY = 8  # different bytes: 32 random ones have about 30


@register(Tags.security, deploy=True)
def keys_are_secret_and_apart(**kwargs: Any) -> list[CheckMessage]:
    return [
        *[Error(message, id="clinic.E001") for message in _weak_secrets()],
        *[Error(message, id="clinic.E002") for message in _weak_keys()],
        *[Error(message, id="clinic.E003") for message in _shared_keys()],
    ]


def _weak_secrets() -> Iterator[str]:
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        if "dev-only" in secret or len(secret) < MIN_SECRET or len(set(secret)) < MIN_VARIETY:
            yield f"SECRET_KEY must be {MIN_SECRET} or more random characters"


def _weak_keys() -> Iterator[str]:
    for name, keys in _keys().items():
        for key_id, key in keys.items():
            if len(set(key)) < MIN_VARIETY:
                yield f"{name}: key {key_id!r} is not random"


def _shared_keys() -> Iterator[str]:
    used = Counter(key for keys in _keys().values() for key in set(keys.values()))
    if any(count > 1 for count in used.values()):
        yield f"{', '.join(_keys())} must differ: each key has one purpose"


def _keys() -> dict[str, dict[str, bytes]]:
    return {name: getattr(settings, name) for name in ("FIELD_KEYS", "LINK_KEYS", "INDEX_KEY")}
