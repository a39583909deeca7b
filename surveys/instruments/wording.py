"""The part of a definition that a patient sees: screens in order, and words per language."""

from collections.abc import Iterator, Mapping

from surveys.instruments.reading import Table
from surveys.instruments.shape import Gate, Instrument, Item, Kind, Screen, Wording

Symptoms = tuple[tuple[Item, Item], ...]


def read_screens(
    top: Table,
    items: tuple[Item, ...],
    gates: tuple[Gate, ...],
    symptoms: Symptoms,
    shown_if_any: Mapping[str, tuple[str, ...]],
) -> tuple[Screen, ...]:
    """The screens as listed, or one per item in order."""
    kind: Kind = top.one_of("kind", ("choice", "scale"))
    gate_of = {item: gate.item for gate in gates for item in gate.items}
    listed = [screen for table in top.tables("screens") for screen in _listed(table, symptoms)]
    if listed:
        return tuple(listed)
    return tuple(
        Screen(
            key=item.key,
            kind=kind,
            items=(item.key,),
            values=item.values,
            shown_if=gate_of.get(item.key),
            shown_if_any=shown_if_any.get(item.key, ()),
        )
        for item in items
    )


def _listed(table: Table, symptoms: Symptoms) -> tuple[Screen, ...]:
    key = table.text("key")
    if table.peek("kind") == "symptoms":
        table.text("kind")
        table.close()
        return _symptom_screens(key, symptoms)
    kind: Kind = table.one_of("kind", ("choice", "scale", "ticks"))
    items, values = table.texts("items"), table.wholes("values") or (0, 1)
    table.close()
    return (Screen(key, kind, items, values),)


def _symptom_screens(key: str, symptoms: Symptoms) -> tuple[Screen, ...]:
    """One screen of ticks, then how bad each ticked symptom was: 0 is what unticked means."""
    ticks = Screen(key, "ticks", tuple(tick.key for tick, _ in symptoms), (0, 1))
    return (
        ticks,
        *(
            Screen(
                key=f"how-bad-{severity.key}",
                kind="severity",
                items=(severity.key,),
                values=tuple(value for value in severity.values if value),
                shown_if=tick.key,
            )
            for tick, severity in symptoms
        ),
    )


def read_wordings(top: Table, items: tuple[Item, ...], symptoms: Symptoms) -> Mapping[str, Wording]:
    languages = top.table("wording")
    if languages is None:
        raise top.refuse("wording is missing")
    where = top.where
    return {
        language: _wording(language, Table(values, f"{where}: wording {language}"), items, symptoms)
        for language, values in languages.rest().items()
    }


def _wording(language: str, table: Table, items: tuple[Item, ...], symptoms: Symptoms) -> Wording:
    texts = table.words("items")
    texts |= {severity.key: texts[tick.key] for tick, severity in symptoms if tick.key in texts}
    low, high = _anchors(table)
    stem = table.optional("stem", str) or ""
    wording = Wording(
        language=language,
        source=table.text("source"),
        reviewed=table.required("reviewed", bool),
        title=table.text("title"),
        attribution=table.text("attribution"),
        intro=table.optional("intro", str),
        stem=stem,
        items=texts,
        stems=dict.fromkeys(texts, stem) | _how_bad(table, symptoms) | table.words("stems"),
        choices=_choices(table) | _numbers(items, low),
        low=low,
        high=high,
        screens=table.words("screens"),
        declines=table.words("declines"),
        none_of_these=table.optional("none_of_these", str) or "",
        partial=table.flag("partial"),
    )
    table.close()
    return wording


def _how_bad(table: Table, symptoms: Symptoms) -> dict[str, str]:
    if not symptoms:
        return {}
    return dict.fromkeys((severity.key for _, severity in symptoms), table.text("how_bad"))


def _choices(table: Table) -> dict[str, dict[int, str]]:
    found: dict[str, dict[int, str]] = {}
    for choices in table.tables("choices"):
        labels = choices.by_code("labels", str)
        found |= {item: dict(labels) for item in choices.texts("items")}
        choices.close()
    return found


def _anchors(table: Table) -> tuple[dict[str, str], dict[str, str]]:
    low: dict[str, str] = {}
    high: dict[str, str] = {}
    for anchors in table.tables("anchors"):
        items = anchors.texts("items")
        low |= dict.fromkeys(items, anchors.text("low"))
        high |= dict.fromkeys(items, anchors.text("high"))
        anchors.close()
    return low, high


def _numbers(items: tuple[Item, ...], anchored: Mapping[str, str]) -> dict[str, dict[int, str]]:
    """A 0-10 item's choices are its numbers."""
    return {
        item.key: {value: str(value) for value in item.values}
        for item in items
        if item.key in anchored
    }


def gaps(instrument: Instrument) -> Iterator[str]:
    """Each item has words and exactly its own choices. `partial` lists fewer items knowingly."""
    values = {item.key: set(item.values) for item in instrument.items}
    for wording in instrument.wording.values():
        for complaint in _gaps(wording, values):
            yield f"wording {wording.language}: {complaint}"
        for item in instrument.items:
            if item.may_decline and item.key not in wording.declines:
                yield f"wording {wording.language}: item {item.key}: no words for declining"


def _gaps(wording: Wording, values: Mapping[str, set[int]]) -> Iterator[str]:
    if unknown := (set(wording.items) | set(wording.choices) | set(wording.stems)) - set(values):
        yield f"unknown items {', '.join(sorted(unknown))}"
        return
    if not wording.partial and (silent := set(values) - set(wording.items)):
        yield f"no words for {', '.join(sorted(silent))}"
    for key in wording.items:
        if set(wording.choices.get(key, ())) != values[key]:
            yield f"item {key}: the choices are not the item's values"
