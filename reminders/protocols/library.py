"""The built-in protocols, one file per version."""

from functools import cache
from pathlib import Path

from reminders.protocols.reading import InvalidProtocol, parse
from reminders.protocols.shape import Protocol

CATALOGUE = Path(__file__).resolve().parent.parent / "catalogue"


@cache
def available() -> tuple[str, ...]:
    return tuple(sorted(folder.name for folder in CATALOGUE.iterdir() if folder.is_dir()))


@cache
def get(protocol_id: str, version: str) -> Protocol:
    """One version. Raises KeyError for what is not in the catalogue."""
    path = CATALOGUE / protocol_id / f"{version}.toml"
    if protocol_id not in available() or not path.is_file():
        raise KeyError(f"{protocol_id} {version}")
    protocol = parse(path.read_text(encoding="utf-8"))
    if (protocol.id, protocol.version) != (protocol_id, version):
        raise InvalidProtocol(f"{protocol_id}/{version}.toml calls itself otherwise")
    return protocol


@cache
def latest(protocol_id: str) -> Protocol:
    if protocol_id not in available():
        raise KeyError(protocol_id)
    newest = max(path.stem for path in (CATALOGUE / protocol_id).glob("*.toml"))
    return get(protocol_id, newest)
