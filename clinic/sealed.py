"""Columns nobody can read without the key, and indexes that find a row without reading it.

A sealed value is `keyid:base64(nonce + AES-256-GCM ciphertext)`. The model, the field and the row's
key are authenticated with it, so that a ciphertext moved to another row or column does not open.
"""

import base64
import hashlib
import hmac
import os
import unicodedata
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import models

if TYPE_CHECKING:
    _TextField = models.TextField[str, str]
else:
    _TextField = models.TextField


class Ciphertext(str):
    """A sealed value as it stands in the database. Its text tells nothing."""

    def __str__(self) -> str:
        return "<sealed>"

    __repr__ = __str__


def seal(text: str, place: str) -> str:
    """`text` sealed for `place`, under the first key of FIELD_KEYS."""
    key_id, key = next(iter(settings.FIELD_KEYS.items()))
    nonce = os.urandom(12)
    sealed = AESGCM(key).encrypt(nonce, text.encode(), place.encode())
    return f"{key_id}:{base64.b64encode(nonce + sealed).decode()}"


def unseal(sealed: str, place: str) -> str:
    """The text sealed for `place`. Raises `InvalidTag` for any other place or key."""
    key_id, _, body = str.__str__(sealed).partition(":")
    raw = base64.b64decode(body)
    return AESGCM(settings.FIELD_KEYS[key_id]).decrypt(raw[:12], raw[12:], place.encode()).decode()


def search_key(kind: str, value: str) -> str:
    """What finds `value` again without holding it: a keyed digest of its folded form."""
    plain = value.lower().strip() if value.isascii() else _folded(value).strip()
    key = next(iter(settings.INDEX_KEY.values()))
    return hmac.new(key, f"{kind}:{plain}".encode(), hashlib.sha256).hexdigest()


def _folded(value: str) -> str:
    """Without accents and cases, in any script."""
    folded = unicodedata.normalize("NFKD", value).casefold()
    return "".join(c for c in folded if not unicodedata.combining(c))


class _Unsealing:
    """Opens the value when it is read, because only the instance knows its row."""

    def __init__(self, field: "SealedTextField") -> None:
        self.field = field

    def __get__(self, instance: models.Model | None, owner: type[models.Model]) -> Any:
        if instance is None:
            return self
        if self.field.attname not in instance.__dict__:
            instance.refresh_from_db(fields=[self.field.attname])
        value = instance.__dict__[self.field.attname]
        if isinstance(value, Ciphertext):
            value = unseal(value, self.field.place(instance))
            instance.__dict__[self.field.attname] = value
        return value

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class SealedTextField(_TextField):
    """Text sealed at rest. Assign and read plain text; filter on a search key instead."""

    def contribute_to_class(
        self, cls: type[models.Model], name: str, *args: Any, **kw: Any
    ) -> None:
        super().contribute_to_class(cls, name, *args, **kw)
        setattr(cls, self.attname, _Unsealing(self))

    def place(self, instance: models.Model) -> str:
        return f"{instance._meta.label_lower}.{self.attname}:{instance.pk}"

    def from_db_value(self, value: str | None, *args: Any) -> str | None:
        return Ciphertext(value) if value else value

    def pre_save(self, instance: models.Model, add: bool) -> Any:
        value = instance.__dict__.get(self.attname)
        if not value or isinstance(value, Ciphertext):
            return value
        return Ciphertext(seal(value, self.place(instance)))

    def get_prep_value(self, value: Any) -> Any:
        if value and not isinstance(value, Ciphertext):
            raise TypeError(f"{self.name} is sealed: save the row, or filter on a search key")
        return str.__str__(value) if value else value
