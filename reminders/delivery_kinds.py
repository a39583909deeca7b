"""What a provider's report says about an address: our own reading of the raw event. Pure.

The table is data (`delivery_kinds.toml`), so that whoever runs a clinic can read it and argue.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

Plain = str | int | bool
Payload = dict[str, Plain]

TABLE = Path(__file__).with_suffix(".toml")
OTHER = "other"  # a provider without a table of its own
LONGEST = 40  # characters of a value that is kept; what we look for is shorter
DEEPEST = 6
STATUS = "status"  # where the codes found in the receiving server's answer are kept
FULL = "full"  # its words say that the mailbox is full, whatever the code

_STATUS = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?!\.?\d)")
_FULL = re.compile(
    r"\b(?:mailbox|inbox|account)\b.{0,40}\bfull\b|\bover\s?quota\b|\bquota\s+(?:is\s+)?exceeded\b"
    r"|\bout of storage\b",
    re.IGNORECASE | re.DOTALL,
)


class Report(StrEnum):
    NOTHING = "nothing"
    TAKEN = "taken"  # the provider has it
    DELIVERED = "delivered"
    DEFERRED = "deferred"
    SOFT = "soft"
    HARD = "hard"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    REFUSED = "refused"  # the provider will not try


@dataclass(frozen=True, slots=True)
class Row:
    when: Mapping[tuple[str, ...], frozenset[str]]  # any of these fields has any of these values
    means: Report
    because: str

    def fits(self, values: Mapping[str, str]) -> bool:
        return all(
            any(values.get(field) in wanted for field in fields)
            for fields, wanted in self.when.items()
        )


@dataclass(frozen=True, slots=True)
class Words:
    """One provider's table, and the fields of its events that are worth keeping."""

    rows: tuple[Row, ...]
    status: frozenset[str]
    kept: frozenset[str]


def report(provider: str, kind: str, payload: Mapping[str, Any]) -> Report:
    """`kind` is Anymail's event type, `payload` what was kept of the raw event."""
    words = PROVIDERS.get(provider, PROVIDERS[OTHER])
    values = {key: str(value).lower() for key, value in payload.items()} | {"kind": kind}
    found = next((row.means for row in words.rows if row.fits(values)), Report.NOTHING)
    if found is Report.HARD and not_the_address(words, values):
        return Report.SOFT
    return found


def not_the_address(words: Words, values: Mapping[str, str]) -> bool:
    """The receiving server's own code says that the address may be alive."""
    codes = " ".join(values.get(field, "") for field in (STATUS, *words.status)).split()
    soft = any(fnmatchcase(code, pattern) for code in codes for pattern in NOT_THE_ADDRESS)
    return soft or values.get(FULL) == "true"


def kept(provider: str, raw: Any, answer: str = "") -> Payload:
    """Of a raw event its classifying fields, of the receiving server's answer its codes."""
    wanted = PROVIDERS.get(provider, PROVIDERS[OTHER]).kept
    found: Payload = {
        path: value for path, value in _plain(raw) if path in wanted and _is_short(value)
    }
    if codes := " ".join(dict.fromkeys(_STATUS.findall(answer)))[:LONGEST]:
        found[STATUS] = codes
    if _FULL.search(answer):
        found[FULL] = True
    return found


def _plain(raw: Any, path: str = "", depth: int = DEEPEST) -> Iterator[tuple[str, Any]]:
    """Each plain value with its path. Of a list the first: we write to one recipient at a time."""
    if isinstance(raw, Mapping) and depth:
        for key, value in raw.items():
            yield from _plain(value, f"{path}.{key}".lstrip(".").lower(), depth - 1)
    elif isinstance(raw, list) and raw and depth:
        yield from _plain(raw[0], path, depth - 1)
    else:
        yield path, raw


def _is_short(value: Any) -> bool:
    if isinstance(value, bool | int):
        return abs(value) < 10**9
    return isinstance(value, str) and len(value) <= LONGEST and "@" not in value


def _words(section: Mapping[str, Any]) -> Words:
    rows = tuple(_row(row) for row in section["row"])
    named = {field for row in rows for fields in row.when for field in fields}
    status = frozenset(section.get("status", ()))
    return Words(rows, status, frozenset(named | status | set(section.get("keep", ()))))


def _row(row: Mapping[str, Any]) -> Row:
    when = {
        tuple(field.split("|")): frozenset(
            value.lower() for value in ([wanted] if isinstance(wanted, str) else wanted)
        )
        for field, wanted in row["when"].items()
    }
    return Row(when, Report(row["means"]), row["because"])


_TABLE = tomllib.loads(TABLE.read_text(encoding="utf-8"))
NOT_THE_ADDRESS: tuple[str, ...] = tuple(row["status"] for row in _TABLE.pop("not_the_address"))
PROVIDERS: Mapping[str, Words] = {name: _words(section) for name, section in _TABLE.items()}
