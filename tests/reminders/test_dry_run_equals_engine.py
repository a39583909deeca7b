"""For a thousand random protocols and histories, the dry run is what the engine then sends.

Every run lives through the first hundred or so; all of them: `pytest -m "thousand or slow"` here.
"""

import pytest

from tests.reminders.random_histories import SEASONS, history
from tests.reminders.worlds import World, make_clinics

TOGETHER = 25  # patients who live at the same time
ALWAYS = 125

GROUPS = [
    pytest.param(first, marks=[pytest.mark.thousand] if first >= ALWAYS else [])
    for first in range(0, 1000, TOGETHER)
]


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("first", GROUPS)
def test_the_dry_run_is_what_the_engine_sends(first, mailoutbox):
    seeds = range(first, first + TOGETHER)
    world = World(map(history, seeds), make_clinics(SEASONS[0]))
    world.live()
    wrong = {life.told.seed: life.differences() for life in world.lives}
    assert {seed: found for seed, found in wrong.items() if found} == {}
    assert len(mailoutbox) == sum(len(life.sent) for life in world.lives)
