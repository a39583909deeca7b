"""Scores of one scale as points."""

from collections.abc import Sequence

from dashboards.queries.definitions import instrument_of, printed
from dashboards.rows import (
    Point,
    Series,
)
from surveys.instruments import Scale
from surveys.models import Response, Score


def series_of(responses: Sequence[Response], scale: Scale) -> Series | None:
    points = [
        point
        for response in responses
        for score in response.scores.all()
        if score.scale == scale.key and (point := _point(response, score, scale))
    ]
    return Series(scale.key, scale.key, tuple(points)) if points else None


def _point(response: Response, score: Score, scale: Scale) -> Point | None:
    if response.finished_at is None or score.value is None or score.exact is None:
        return None
    return Point(
        at=response.finished_at,
        value=printed(score.value, scale),
        exact=score.exact,
        band=score.band or _chosen_words(response, scale),
        missing=score.missing,
        mode=response.mode,
        late=response.late,
    )


def _chosen_words(response: Response, scale: Scale) -> str:
    """One question with a word for each answer says what its number means (PGIC)."""
    if len(scale.items) != 1:
        return ""
    item = scale.items[0]
    choices = instrument_of(response.instrument).wording["en"].choices.get(item, {})
    answer = response.answers.get(item)
    chosen = choices.get(answer, "") if answer is not None else ""
    return "" if chosen.isdigit() else chosen.lower()
