"""A patient who began treatment: a baseline, an infusion, answers since."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from clinic import infusions
from clinic.infusions import InfusionDetails
from clinic.models import Clinic, Course
from surveys.models import FollowUp, StepDue
from tests.builders import BY_TEST
from tests.surveys.follow_ups import answer_all, make_follow_up

DAY = timedelta(days=1)


def allow_own_trend(clinic: Clinic) -> None:
    Clinic.objects.filter(pk=clinic.pk).update(shows_own_trend=True)


def begin(course: Course, instruments: Sequence[str], *, at: datetime, value: int = 2) -> None:
    """The baseline, every item `value` but those about suicide, and an infusion on the next day."""
    answered(course, instruments, at=at, value=value)
    details = InfusionDetails(started_at=at + DAY)
    infusions.log(course, details, by=BY_TEST, now=at + DAY)


def answered(
    course: Course, instruments: Sequence[str], *, at: datetime, value: int, **given: int | None
) -> FollowUp:
    follow_up = make_follow_up(course, instruments, now=at)
    answer_all(follow_up, now=at, value=value, **{"i9": 0, **given})
    return follow_up


def missed(course: Course, instruments: Sequence[str], *, at: datetime) -> None:
    follow_up = make_follow_up(course, instruments, now=at)
    follow_up.dues.update(state=StepDue.State.EXPIRED)
