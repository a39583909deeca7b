"""Judge what a storm has left: `judging FOLDER CONNECTIONS SETTLED`, when nothing moves any more.

SETTLED is the instant up to which everything due should have gone.

Prints one line of JSON: what was sent, what is unknown, and every violation.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from clinic.models import Patient
from devtools.chaos import journal, oracle, roll
from devtools.chaos.facts import AttemptFacts, Evidence, MessageFacts, PatientFacts
from devtools.chaos.settling import IN_HAND
from devtools.servers.emulator import ledger
from reminders.models import Message, Notice, State


def main(arguments: list[str]) -> None:
    folder, connections, settled = arguments
    evidence = gather(Path(folder), int(connections), float(settled))
    states: dict[str, int] = {}
    for message in evidence.messages:
        states[message.state] = states.get(message.state, 0) + 1
    found = oracle.judge(evidence)
    told = {
        "sent": sum(line.kind == ledger.ACCEPTED for line in evidence.ledger),
        "replayed": sum(line.kind == ledger.REPLAYED for line in evidence.ledger),
        "unknown": states.get("unknown", 0),
        "states": states,
        "acts": _acts(evidence),
        "violations": [str(violation) for violation in found],
    }
    print(json.dumps(told), flush=True)


def _acts(evidence: Evidence) -> dict[str, int]:
    counted: dict[str, int] = {}
    for act in evidence.acts:
        name = act.kind if act.ended is not None else f"{act.kind} in doubt"
        counted[name] = counted.get(name, 0) + 1
    return counted


def gather(folder: Path, connections: int, settled: float) -> Evidence:
    overdue = Notice.objects.filter(state__in=IN_HAND) | Notice.objects.filter(
        state=State.SCHEDULED, due_at__lte=datetime.fromtimestamp(settled, UTC)
    )
    return Evidence(
        patients={each.id: each for each in _patients(folder)},
        messages=list(_messages()),
        ledger=list(ledger.read(folder / ledger.NAME)),
        acts=list(journal.read(folder)),
        judged_at=settled,
        connections=connections,
        notices={
            str(notice.pk): _attempts(notice)
            for notice in Notice.objects.prefetch_related("attempt_rows")
        },
        unsettled_notices=[str(pk) for pk in overdue.values_list("pk", flat=True)],
    )


def _patients(folder: Path) -> Iterator[PatientFacts]:
    groups = {each.patient: each.group for each in roll.read(folder)}
    for patient in Patient.objects.select_related("clinic").defer("name", "email", "phone", "mrn"):
        if str(patient.pk) not in groups:
            continue
        clinic = patient.clinic
        yield PatientFacts(
            id=str(patient.pk),
            group=groups[str(patient.pk)],
            zone=patient.tz.key,
            quiet_from=clinic.quiet_from,
            quiet_until=clinic.quiet_until,
        )


def _messages() -> Iterator[MessageFacts]:
    for message in Message.objects.prefetch_related("attempt_rows").iterator(chunk_size=500):
        yield MessageFacts(
            id=str(message.pk),
            patient=str(message.patient_id),
            follow_up=str(message.follow_up_id),
            state=message.state,
            due=message.due_at.timestamp(),
            not_after=message.not_after.timestamp(),
            reason=message.reason,
            asked_for=message.asked_for,
            provider_id=message.provider_message_id,
            attempts=_attempts(message),
        )


def _attempts(row: Message | Notice) -> tuple[AttemptFacts, ...]:
    return tuple(
        AttemptFacts(
            started=attempt.started_at.timestamp(),
            ended=attempt.ended_at.timestamp() if attempt.ended_at else None,
            outcome=attempt.outcome,
            replays=attempt.replays,
        )
        for attempt in row.attempt_rows.all()
    )
