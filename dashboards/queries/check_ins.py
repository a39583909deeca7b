"""How check-ins go in one clinic: counts, times and places, and never an answer."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import Count

from clinic.models import Clinic, Definition
from dashboards.queries.definitions import instrument_of
from dashboards.rows.check_ins import FEW, CheckIns, InstrumentRows, QuestionRow
from surveys.instruments import Instrument, Screen
from surveys.models import FollowUp, Response
from surveys.pace import Pace, Sitting, Step, pace

PERIOD = timedelta(days=90)
LATEST = 1000  # follow-ups that are looked at one by one

_Timed = tuple[uuid.UUID, uuid.UUID, Mapping[str, str]]


def check_ins(clinic: Clinic, *, now: datetime) -> CheckIns:
    """Those whose time ended in the last 90 days. At most four queries."""
    closed = FollowUp.objects.filter(
        patient__clinic=clinic, withdrawn_at=None, closes_at__gt=now - PERIOD, closes_at__lte=now
    )
    found = CheckIns(
        **closed.aggregate(asked=Count("pk"), begun=Count("started_at"), sent=Count("finished_at"))
    )
    if found.is_few:
        return found
    begun = closed.exclude(started_at=None).order_by("-closes_at", "pk")
    sent_at = dict(begun.values_list("pk", "finished_at")[:LATEST])
    timed: list[_Timed] = list(
        Response.objects.filter(follow_up__in=sent_at, mode=Response.Mode.LINK).values_list(
            "follow_up", "instrument", "answered_at"
        )
    )
    instruments = _instruments({definition for _, definition, _ in timed})
    measured = pace(_sittings(timed, instruments, sent_at))
    enough = measured.sent >= FEW
    return replace(
        found,
        half=measured.half if enough else None,
        three_quarters=measured.three_quarters if enough else None,
        instruments=tuple(_instrument_rows(measured, instruments.values())),
    )


def _instruments(definitions: Iterable[uuid.UUID]) -> dict[uuid.UUID, Instrument]:
    """By definition, the oldest version first: the words of a newer one stand."""
    rows = Definition.objects.filter(pk__in=list(definitions)).order_by("key", "version")
    return {row.pk: instrument_of(row) for row in rows}


def _sittings(
    timed: Iterable[_Timed],
    instruments: Mapping[uuid.UUID, Instrument],
    sent_at: Mapping[uuid.UUID, datetime | None],
) -> Iterator[Sitting]:
    answers: dict[uuid.UUID, list[tuple[datetime, str]]] = defaultdict(list)
    for follow_up, definition, answered_at in timed:
        answers[follow_up] += _questions(instruments[definition], answered_at)
    for follow_up, given in answers.items():
        yield Sitting(tuple((name, at) for at, name in sorted(given)), sent_at[follow_up])


def _questions(
    instrument: Instrument, answered_at: Mapping[str, str]
) -> Iterator[tuple[datetime, str]]:
    """What was kept at one moment was one screen: the others follow from it, as from a "no"."""
    saved: dict[str, set[str]] = defaultdict(set)
    for item, at in answered_at.items():
        saved[at].add(item)
    for at, items in saved.items():
        for screen in instrument.screens:
            if items.intersection(screen.items):
                yield datetime.fromisoformat(at), f"{instrument.key}/{screen.key}"
                break


def _instrument_rows(measured: Pace, instruments: Iterable[Instrument]) -> Iterator[InstrumentRows]:
    slowest = max((step.seconds or 0 for step in measured.steps.values()), default=0)
    newest = {instrument.key: instrument for instrument in instruments}
    for instrument in newest.values():
        rows = [
            _row(number, instrument, screen, measured.steps[name], slowest)
            for number, screen in enumerate(instrument.screens, start=1)
            if (name := f"{instrument.key}/{screen.key}") in measured.steps
        ]
        if rows:
            yield InstrumentRows(instrument.wording["en"].title, tuple(rows))


def _row(
    number: int, instrument: Instrument, screen: Screen, step: Step, slowest: float
) -> QuestionRow:
    seconds = step.seconds if step.times >= FEW else None
    return QuestionRow(
        number=number,
        text=instrument.wording["en"].question(screen),
        seconds=seconds,
        times=step.times,
        stopped=step.stopped,
        width=round(100 * seconds / slowest) if seconds and slowest else 0,
    )
