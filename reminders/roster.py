"""In which order a clinic's people are told about an alert."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from clinic.models import Member


@dataclass(frozen=True, slots=True)
class Roster:
    """Responders are told together. The others come one after the other: clinicians, then
    administrators, each by how long they have worked here."""

    responders: tuple[Member, ...]
    others: tuple[Member, ...]

    def told(self, beyond: int, lost: Collection[uuid.UUID] = ()) -> list[Member]:
        """The responders and so many others; everybody, where no responder is left or reached.

        `lost` are members whom mail about this alert has not reached.
        """
        if not any(member.pk not in lost for member in self.responders):
            return [*self.responders, *self.others]
        reachable = [member for member in self.others if member.pk not in lost]
        return [*self.responders, *reachable[:beyond]]


def roster_of(clinic_id: uuid.UUID) -> Roster:
    """One query."""
    members = Member.objects.active().filter(clinic=clinic_id, role__in=Member.CLINICAL)
    known = list(members.select_related("user").order_by("joined_at", "pk"))
    others = [member for member in known if not member.is_responder]
    return Roster(
        responders=tuple(member for member in known if member.is_responder),
        others=tuple(sorted(others, key=lambda member: member.role == Member.Role.ADMIN)),
    )
