"""The built-in catalogue: one file per key and version, read once per process."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from surveys.instruments.parsing import parse
from surveys.instruments.reading import InvalidInstrument
from surveys.instruments.shape import Instrument

CATALOGUE = Path(__file__).parent.parent / "catalogue"


@cache
def _files() -> dict[tuple[str, str], Path]:
    return {(path.parent.name, path.stem): path for path in sorted(CATALOGUE.glob("*/*.toml"))}


def available() -> list[tuple[str, str]]:
    """Every (key, version) in the catalogue, oldest version first."""
    return list(_files())


@cache
def get(key: str, version: str) -> Instrument:
    path = _files().get((key, version))
    if path is None:
        raise InvalidInstrument(f"no instrument {key!r} in version {version!r}")
    instrument = parse(path.read_text(encoding="utf-8"))
    if (instrument.key, instrument.version) != (key, version):
        raise InvalidInstrument(f"{key}/{version}.toml calls itself otherwise")
    return instrument


@cache
def latest(key: str) -> Instrument:
    versions = [version for known, version in available() if known == key]
    if not versions:
        raise InvalidInstrument(f"no instrument {key!r}")
    return get(key, max(versions))


def split_name(name: str) -> tuple[str, tuple[str, ...]]:
    """`nrs24:average,worst` -> ("nrs24", ("average", "worst")). No colon means all items."""
    key, colon, subset = name.partition(":")
    items = tuple(subset.split(",")) if colon else ()
    if not key or (colon and not all(items)):
        raise InvalidInstrument(f"{name!r} does not name an instrument")
    return key, items


def named(name: str) -> Instrument:
    """The latest version of what a protocol names, cut to the items it asks for."""
    key, items = split_name(name)
    return select(latest(key), items) if items else latest(key)


def select(instrument: Instrument, subset: Sequence[str]) -> Instrument:
    """Only these items, same key and version. A scale that would lose an item is refused."""
    chosen = set(subset)
    if unknown := chosen - {item.key for item in instrument.items}:
        raise InvalidInstrument(f"{instrument.key} has no item {', '.join(sorted(unknown))}")
    scales = tuple(scale for scale in instrument.scales if chosen.issuperset(scale.needs))
    if not chosen or {key for scale in scales for key in scale.items} != chosen:
        raise InvalidInstrument(f"{instrument.key} cannot be cut to {', '.join(sorted(chosen))}")
    keys = {scale.key for scale in scales}
    return replace(
        instrument,
        items=tuple(item for item in instrument.items if item.key in chosen),
        scales=scales,
        screens=tuple(screen for screen in instrument.screens if chosen.issuperset(screen.items)),
        findings=tuple(finding for finding in instrument.findings if finding.scale in keys),
        watches=tuple(watch for watch in instrument.watches if watch.scale in keys),
    )
