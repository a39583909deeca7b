"""What lets one browser answer one follow-up after the link's secret has left the address.

A signed cookie of its own, never the staff session. It is the browser that knows which questions
were answered in it: only those are shown again.
"""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from surveys.models import FollowUp

IDLE = timedelta(minutes=60)  # after this nothing is shown until the link is opened again
KEPT = timedelta(hours=24)  # until then an answer already on the screen is still taken
PROVEN = timedelta(minutes=10)  # so long a page that was read back may be read in another language
_SALT = "surveys.passes"
_STAMP_SALT = "surveys.passes.stamp"
_PROOF_SALT = "surveys.passes.proof"


@dataclass(frozen=True, slots=True)
class Pass:
    follow_up_id: uuid.UUID
    link: str  # the beginning of the link's digest: a new link ends this pass
    language: str
    given: tuple[str, ...] = ()  # marks of the questions answered in this browser
    is_idle: bool = False

    def fits(self, follow_up: FollowUp) -> bool:
        return follow_up.link_digest.startswith(self.link)

    def has(self, question: str) -> bool:
        return _mark(self.follow_up_id, question) in self.given

    def with_given(self, question: str) -> Self:
        if self.has(question):
            return self
        return replace(self, given=(*self.given, _mark(self.follow_up_id, question)))

    @property
    def stamp(self) -> str:
        """In each form: an answer is for the follow-up on whose page it was chosen."""
        return signing.dumps([self.follow_up_id.hex, self.link], salt=_STAMP_SALT)

    @property
    def proof(self) -> str:
        """On a page behind the birth date, and nowhere else: it was right a moment ago."""
        return signing.dumps([self.follow_up_id.hex, self.link], salt=_PROOF_SALT)

    def is_proven_by(self, proof: str) -> bool:
        try:
            proven = signing.loads(proof, salt=_PROOF_SALT, max_age=PROVEN)
        except signing.BadSignature:
            return False
        return bool(proven == [self.follow_up_id.hex, self.link])


def new_pass(follow_up: FollowUp, language: str) -> Pass:
    return Pass(follow_up.pk, follow_up.link_digest[:16], language)


def cookie_name() -> str:
    return "__Host-check-in" if settings.SECURE else "check-in"


def read(request: HttpRequest, *, now: datetime) -> Pass | None:
    try:
        held = signing.loads(request.COOKIES.get(cookie_name(), ""), salt=_SALT)
        follow_up_id, at = uuid.UUID(held["f"]), datetime.fromtimestamp(held["t"], now.tzinfo)
        found = Pass(follow_up_id, held["l"], held["w"], tuple(held["g"]))
    except (signing.BadSignature, KeyError, ValueError, TypeError):
        return None
    if now - at > KEPT:
        return None
    return replace(found, given=(), is_idle=True) if now - at > IDLE else found


def of_page(stamp: str, held: Pass) -> Pass | None:
    """The pass to the follow-up whose page was posted: this browser may since have opened another
    one. None for a stamp that is not ours or too old."""
    try:
        follow_up_id, link = signing.loads(stamp, salt=_STAMP_SALT, max_age=KEPT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    if follow_up_id == held.follow_up_id.hex:
        return held if link == held.link else None
    return Pass(uuid.UUID(follow_up_id), link, held.language, is_idle=held.is_idle)


def hand(response: HttpResponse, held: Pass, *, now: datetime) -> None:
    """Give the browser its pass; each page that saves something starts the hour again."""
    content = {
        "f": held.follow_up_id.hex,
        "l": held.link,
        "w": held.language,
        "g": held.given,
        "t": int(now.timestamp()),
    }
    response.set_cookie(
        cookie_name(),
        signing.dumps(content, salt=_SALT, compress=True),
        secure=settings.SECURE,
        httponly=True,
        samesite="Lax",
    )


def drop(response: HttpResponse) -> None:
    """Take the pass back: the link has to be opened again."""
    response.delete_cookie(cookie_name(), samesite="Lax")


def _mark(follow_up_id: uuid.UUID, name: str) -> str:
    """Eight digits that name a question to us and to nobody who reads the cookie."""
    return salted_hmac(_SALT, f"{follow_up_id.hex} {name}").hexdigest()[:8]
