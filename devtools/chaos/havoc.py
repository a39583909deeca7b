"""What is done to the service during a storm. Each function does one thing and says what it did.

The seed fixes what is chosen; when exactly it happens is the machine's affair.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from devtools.chaos.crew import Crew, Post
from devtools.chaos.place import LEASE_SECONDS, Place
from devtools.servers.emulator.moods import CALM, MOODS

SPELL_SECONDS = (3.0, 8.0)  # of one mood
OUTAGE_SECONDS = (6.0, 14.0)
PATIENCE = 2.5  # how long a blow waits for the moment at which it hurts most


@dataclass
class Havoc:
    place: Place
    crew: Crew
    rng: Random = field(init=False)
    strikes: int = 0
    mood_ends: float = 0.0
    redis_back_at: float = 0.0
    postgres_back_at: float = 0.0

    def __post_init__(self) -> None:
        self._draw()

    def strike(self) -> str:
        """The n-th blow of a seed is always the same, whatever the ones before it met."""
        self.strikes += 1
        self._draw()
        kinds: dict[Callable[[], str], float] = {
            self.change_mood: 26,
            self.kill_worker: 16,
            self.kill_pool_child: 14,
            self.freeze_worker: 9,
            self.ask_worker_to_stop: 5,
            self.kill_beat: 6,
            self.second_beat: 4,
            self.flush_redis: 6,
            self.stop_redis: 5,
            self.kill_web: 2,
        }
        if self.place.postgres is not None:
            kinds[self.crash_postgres] = 8
        (chosen,) = self.rng.choices(list(kinds), list(kinds.values()))
        return chosen()

    def tend(self) -> None:
        """What was taken away comes back when its time has come."""
        now = time.monotonic()
        if self.mood_ends and now >= self.mood_ends:
            self._be(self._usual())
            self.mood_ends = 0.0
        if self.redis_back_at and now >= self.redis_back_at:
            self.place.valkey.start()
            self.redis_back_at = 0.0
        if self.postgres_back_at and now >= self.postgres_back_at and self.place.postgres:
            self.place.postgres.start()
            self.postgres_back_at = 0.0
        self.crew.tend()

    def end(self) -> None:
        """All is well again."""
        self.mood_ends = 0.0
        self._be(CALM)
        self.redis_back_at = self.redis_back_at and 1.0
        self.postgres_back_at = self.postgres_back_at and 1.0
        self.tend()
        self.crew.calm()

    def change_mood(self) -> str:
        """Two outages never touch: each is counted by itself."""
        moods = [name for name in MOODS if name not in (CALM, "lying now and then")]
        mood = self.rng.choice(moods)
        seconds = self.rng.uniform(*(OUTAGE_SECONDS if MOODS[mood].is_outage else SPELL_SECONDS))
        self._be(mood)
        self.mood_ends = time.monotonic() + seconds
        return f"the provider is {mood} for {seconds:.0f} s"

    def kill_worker(self) -> str:
        post = self._one(self.crew.workers())
        if post is None:
            return "no worker to kill"
        how = self._await_calls(post)
        self.crew.kill(post, self.rng.uniform(0, 3))
        return f"killed {post.child.name}{how}"

    def kill_pool_child(self) -> str:
        post = self._one(self.crew.workers())
        if post is None:
            return "no process of a pool to kill"
        how = self._await_calls(post)
        self.crew.kill_a_child_of(post, self.rng)
        return f"killed a process of {post.child.name}{how}"

    def freeze_worker(self) -> str:
        """For longer than the lease: others decide about what it holds."""
        post = self._one(self.crew.workers())
        if post is None:
            return "no worker to freeze"
        seconds = LEASE_SECONDS * self.rng.uniform(1.1, 1.4)
        how = self._await_calls(post)
        self.crew.freeze(post, seconds)
        return f"froze {post.child.name} for {seconds:.0f} s{how}"

    def ask_worker_to_stop(self) -> str:
        post = self._one(self.crew.workers())
        if post is None:
            return "no worker to stop"
        self.crew.ask_to_stop(post)
        return f"asked {post.child.name} to stop"

    def kill_beat(self) -> str:
        post = self._one(self.crew.beats())
        if post is None:
            return "no beat to kill"
        self.crew.kill(post, self.rng.uniform(0, 5))
        return f"killed {post.child.name}"

    def second_beat(self) -> str:
        second = self.crew.beats()[-1]
        second.wanted = not second.wanted
        if not second.wanted:
            second.child.kill()
        return "a second beat" if second.wanted else "no second beat any more"

    def kill_web(self) -> str:
        post = self.crew.posts[0]
        self.crew.kill(post, self.rng.uniform(0, 2))
        return "killed web"

    def flush_redis(self) -> str:
        answer = self.place.valkey.command("FLUSHALL")
        return "flushed Redis" if answer else "Redis was away already"

    def stop_redis(self) -> str:
        seconds, politely = self.rng.uniform(1, 6), self.rng.random() < 0.5
        if self.redis_back_at:
            return "Redis is away already"
        self.place.valkey.stop() if politely else self.place.valkey.kill()
        self.redis_back_at = time.monotonic() + seconds
        return f"{'stopped' if politely else 'killed'} Redis for {seconds:.0f} s"

    def crash_postgres(self) -> str:
        seconds = self.rng.uniform(0, 2)
        if self.postgres_back_at or self.place.postgres is None:
            return "PostgreSQL is away already"
        how = self._await_calls()
        self.place.postgres.crash()
        self.postgres_back_at = time.monotonic() + seconds
        return f"PostgreSQL shut down at once, for {seconds:.0f} s{how}"

    def _draw(self) -> None:
        self.rng = Random(f"{self.place.seed}/strike/{self.strikes}")

    def _one(self, posts: list[Post]) -> Post | None:
        """Drawn from all, and none if that one is down: so the choice is the seed's alone."""
        post = self.rng.choice(posts)
        return post if post.untroubled else None

    def _await_calls(self, post: Post | None = None) -> str:
        """Strike while the provider holds mails that this worker, or any, does not know it has."""
        ends, held = time.monotonic() + PATIENCE, 0
        while not held and time.monotonic() < ends:
            waiting: dict[str, int] = self.place.provider.state()["waiting"]
            held = waiting.get(post.child.name, 0) if post else sum(waiting.values())
            time.sleep(0.01)
        return f" with {held} calls in the air" if held else ""

    def _usual(self) -> str:
        return self.rng.choice([CALM, "lying now and then", "lying now and then"])

    def _be(self, mood: str) -> None:
        self.place.provider.tell("mood", mood=mood)
