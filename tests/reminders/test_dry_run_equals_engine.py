"""For a thousand random protocols and histories, the dry run is what the engine then sends."""

import pytest

from tests.reminders.random_histories import SEASONS, history
from tests.reminders.worlds import World, make_clinics

TOGETHER = 25  # patients who live at the same time


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("first", range(0, 1000, TOGETHER))
def test_the_dry_run_is_what_the_engine_sends(first, mailoutbox):
    seeds = range(first, first + TOGETHER)
    world = World(map(history, seeds), make_clinics(SEASONS[0]))
    world.live()
    wrong = {life.told.seed: life.differences() for life in world.lives}
    assert {seed: found for seed, found in wrong.items() if found} == {}
    assert len(mailoutbox) == sum(len(life.sent) for life in world.lives)
