"""What the patient's own trend says: a sentence first, then the same numbers that are drawn."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from surveys.drawing import Drawing, drawing
from surveys.own_trend import OwnTrend


@dataclass(frozen=True, slots=True)
class Told:
    """One own trend as its page tells it."""

    topic: str
    sentence: str
    drawing: Drawing
    caption: str  # the drawing in words
    rows: tuple[tuple[str, str], ...]  # day, number: every dot and every gap


def told(trend: OwnTrend, zone: ZoneInfo) -> Told:
    return Told(
        topic=_topic(trend),
        sentence=_sentence(trend),
        drawing=drawing(trend),
        caption=_caption(trend, zone),
        rows=tuple(_rows(trend, zone)),
    )


def _topic(trend: OwnTrend) -> str:
    """What the questions were about, in words of every day and never those of a diagnosis."""
    topics = {
        "phq9": _("Low mood"),
        "phq8": _("Low mood"),
        "gad7": _("Worry"),
        "pcl5": _("Stress after a bad event"),
        "peg": _("Pain and daily life"),
        "nrs7": _("Pain in the past week"),
        "nrs24": _("Pain in the past day"),
    }
    return topics.get(trend.key, trend.title)


def _sentence(trend: OwnTrend) -> str:
    if trend.direction == "same":
        return _("Your answers today are the same as at the start.")
    if trend.scale.higher_is == "worse":
        lower = _("Your answers today are lower than at the start (lower is better).")
        higher = _("Your answers today are higher than at the start (lower is better).")
    else:
        lower = _("Your answers today are lower than at the start (higher is better).")
        higher = _("Your answers today are higher than at the start (higher is better).")
    return lower if trend.direction == "lower" else higher


def _caption(trend: OwnTrend, zone: ZoneInfo) -> str:
    parts = {
        "day": _day(trend.start.at, zone),
        "start": trend.printed(trend.start.value),
        "today": trend.printed(trend.today.value),
        "low": trend.printed(trend.scale.minimum),
        "high": trend.printed(trend.scale.maximum),
    }
    words = _(
        "At the start, %(day)s: %(start)s. Today: %(today)s. The scale is %(low)s to %(high)s."
    )
    return words % parts


def _rows(trend: OwnTrend, zone: ZoneInfo) -> list[tuple[str, str]]:
    numbers = [(point.at, trend.printed(point.value)) for point in trend.points]
    numbers += [(gap, _("no answer")) for gap in trend.gaps]
    return [(_day(at, zone), number) for at, number in sorted(numbers)]


def _day(at: datetime, zone: ZoneInfo) -> str:
    return formats.date_format(at.astimezone(zone), pgettext("a day of a year", "F j, Y"))
