"""Who acts. Every verb takes one as `by`, and every audit entry records it."""

import uuid
from dataclasses import dataclass

from clinic.models import AuditEntry, Member


@dataclass(frozen=True, slots=True)
class Actor:
    """A member of staff, a patient holding a link, or the system with its reason."""

    kind: AuditEntry.Actor
    member: Member | None = None
    reason: str = ""


def member_actor(member: Member) -> Actor:
    return Actor(AuditEntry.Actor.MEMBER, member=member)


def patient_link(follow_up_id: uuid.UUID) -> Actor:
    return Actor(AuditEntry.Actor.PATIENT_LINK, reason=f"follow-up {follow_up_id}")


def system(reason: str) -> Actor:
    """`reason` says which part of the system acts and why; it never names anybody."""
    return Actor(AuditEntry.Actor.SYSTEM, reason=reason)
