"""The single answers, the one about suicide first."""

from collections.abc import Iterable, Mapping

from clinic.models import Patient
from dashboards.queries.definitions import instrument_of
from dashboards.rows import ItemRow, ItemTable
from surveys.instruments import Instrument, Item
from surveys.models import Response

SHOWN = 8  # the latest answers; older ones are in their scores
TICKED = "had-"  # "I had this": how bad it was is an item of its own


def items(patient: Patient, key: str, *, only_given: bool = False) -> ItemTable | None:
    """The latest answers to one instrument, unfinished ones too. One query.

    `only_given` leaves out what was never above 0: of a long list of symptoms most never happen.
    """
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
    shown = _in_order(instrument.items)
    rows = [_row(instrument, item, responses) for item in shown if not item.key.startswith(TICKED)]
    zone = patient.clinic.tz
    return ItemTable(
        title=instrument.wording["en"].title,
        days=tuple((r.finished_at or r.started_at).astimezone(zone).date() for r in responses),
        modes=tuple(r.mode for r in responses),
        rows=tuple(row for row in rows if not only_given or any(row.answers)),
        choices=tuple(_choices(instrument, shown).items()),
    )


def _row(instrument: Instrument, item: Item, responses: Iterable[Response]) -> ItemRow:
    return ItemRow(
        key=item.key if item.key.isdigit() and not instrument.project_text else "",
        wording=instrument.wording["en"].items[item.key],
        answers=tuple(response.answers.get(item.key) for response in responses),
    )


def _choices(instrument: Instrument, shown: Iterable[Item]) -> Mapping[int, str]:
    """The words of the numbers, from the question that offers most."""
    choices = instrument.wording["en"].choices
    return max((choices.get(item.key, {}) for item in shown), key=len, default={})


def _is_about_suicide(item: Item) -> bool:
    return item.safety is not None and item.safety.kind == "suicide"


def _in_order(items: Iterable[Item]) -> list[Item]:
    return sorted(items, key=lambda item: not _is_about_suicide(item))
