"""Follow-ups that gave no score: they are shown, never bridged."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from clinic.models import Patient
from dashboards.queries.definitions import instrument_of
from dashboards.rows import Gap
from surveys import instruments
from surveys.models import Response, StepDue


def gaps(patient: Patient, responses: Sequence[Response], now: datetime) -> dict[str, list[Gap]]:
    """By instrument: what was asked and not answered, begun and not finished, or gave no score."""
    found: dict[str, list[Gap]] = defaultdict(list)
    begun = set()
    for response in responses:
        if gap := _unscored(response, now):
            found[response.instrument.key].append(gap)
            begun.add((response.follow_up_id, response.instrument.key))
    expired = StepDue.objects.filter(course__patient=patient, state=StepDue.State.EXPIRED)
    for due in expired.order_by("target_at"):
        for key in {instruments.split_name(name)[0] for name in due.instruments}:
            if (due.follow_up_id, key) not in begun:
                found[key].append(Gap(due.target_at, "missed"))
    return found


def _unscored(response: Response, now: datetime) -> Gap | None:
    asked = instrument_of(response.instrument)
    scored = {item.key for item in asked.items if item.scored}
    if response.subset:
        scored &= set(response.subset.split(","))
    answered = sum(response.answers.get(key) is not None for key in scored)
    if response.finished_at is not None:
        drawn = {scale.key for scale in asked.drawn_scales}
        scores = [score for score in response.scores.all() if score.scale in drawn]
        if not scores or any(score.value is not None for score in scores):
            return None
        return Gap(response.finished_at, "no_score", answered, len(scored))
    if response.follow_up is None or response.follow_up.closes_at > now:
        return None
    return Gap(response.started_at, "unfinished", answered, len(scored))
