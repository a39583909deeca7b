"""What a score is read against: named levels, and the best one so far."""

from collections.abc import Sequence
from decimal import Decimal

from dashboards.rows.trends import Definitions, LineKind, Point


def reference_lines(
    baseline: Point | None, definitions: Definitions
) -> list[tuple[LineKind, Decimal]]:
    """The levels a chart draws: baseline, where response begins, where remission begins."""
    found: list[tuple[LineKind, Decimal]] = []
    if baseline is not None:
        found.append(("baseline", baseline.value))
        if definitions.response_percent is not None:
            kept = Decimal(100 - definitions.response_percent) / 100
            found.append(("response", baseline.exact * kept))
    if definitions.remission_below is not None:
        found.append(("remission", Decimal(definitions.remission_below)))
    return found


def plain(value: Decimal) -> str:
    """A score as it is printed: 9, 4.3, never 9.0."""
    whole = value.to_integral_value()
    return str(whole) if value == whole else str(value.normalize())


def lost_again(
    points: Sequence[Point], since: Point | None, definitions: Definitions
) -> Point | None:
    """The best score since the baseline, if the latest is worse than it by a change that matters.

    Only for scales on which higher is worse, as all with such a threshold are.
    """
    if since is None or definitions.minimal_change is None:
        return None
    later = [point for point in points if point.at >= since.at]
    latest, best = newest(later), min(later, key=lambda point: point.exact, default=None)
    if latest is None or best is None or best.at == since.at:
        return None
    return best if latest.exact - best.exact >= definitions.minimal_change else None


def newest(points: Sequence[Point]) -> Point | None:
    return max(points, key=lambda point: point.at, default=None)
