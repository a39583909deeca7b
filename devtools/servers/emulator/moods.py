"""How the provider behaves for a while: which answers it gives, how often, how slowly."""

from dataclasses import dataclass, field
from email.utils import formatdate
from enum import Enum
from random import Random


class Answer(Enum):
    YES = "takes it and says so"
    TAKES_500 = "takes it, answers 500"
    TAKES_SILENCE = "takes it, never answers"
    TAKES_HANG_UP = "takes it, closes the connection"
    TAKES_HTML = "takes it, answers 200 with a page of HTML"
    NO_500 = "takes nothing, answers 500"
    NO_502 = "takes nothing, answers 502 with a page of HTML"
    NO_HANG_UP = "takes nothing, closes the connection"
    NO_503 = "takes nothing, answers 503"
    NO_429 = "takes nothing, asks to wait"
    NO_401 = "takes nothing, answers 401"
    NO_403 = "takes nothing, answers 403"
    NO_ADDRESS = "takes nothing, says that the recipient bounced before"

    @property
    def takes(self) -> bool:
        return self is Answer.YES or self.name.startswith("TAKES")

    @property
    def leaves_doubt(self) -> bool:
        """Whether the sender cannot know if it was taken."""
        return self.name.startswith("TAKES") or self in (
            Answer.NO_500,
            Answer.NO_502,
            Answer.NO_HANG_UP,
        )


@dataclass(frozen=True, slots=True)
class Mood:
    weights: dict[Answer, float] = field(default_factory=lambda: {Answer.YES: 1.0})
    # How long an answer takes, at least and at most. What is taken is taken at once, so that
    # whoever is killed meanwhile does not know of it.
    seconds: tuple[float, float] = (0.05, 0.3)

    @property
    def is_outage(self) -> bool:
        """Every answer leaves the sender in doubt."""
        return all(answer.leaves_doubt for answer in self.weights)

    def choose(self, rng: Random) -> Answer:
        (answer,) = rng.choices(list(self.weights), list(self.weights.values()))
        return answer


CALM = "calm"
MOODS = {
    CALM: Mood(),
    "lying now and then": Mood(
        {
            Answer.YES: 93,
            Answer.TAKES_500: 2,
            Answer.TAKES_HANG_UP: 1,
            Answer.TAKES_HTML: 1,
            Answer.NO_HANG_UP: 1,
            Answer.NO_500: 1,
            Answer.NO_ADDRESS: 1,
        }
    ),
    "silent now and then": Mood({Answer.YES: 97, Answer.TAKES_SILENCE: 3}),
    "slow": Mood(seconds=(0.5, 2.5)),
    "throttling": Mood({Answer.YES: 90, Answer.NO_429: 10}),
    "throttling all": Mood({Answer.NO_429: 1}),
    "not knowing us": Mood({Answer.NO_401: 1}),
    "barring us": Mood({Answer.NO_403: 1}),
    "out of service": Mood({Answer.NO_503: 1}),
    "outage, taking nothing": Mood({Answer.NO_500: 1}),
    "outage, taking all": Mood({Answer.TAKES_500: 1}),
    "outage, in HTML": Mood({Answer.NO_502: 1, Answer.TAKES_HTML: 1}),
    "outage, hanging up": Mood({Answer.NO_HANG_UP: 1, Answer.TAKES_HANG_UP: 1}),
}


def retry_after(rng: Random, now: float) -> str:
    """Seconds, an HTTP date, something absurd, or nothing."""
    absurd = rng.choice(["-5", "soon", "99999999999999", "1.5e3"])
    date = formatdate(now + 3, usegmt=True)
    return rng.choice(["1", "2", "5", date, absurd, ""])
