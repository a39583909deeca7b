"""The audit trail: who did or saw what, added in the transaction of the act.

An entry names fields and never holds their values. The database refuses to change or delete one
(`clinic/append_only.py`).
"""

import re
from collections.abc import Iterable
from datetime import datetime

from django.db import connection, models

from clinic.actors import Actor, member_actor
from clinic.models import AuditEntry, Clinic, Member, Patient

_FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def write(
    by: Actor,
    action: str,
    *,
    clinic: Clinic,
    now: datetime,
    patient: Patient | None = None,
    subject: models.Model | None = None,
    fields: Iterable[str] = (),
) -> AuditEntry:
    """Record one act. Call it inside the act's transaction, so that neither stands alone."""
    if not connection.in_atomic_block:
        raise RuntimeError(f"audit of {action!r}: open the transaction of the act first")
    return _add(by, action, clinic=clinic, now=now, patient=patient, subject=subject, fields=fields)


def read(member: Member, patient: Patient | None, what: str, *, now: datetime) -> AuditEntry:
    """Record that a member looks at a patient's data, or (patient none) at a list of them.

    Call it before the page is made: if it cannot be recorded, nothing is shown.
    """
    return _add(
        member_actor(member), f"read {what}", clinic=member.clinic, now=now, patient=patient
    )


def read_back(by: Actor, patient: Patient, what: str, *, now: datetime) -> AuditEntry:
    """Record that a patient looks, through their link, at their own data. Before the page is made,
    like `read`."""
    return _add(by, f"read {what}", clinic=patient.clinic, now=now, patient=patient)


def _add(
    by: Actor,
    action: str,
    *,
    clinic: Clinic,
    now: datetime,
    patient: Patient | None = None,
    subject: models.Model | None = None,
    fields: Iterable[str] = (),
) -> AuditEntry:
    return AuditEntry.objects.create(
        clinic=clinic,
        at=now,
        actor=by.kind,
        member=by.member,
        reason=by.reason[:200],
        action=action,
        patient=patient,
        object_type=subject._meta.model_name or "" if subject else "",
        object_id=str(subject.pk) if subject else "",
        fields=_names(fields),
    )


def _names(fields: Iterable[str]) -> list[str]:
    """Field names in order. Anything else might be a value, and is refused."""
    names = sorted(set(fields))
    if any(not _FIELD_NAME.fullmatch(name) for name in names):
        raise ValueError("an audit entry holds field names, never values")
    return names
