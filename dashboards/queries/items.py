"""The single answers behind a score, the one about suicide first."""

from collections.abc import Iterable

from clinic.models import Patient
from dashboards.queries.definitions import instrument_of
from dashboards.rows import ItemRow, ItemTable
from surveys.instruments import Item
from surveys.models import Response

SHOWN = 8  # the latest answers; older ones are in their scores


def items(patient: Patient, key: str, *, with_safety: bool) -> ItemTable | None:
    """The latest answers to one instrument, unfinished ones too. One query."""
    responses = list(
        Response.objects.filter(patient=patient, instrument__key=key)
        .exclude(answers={})
        .select_related("instrument")
        .defer("instrument__text")
        .order_by("-started_at")[:SHOWN]
    )
    if not responses:
        return None
    instrument = instrument_of(responses[0].instrument)
    wording = instrument.wording["en"]
    rows = [
        ItemRow(
            item.key, wording.items[item.key], tuple(r.answers.get(item.key) for r in responses)
        )
        for item in _in_order(instrument.items)
        if with_safety or item.safety is None
    ]
    zone = patient.clinic.tz
    return ItemTable(
        title=wording.title,
        days=tuple((r.finished_at or r.started_at).astimezone(zone).date() for r in responses),
        rows=tuple(rows),
        choices=tuple(wording.choices[rows[0].key].items()) if rows else (),
    )


def _in_order(items: Iterable[Item]) -> list[Item]:
    return sorted(items, key=lambda item: item.safety is None)
