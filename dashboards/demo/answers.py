"""What a patient answers on one day, item by item, so that the totals tell their story."""

from collections.abc import Mapping, Sequence
from datetime import date
from random import Random

from dashboards.demo.lives import Life
from surveys.instruments import Instrument, Screen

Values = Mapping[str, int | None]

# Which items carry a total: sleep and tiredness first, slowness last.
_PHQ_WEIGHTS = (3, 3, 4, 5, 2, 3, 3, 1)
_COMMON = ("1", "2", "3", "4")  # nausea, dizziness, sleepiness, headache
_WITH_ITEM_9 = ("phq9",)


class Sitting:
    """One patient answering on one day. The same questions get the same answers again."""

    def __init__(self, life: Life, on: date) -> None:
        self.life, self.on = life, on
        self._answers: dict[str, dict[str, int]] = {}

    def answers(self, instrument: Instrument, screen: Screen) -> Values:
        """For one screen. Nobody skips in the demo but where skipping is offered."""
        if screen.kind == "ticks":
            return self._ticks(instrument, screen)
        known = self._of(instrument)
        return {item: known.get(item, screen.values[0]) for item in screen.items}

    def _ticks(self, instrument: Instrument, screen: Screen) -> Values:
        """No red flags; a common symptom now and then."""
        rng = self.life.rng(self.on, instrument.key, screen.key)
        if screen.key == "red-flags":
            return {}
        likely = [key for key in screen.items if key.removeprefix("had-") in _COMMON]
        return {key: 1 for key in likely if rng.random() < 0.22}

    def _of(self, instrument: Instrument) -> dict[str, int]:
        if instrument.key not in self._answers:
            rng = self.life.rng(self.on, instrument.key)
            self._answers[instrument.key] = self._made(instrument, rng)
        return self._answers[instrument.key]

    def _made(self, instrument: Instrument, rng: Random) -> dict[str, int]:
        key = instrument.key
        if key.startswith("phq"):
            return self._phq(instrument, rng)
        if key.startswith("nrs"):
            return self._ratings(rng)
        if key == "peg":
            pain = self._pain(rng)
            return {item: _rating(pain + rng.uniform(-0.1, 0.1)) for item in ("1", "2", "3")}
        if key == "pgic":
            return {"1": self._impression()}
        if key == "mood":
            return {"1": _rating(1 - self._mood(rng))}
        if key == "pcptsd5":
            return self._screened(rng)
        share = self._mood(rng) * (0.9 if key.startswith("gad") else 0.75)
        return _spread(instrument, share, rng)

    def _phq(self, instrument: Instrument, rng: Random) -> dict[str, int]:
        """Without item 9, whose answer is part of the story and not of the total's spread."""
        burden = self._mood(rng)
        plain = [item.key for item in instrument.items if item.scored and item.key != "9"]
        made = _filled(plain, round(burden * 3 * len(plain)), _PHQ_WEIGHTS, 3, rng)
        if instrument.key in _WITH_ITEM_9:
            made |= {"9": self._dark(), "10": min(3, round(burden * 3))}
        return made

    def _dark(self) -> int:
        life = self.life
        if life.dark_until is not None and self.on <= life.dark_until:
            return 2 if life.left else 1
        return 1 if life.dark_from is not None and self.on >= life.dark_from else 0

    def _ratings(self, rng: Random) -> dict[str, int]:
        pain = self._pain(rng)
        return {
            "average": _rating(pain),
            "worst": _rating(min(0.84, pain + 0.18)),
            "least": _rating(pain - 0.22),
            "now": _rating(pain + rng.uniform(-0.1, 0.1)),
        }

    def _impression(self) -> int:
        """PGIC: 1 very much improved … 7 very much worse. Here nobody says worse than 5."""
        relief = self.life.relief(self.on)
        steps = ((0.6, 1), (0.4, 2), (0.15, 3), (-0.1, 4))
        return next((answer for least, answer in steps if relief >= least), 5)

    def _screened(self, rng: Random) -> dict[str, int]:
        exposed = self.life.indication == "ptsd" or rng.random() < 0.4
        likely = 0.85 if self.life.indication == "ptsd" else 0.3
        return {"exposure": int(exposed)} | {
            str(n): int(exposed and rng.random() < likely) for n in range(1, 6)
        }

    def _mood(self, rng: Random) -> float:
        return _between(self.life.mood * (1 - self.life.relief(self.on)) + rng.gauss(0, 0.04))

    def _pain(self, rng: Random) -> float:
        return _between(self.life.pain * (1 - 0.6 * self.life.relief(self.on)) + rng.gauss(0, 0.04))


def _spread(instrument: Instrument, share: float, rng: Random) -> dict[str, int]:
    keys = [item.key for item in instrument.items if item.scored]
    highest = max(instrument.items[0].values)
    return _filled(keys, round(share * highest * len(keys)), (1,) * len(keys), highest, rng)


def _filled(
    keys: Sequence[str], total: int, weights: Sequence[int], highest: int, rng: Random
) -> dict[str, int]:
    """`total` points over the items, one by one, none above `highest`."""
    made = dict.fromkeys(keys, 0)
    for _ in range(min(total, highest * len(keys))):
        free = [key for key in keys if made[key] < highest]
        likely = [weights[keys.index(key) % len(weights)] for key in free]
        made[rng.choices(free, likely)[0]] += 1
    return made


def _between(share: float) -> float:
    return min(0.97, max(0.0, share))


def _rating(share: float) -> int:
    return round(10 * _between(share))
