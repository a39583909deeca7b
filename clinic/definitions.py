"""Record questionnaires and protocols as immutable rows."""

import hashlib
import re
from datetime import datetime
from pathlib import Path

from django.db import transaction

from clinic.models import Clinic, Definition


class ChangedDefinition(Exception):
    """A recorded version now reads differently. A change needs a new version."""


@transaction.atomic
def record_catalogue(kind: Definition.Kind, folder: Path, *, now: datetime) -> list[Definition]:
    """Record every `<key>/<version>.toml` below `folder`. Safe to repeat.

    Raises ChangedDefinition when a text differs from what was recorded under its version:
    answers and courses point at the recorded text, so it cannot change under them.
    """
    return [
        _record(kind, path.parent.name, path.stem, path.read_text(encoding="utf-8"), now)
        for path in sorted(folder.glob("*/*.toml"))
    ]


def latest(clinic: Clinic, kind: Definition.Kind, key: str) -> Definition | None:
    """What new work uses: the highest version, the clinic's own before a built-in one."""
    rows = Definition.objects.usable_by(clinic).filter(kind=kind, key=key)
    return max(rows, key=precedence, default=None)


def precedence(row: Definition) -> tuple[bool, list[int], str]:
    """Orders the versions of one key: as numbers, so that 2026-11 comes after 2026-9."""
    return row.clinic_id is not None, [int(n) for n in re.findall(r"\d+", row.version)], row.version


def _record(kind: Definition.Kind, key: str, version: str, text: str, now: datetime) -> Definition:
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    row, _ = Definition.objects.get_or_create(
        kind=kind,
        key=key,
        version=version,
        clinic=None,
        defaults={"sha256": sha256, "text": text, "recorded_at": now},
    )
    if row.sha256 != sha256:
        raise ChangedDefinition(f"{kind} {key} {version}: its text changed; give it a new version")
    return row
