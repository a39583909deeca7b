"""Messages with what the gate and the mail ask for, and nothing else, many at a time.

A model's constructor looks at each of its fields, which for a batch takes longer than the database.
These are made as unpickling makes them; what was not fetched is, as always, fetched when asked for.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from django.db import models
from django.db.models import QuerySet
from django.db.models.base import ModelState

from clinic.models import Clinic, Patient
from reminders.models import Message
from surveys.models import FollowUp

AnyModel = TypeVar("AnyModel", bound=models.Model)

_MESSAGE = (
    *("id", "state", "due_at", "not_after", "lease_token", "claims", "attempts", "reason"),
    *("kind", "nth", "asked_for", "capped_on", "clinic_id", "patient_id", "follow_up_id"),
    "requested_by_id",
)
_FOLLOW_UP = (
    *("id", "patient_id", "send_at", "closes_at", "finished_at", "withdrawn_at"),
    *("language", "link_nonce", "link_key_id"),
)
_PATIENT = (
    *("id", "clinic_id", "name", "email", "language", "zone", "status"),
    *("paused_until", "allowed_days"),
)
_ALL = (
    *_MESSAGE,
    *(f"follow_up__{name}" for name in _FOLLOW_UP),
    *(f"patient__{name}" for name in _PATIENT),
)
_AT_FOLLOW_UP = len(_MESSAGE)
_AT_PATIENT = _AT_FOLLOW_UP + len(_FOLLOW_UP)


def messages(wanted: QuerySet[Message]) -> list[Message]:
    """With their follow-ups, patients and clinics."""
    rows = [_message(row) for row in wanted.values_list(*_ALL)]
    clinics = Clinic.objects.in_bulk({row.clinic_id for row in rows})
    for row in rows:
        clinic: Clinic = clinics[row.clinic_id]
        _refer(row, clinic=clinic)
        _refer(row.patient, clinic=clinic)
    return rows


def made(model: type[AnyModel], names: Sequence[str], values: Sequence[Any]) -> AnyModel:
    """One that stands in the database, without what the constructor and its signals do."""
    row = model.__new__(model)
    row._state = ModelState()
    row._state.adding, row._state.db = False, "default"
    row.__dict__.update(zip(names, values, strict=True))
    return row


def begun(model: type[AnyModel], values: Mapping[str, Any]) -> AnyModel:
    """One that is to be inserted; `values` names each of its columns."""
    row = model.__new__(model)
    row._state = ModelState()
    row.__dict__.update(values)
    return row


def _message(values: Sequence[Any]) -> Message:
    row = made(Message, _MESSAGE, values[:_AT_FOLLOW_UP])
    follow_up = made(FollowUp, _FOLLOW_UP, values[_AT_FOLLOW_UP:_AT_PATIENT])
    patient = made(Patient, _PATIENT, values[_AT_PATIENT:])
    _refer(row, follow_up=follow_up, patient=patient)
    return row


def _refer(row: models.Model, **to: models.Model) -> None:
    """To rows that its keys name already."""
    row._state.fields_cache.update(to)
