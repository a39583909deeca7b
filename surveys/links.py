"""The patient's link: derived, never stored.

The secret is HMAC-SHA256(link key, purpose, follow-up id, nonce). The database keeps only its
SHA-256, the nonce and the key's id: a stolen database opens nothing, and a new nonce revokes.
"""

import base64
import hashlib
import hmac
import os
import uuid
from dataclasses import dataclass
from functools import cache
from typing import Literal

from django.conf import settings
from django.urls import reverse

from surveys.models import FollowUp

Purpose = Literal["survey", "unsubscribe"]


@dataclass(frozen=True, slots=True)
class Link:
    """What a follow-up stores about its link."""

    link_nonce: bytes
    link_key_id: str
    link_digest: str
    unsubscribe_digest: str


def new_link(follow_up_id: uuid.UUID) -> Link:
    """A fresh link for a follow-up: assign its fields to revoke the older one."""
    key_id = next(iter(settings.LINK_KEYS))
    nonce = os.urandom(16)
    survey, unsubscribe = (
        digest(_secret(purpose, follow_up_id, nonce, key_id))
        for purpose in ("survey", "unsubscribe")
    )
    return Link(nonce, key_id, survey, unsubscribe)


def token(follow_up: FollowUp, purpose: Purpose = "survey") -> str:
    """The secret part of the link. Raises KeyError when its key has been retired."""
    nonce = bytes(follow_up.link_nonce)
    return _secret(purpose, follow_up.pk, nonce, follow_up.link_key_id)


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def survey_url(follow_up: FollowUp) -> str:
    return _address("surveys:landing", token(follow_up))


def unsubscribe_url(follow_up: FollowUp) -> str:
    return _address("reminders:unsubscribe", token(follow_up, "unsubscribe"))


def _address(name: str, secret: str) -> str:
    before, after = _around(name)
    return f"{settings.SITE_ROOT}{before}{secret}{after}"


@cache
def _around(name: str) -> tuple[str, str]:
    """What stands before and behind the secret: the same in every link, and slow to find out."""
    before, _, after = reverse(name, args=["secret"]).partition("secret")
    return before, after


def _secret(purpose: str, follow_up_id: uuid.UUID, nonce: bytes, key_id: str) -> str:
    message = b"\0".join([purpose.encode(), follow_up_id.bytes, nonce])
    raw = hmac.new(settings.LINK_KEYS[key_id], message, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
