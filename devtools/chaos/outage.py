"""A long outage in real time: a thousand are due, and the provider answers 500 to everything.

No circuit is hurried here: its pauses are those of production.
"""

import time

from devtools.chaos import storm
from devtools.chaos.crew import Crew
from devtools.chaos.havoc import Havoc
from devtools.chaos.place import Place
from devtools.chaos.storm import Verdict
from devtools.processes import StartFailed

DUE = 1000
MOODS = ("outage, taking nothing", "outage, taking all")  # by the seed
RECOVERY_SECONDS = 720  # the longest pause of a circuit is ten minutes


def run(place: Place, minutes: float) -> Verdict:
    mood = MOODS[place.seed // 2 % len(MOODS)]
    storm.set_up(place, time.time() + storm.UNTIL_BEGIN, 0, DUE)
    place.provider.tell("mood", mood=mood)
    storm.say(f"the provider is {mood} for {minutes:g} minutes")
    crew = Crew(place)
    crew.start()
    havoc = Havoc(place, crew)
    _last(havoc, 60 * minutes)
    state = place.provider.state()
    storm.say(f"{state['calls']} calls, {state['taken']} taken; {place.connections} at once")
    if not state["calls"]:
        raise StartFailed("nobody called the provider during its outage")
    return storm.settle_and_judge(havoc, RECOVERY_SECONDS)


def _last(havoc: Havoc, seconds: float) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        havoc.tend()
        storm.watch(havoc)
        time.sleep(0.1)
