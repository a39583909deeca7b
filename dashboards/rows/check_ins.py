"""Rows of the page about how check-ins go."""

from dataclasses import dataclass

FEW = 5  # fewer say nothing, and might say something about somebody


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """`seconds` none: too few to say. `width` is a share of the slowest question, 0 to 100."""

    number: int
    text: str
    seconds: float | None
    times: int
    stopped: int
    width: int = 0


@dataclass(frozen=True, slots=True)
class InstrumentRows:
    title: str
    rows: tuple[QuestionRow, ...]


@dataclass(frozen=True, slots=True)
class CheckIns:
    """Those that closed in the period: how many were asked, begun and sent."""

    asked: int
    begun: int
    sent: int
    half: float | None = None  # of the sent ones took no longer, in seconds; none: too few
    three_quarters: float | None = None
    instruments: tuple[InstrumentRows, ...] = ()

    @property
    def broken_off(self) -> int:
        return self.begun - self.sent

    @property
    def never_begun(self) -> int:
        return self.asked - self.begun

    @property
    def percent(self) -> int:
        return round(100 * self.sent / self.asked) if self.asked else 0

    @property
    def is_few(self) -> bool:
        return self.begun < FEW
