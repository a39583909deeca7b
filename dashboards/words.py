"""What staff pages say about numbers, in one place: the sentence above a chart is made of the very
values the chart is drawn from."""

from datetime import date, datetime
from decimal import ROUND_FLOOR, Decimal
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboards.rows import Definitions, LineKind, Point, Standing, plain
from surveys.change import Change


def line_name(kind: LineKind, value: Decimal) -> str:
    """A response begins at or below its line: the last printed decimal is cut, not rounded up."""
    shown = value.quantize(Decimal("0.1"), ROUND_FLOOR)
    names = {
        "baseline": _("baseline %(value)s"),
        "response": _("response ≤ %(value)s"),
        "remission": _("remission < %(value)s"),
    }
    return names[kind] % {"value": plain(shown)}


def standing(now: Standing, zone: ZoneInfo) -> str:
    """PHQ-9 9 (mild) on 12 Mar 2026, down 13 from baseline 22: response, not remission."""
    parts = {
        "score": _score(now.title, now.latest),
        "day": day(now.latest.at, zone),
        "change": _change(now),
        "verdict": "; ".join(filter(None, _verdict(now, zone))),
    }
    if not now.definitions:
        return _("%(score)s on %(day)s.") % parts
    if parts["verdict"]:
        return _("%(score)s on %(day)s, %(change)s: %(verdict)s.") % parts
    return _("%(score)s on %(day)s, %(change)s.") % parts


def _score(title: str, point: Point) -> str:
    parts = {"title": title, "value": point.value, "band": point.band}
    return (_("%(title)s %(value)s (%(band)s)") if point.band else _("%(title)s %(value)s")) % parts


def _change(now: Standing) -> str:
    if now.baseline is None:
        return _("no baseline")
    if now.change is None:
        return _("the baseline")
    moved = now.latest.value - now.baseline.value
    parts = {"by": plain(abs(moved)), "baseline": now.baseline.value}
    if moved == 0:
        return _("the same as baseline %(baseline)s") % parts
    down, up = (
        _("down %(by)s from baseline %(baseline)s"),
        _("up %(by)s from baseline %(baseline)s"),
    )
    return (down if moved < 0 else up) % parts


def _verdict(now: Standing, zone: ZoneInfo) -> tuple[str, ...]:
    if now.change is None:
        return ()
    if now.best is None:
        return (verdict(now.change, now.definitions),)
    parts = {
        "by": plain(now.latest.value - now.best.value),
        "best": now.best.value,
        "day": day(now.best.at, zone),
    }
    reached = _reached(now.change)
    return reached, _("up %(by)s from the best, %(best)s on %(day)s") % parts


def verdict(change: Change, defined: Definitions) -> str:
    """In the words the definitions use; nothing where an instrument defines nothing."""
    least = {"points": "" if defined.minimal_change is None else plain(defined.minimal_change)}
    if change.deteriorated:
        return _("worse by at least %(points)s") % least
    reached = _reached(change)
    if reached or change.minimal is None:
        return reached
    if not change.minimal:
        return _("no change of %(points)s or more") % least
    return _("better by at least %(points)s, no response yet") % least


def _reached(change: Change) -> str:
    if change.response and change.remission:
        return _("response and remission")
    if change.response:
        return _("response") if change.remission is None else _("response, not remission")
    return _("remission, not response") if change.remission else ""


def definitions(defined: Definitions) -> list[str]:
    """What the words of the verdict mean, printed wherever they are used."""
    said = []
    if defined.response_percent is not None:
        percent = {"percent": defined.response_percent}
        said.append(_("Response: at least %(percent)s%% better than baseline.") % percent)
    if defined.remission_below is not None:
        said.append(_("Remission: below %(score)s.") % {"score": defined.remission_below})
    if defined.minimal_change is not None:
        least = ngettext(
            "A change that matters: %(points)s point or more.",
            "A change that matters: %(points)s points or more.",
            int(defined.minimal_change),
        )
        said.append(least % {"points": plain(defined.minimal_change)})
    return said


def day(at: datetime | date, zone: ZoneInfo) -> str:
    """12 Mar 2026, on the clinic's calendar."""
    local = at.astimezone(zone) if isinstance(at, datetime) else at
    return date_format(local, "j M Y")


def infusions_so_far(given: int, planned: int | None) -> str:
    parts = {"given": given, "planned": planned}
    if planned is None:
        return ngettext("%(given)s infusion.", "%(given)s infusions.", given) % parts
    return _("%(given)s of %(planned)s infusions.") % parts


def answer_alert(title: str, item: str, given: str, before: int | None) -> str:
    """PHQ-9 question 9: 0 before, now 2."""
    parts = {"title": title, "item": item, "given": given, "before": before}
    if given == "-":
        return _("%(title)s question %(item)s was left unanswered") % parts
    if before is None:
        return _("%(title)s question %(item)s: %(given)s, first answer") % parts
    return _("%(title)s question %(item)s: %(before)s before, now %(given)s") % parts


def symptom_alert(title: str, symptom: str) -> str:
    """Symptoms and red flags are told by their own words, not by a number nobody knows."""
    return _("%(title)s: %(symptom)s") % {"title": title, "symptom": symptom}


def score_alert(title: str, given: str, *, at_least: int | None, rise: int | None) -> str:
    """A score, and what of it needs a person. PHQ-9 score 13: worse by 5 or more."""
    why = []
    if at_least is not None:
        why.append(_("%(at_least)s or more") % {"at_least": at_least})
    if rise is not None:
        why.append(_("worse by %(rise)s or more") % {"rise": rise})
    return _("%(title)s score %(given)s: %(why)s") % {
        "title": title,
        "given": given,
        "why": ", ".join(why),
    }
