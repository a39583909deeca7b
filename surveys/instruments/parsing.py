"""TOML -> Instrument. Refuses what it does not understand, naming the place."""

import hashlib
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from surveys.instruments.reading import InvalidInstrument, Table
from surveys.instruments.shape import (
    Finding,
    Gate,
    Instrument,
    Item,
    Level,
    SafetyRule,
    Scale,
    Substitution,
    SymptomCount,
    Watch,
)
from surveys.instruments.soundness import refuse_contradictions
from surveys.instruments.wording import read_screens, read_wordings

LEVELS: tuple[Level, ...] = ("review", "urgent", "critical")


def parse(text: str) -> Instrument:
    """One definition. The hash is of the text as it stands, comments included."""
    try:
        top = Table(tomllib.loads(text, parse_float=Decimal), "instrument")
    except tomllib.TOMLDecodeError as error:
        raise InvalidInstrument(f"not TOML: {error}") from error
    instrument = _read(top, text)
    top.close()
    refuse_contradictions(instrument)
    return instrument


def _read(top: Table, text: str) -> Instrument:
    key = top.text("key")
    top.where = key
    findings = tuple(_finding(table) for table in top.tables("findings"))
    scales = tuple(_scale(table, findings) for table in top.tables("scales"))
    gates = tuple(_gate(table) for table in top.tables("gates"))
    plain, shown_if_any = _items(top)
    symptoms = tuple(_symptom(table) for table in top.tables("symptoms"))
    scored = {item for scale in scales for item in scale.items}
    items = tuple(_mark(item, item.key in scored) for item in (*plain, *sum(symptoms, ())))
    gates += tuple(Gate(tick.key, (severity.key,)) for tick, severity in symptoms)
    return Instrument(
        key=key,
        version=top.text("version"),
        licence=top.text("licence"),
        source=top.text("source"),
        items=items,
        scales=scales,
        screens=read_screens(top, items, gates, symptoms, shown_if_any),
        gates=gates,
        findings=findings,
        symptom_counts=tuple(_symptom_count(table) for table in top.tables("symptom_counts")),
        watches=tuple(_watch(table) for table in top.tables("watches")),
        substitutions=tuple(_substitution(table) for table in top.tables("substitutions")),
        wording=read_wordings(top, items, symptoms),
        form=top.optional("form", str),
        project_text=top.flag("project_text"),
        recall_days=top.optional("recall_days", int),
        min_interval=_hours(top, "min_interval_hours"),
        minimal_change=top.number("minimal_change"),
        response_percent=top.optional("response_percent", int),
        remission_below=top.optional("remission_below", int),
        loinc_panel=top.optional("loinc_panel", str),
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        text=text,
    )


def _hours(table: Table, name: str) -> timedelta | None:
    hours = table.optional(name, int)
    return None if hours is None else timedelta(hours=hours)


def _items(top: Table) -> tuple[tuple[Item, ...], Mapping[str, tuple[str, ...]]]:
    items, shown_if_any = [], {}
    for table in top.tables("items"):
        item = _item(table)
        shown_if_any[item.key] = table.texts("shown_if_any")
        table.close()
        items.append(item)
    return tuple(items), shown_if_any


def _item(table: Table) -> Item:
    return Item(
        key=table.text("key"),
        values=table.wholes("values"),
        loinc=table.optional("loinc", str),
        answer_loinc=table.by_code("answer_loinc", str),
        safety=_safety(table.table("safety")),
        may_decline=table.flag("may_decline"),
        not_applicable=table.optional("not_applicable", int),
    )


def _symptom(table: Table) -> tuple[Item, Item]:
    """A symptom is two items: whether it was ticked, and how bad it was."""
    key = table.text("key")
    safety = _safety(table.table("safety"))
    table.close()
    return Item(f"had-{key}", (0, 1)), Item(key, (0, 1, 2, 3), safety=safety)


def _mark(item: Item, scored: bool) -> Item:
    return Item(
        item.key, item.values, scored, item.loinc, item.answer_loinc, item.safety,
        item.may_decline, item.not_applicable,
    )  # fmt: skip


def _safety(table: Table | None) -> SafetyRule | None:
    if table is None:
        return None
    rule = SafetyRule(
        name=table.text("name"),
        kind=table.one_of("kind", ("suicide", "emergency", "other")),
        levels=_levels(table, "levels"),
        later_levels=_levels(table, "later_levels"),
        later_from=_hours(table, "later_from_hours"),
        skipped=table.flag("skipped"),
        rise=table.maybe_one_of("rise", LEVELS),
        repeated_from=table.optional("repeated_from", int),
        repeated=table.maybe_one_of("repeated", LEVELS),
    )
    table.close()
    return rule


def _levels(table: Table, name: str) -> dict[int, Level]:
    found: dict[int, Level] = {}
    for value, word in table.by_code(name, str).items():
        if word not in LEVELS:
            raise table.refuse(f"{name} {value}: unknown level {word!r}")
        found[value] = next(level for level in LEVELS if level == word)
    return found


def _scale(table: Table, findings: tuple[Finding, ...]) -> Scale:
    key, items = table.text("key"), table.texts("items")
    scale = Scale(
        key=key,
        items=items,
        rule=table.text("rule"),
        max_missing=table.required("max_missing", int),
        minimum=_bound(table, "minimum"),
        maximum=_bound(table, "maximum"),
        higher_is=table.one_of("higher_is", ("worse", "better")),
        bands=tuple(_band(table, band) for band in table.lists("bands")),
        cut=_cut(key, findings),
        loinc=table.optional("loinc", str),
        decimals=table.optional("decimals", int) or 0,
        needs=table.texts("needs") or items,
        multiplier=table.optional("multiplier", int) or 1,
        groups=_groups(table, "groups"),
        weights=tuple(_weight(table, text) for text in table.texts("weights")),
        alternatives=_groups(table, "alternatives"),
        table=_lookup(table),
    )
    table.close()
    return scale


def _bound(table: Table, name: str) -> Decimal:
    value = table.number(name)
    if value is None:
        raise table.refuse(f"{name} is missing")
    return value


def _cut(scale: str, findings: tuple[Finding, ...]) -> int | None:
    return next((f.at_least for f in findings if (f.key, f.scale) == ("positive", scale)), None)


def _band(table: Table, band: list[object]) -> tuple[int, str]:
    match band:
        case [int(start), str(word)]:
            return start, word
    raise table.refuse(f"bands holds {band!r}, not [from, word]")


def _groups(table: Table, name: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(str(item) for item in group) for group in table.lists(name))


def _weight(table: Table, text: str) -> Fraction:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise table.refuse(f"weights holds {text!r}, not a fraction such as 1/3") from error


def _lookup(table: Table) -> dict[int, Decimal]:
    """Raw sum -> score; scores are written as text so that 75.6 stays 75.6."""
    try:
        return {raw: Decimal(text) for raw, text in table.by_code("table", str).items()}
    except ArithmeticError as error:
        raise table.refuse("table holds a score that is not a number") from error


def _gate(table: Table) -> Gate:
    gate = Gate(table.text("item"), table.texts("items"))
    table.close()
    return gate


def _finding(table: Table) -> Finding:
    finding = Finding(
        key=table.text("key"),
        scale=table.text("scale"),
        at_least=table.optional("at_least", int),
        at_most=table.optional("at_most", int),
        by_bounds=table.flag("by_bounds"),
    )
    table.close()
    return finding


def _symptom_count(table: Table) -> SymptomCount:
    key, scale = table.text("key"), table.text("scale")
    symptom_from = table.required("symptom_from", int)
    groups = []
    for group in table.tables("groups"):
        groups.append((group.texts("items"), group.required("count", int)))
        group.close()
    table.close()
    return SymptomCount(key, scale, symptom_from, tuple(groups))


def _watch(table: Table) -> Watch:
    watch = Watch(
        name=table.text("name"),
        scale=table.text("scale"),
        level=table.one_of("level", LEVELS),
        at_least=table.optional("at_least", int),
        rise=table.number("rise"),
        since=table.maybe_one_of("since", ("baseline", "best")),
        with_item=table.optional("with_item", str),
        with_level=table.maybe_one_of("with_level", LEVELS),
    )
    table.close()
    return watch


def _substitution(table: Table) -> Substitution:
    change = Substitution(table.text("original"), table.text("replacement"), table.text("reason"))
    table.close()
    return change
