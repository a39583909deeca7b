"""Amazon SNS: whether a message was signed by Amazon, for a topic of ours. Anymail does not look.

The one address ever fetched is that of the signing certificate, and its host follows from a topic
that the operator named. A certificate's address holds its hash, so it is fetched once.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import requests
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

TIMEOUT = (3, 5)  # seconds to connect and to read; SNS itself waits 15
MOST_BYTES = 16 * 1024  # of a certificate
SMALLEST_KEY = 2048  # bits
# Long-lived, so that an operator's proxy or a test's server can be mounted on it.
SESSION = requests.Session()

_REGION = r"[a-z]{2}(?:-[a-z]+)+-\d{1,2}"
_TOPIC = re.compile(rf"arn:aws(?:-us-gov)?:sns:({_REGION}):\d{{12}}:[\w-]{{1,256}}(?:\.fifo)?")
_CERTIFICATE = re.compile(
    rf"https://sns\.({_REGION})\.amazonaws\.com/SimpleNotificationService-[0-9A-Za-z]{{8,64}}\.pem"
)
# AWS names the fields of each kind of message that are signed, in this order.
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED: Mapping[str, tuple[str, ...]] = {
    "Notification": _NOTIFICATION,
    "SubscriptionConfirmation": _CONFIRMATION,
    "UnsubscribeConfirmation": _CONFIRMATION,
}
_HASHES: Mapping[str, Callable[[], hashes.HashAlgorithm]] = {
    "1": hashes.SHA1,
    "2": hashes.SHA256,
}


class Forged(Exception):
    """Not signed by Amazon, or not for us."""


class Unreachable(Exception):
    """The certificate could not be fetched: nothing can be said now."""


def verify(message: Mapping[str, Any], *, topics: Iterable[str], now: datetime) -> None:
    """Raises Forged or Unreachable. The topic is looked at before anything is fetched."""
    fields = _SIGNED.get(_text(message, "Type"))
    algorithm = _HASHES.get(_text(message, "SignatureVersion"))
    if fields is None or algorithm is None:
        raise Forged("unknown type or signature version")
    topic = _text(message, "TopicArn")
    if topic not in topics:
        raise Forged("not a topic of ours")
    url = _text(message, "SigningCertURL")
    if not is_amazons(url, topic=topic):
        raise Forged("not Amazon's certificate address")
    key = _public_key(certificate(url), now)
    try:
        signature = b64decode(_text(message, "Signature"), validate=True)
        key.verify(signature, _signed_text(message, fields), padding.PKCS1v15(), algorithm())
    except (ValueError, InvalidSignature) as error:
        raise Forged("wrong signature") from error


def is_amazons(url: str, *, topic: str) -> bool:
    """Whether this is where SNS keeps its certificates, in the region of this topic."""
    ours, its = _TOPIC.fullmatch(topic), _CERTIFICATE.fullmatch(url)
    return ours is not None and its is not None and ours.group(1) == its.group(1)


@lru_cache(maxsize=16)
def certificate(url: str) -> x509.Certificate:
    """Fetched over TLS from Amazon's own host: that is what makes it trustworthy."""
    try:
        with SESSION.get(url, timeout=TIMEOUT, allow_redirects=False, stream=True) as answer:
            body = answer.raw.read(MOST_BYTES + 1, decode_content=True)
            status = answer.status_code
    except (requests.RequestException, OSError) as error:
        raise Unreachable(type(error).__name__) from error
    if status != requests.codes.ok:
        raise Unreachable(f"status {status}")
    try:
        if len(body) > MOST_BYTES:
            raise ValueError("too long")
        return x509.load_pem_x509_certificate(body)
    except ValueError as error:
        raise Forged("not a certificate") from error


def _public_key(found: x509.Certificate, now: datetime) -> rsa.RSAPublicKey:
    if not found.not_valid_before_utc <= now <= found.not_valid_after_utc:
        raise Forged("the certificate is not valid now")
    key = found.public_key()
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < SMALLEST_KEY:
        raise Forged("not a key that SNS would use")
    return key


def _signed_text(message: Mapping[str, Any], fields: Iterable[str]) -> bytes:
    """Name and value of each field, a line each; a notification's subject only if it has one."""
    present = [name for name in fields if name != "Subject" or message.get(name) is not None]
    return "".join(f"{name}\n{_text(message, name)}\n" for name in present).encode()


def _text(message: Mapping[str, Any], name: str) -> str:
    value = message.get(name)
    if not isinstance(value, str):
        raise Forged("a field is missing")
    return value
