"""Instruments: questionnaires as data, read from TOML. Knows nothing of Django or patients."""

from surveys.instruments.library import available, get, latest, named, select, split_name
from surveys.instruments.parsing import parse
from surveys.instruments.reading import InvalidInstrument
from surveys.instruments.shape import (
    Finding,
    Gate,
    Instrument,
    Item,
    Kind,
    Level,
    OffScale,
    SafetyKind,
    SafetyRule,
    Scale,
    Screen,
    Substitution,
    SymptomCount,
    Watch,
    Wording,
    completed,
    offered,
)

__all__ = [
    "Finding",
    "Gate",
    "Instrument",
    "InvalidInstrument",
    "Item",
    "Kind",
    "Level",
    "OffScale",
    "SafetyKind",
    "SafetyRule",
    "Scale",
    "Screen",
    "Substitution",
    "SymptomCount",
    "Watch",
    "Wording",
    "available",
    "completed",
    "get",
    "latest",
    "named",
    "offered",
    "parse",
    "select",
    "split_name",
]
