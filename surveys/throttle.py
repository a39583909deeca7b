"""Slow down whoever guesses links. A link that exists is never held up, whoever else shares its
network; and without Redis nobody is."""

import ipaddress

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from redis.exceptions import RedisError

UNKNOWN_LINKS = 20
PER_SECONDS = 600


def is_guessing(request: HttpRequest) -> bool:
    """Count one unknown link; true after the twentieth from one network in ten minutes."""
    key = "unknown-link-" + salted_hmac("surveys.throttle", _network(request)).hexdigest()[:32]
    try:
        cache.add(key, 0, PER_SECONDS)
        return cache.incr(key) > UNKNOWN_LINKS
    except (RedisError, ValueError):  # no Redis, or the key ran out between the two lines
        return False


def _network(request: HttpRequest) -> str:
    """The address; of an IPv6 address the half that names the network."""
    text = str(request.META.get("REMOTE_ADDR", ""))
    if settings.SECURE_PROXY_SSL_HEADER:
        text = str(request.META.get("HTTP_X_FORWARDED_FOR", text)).rpartition(",")[2].strip()
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((address, 64), strict=False))
